"""Blends: weights over persona vectors, a dose and a mode, which together give the directions added to a model."""
