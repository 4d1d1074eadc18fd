"""Personas as they are kept: a card, and the vector that was made of it."""
