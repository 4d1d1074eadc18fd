"""Lorebooks: our own, and those of other programs."""
