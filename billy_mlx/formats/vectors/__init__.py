"""Steering vectors of other tools, read without running anything in them. Blocks count from 0."""
