"""The tiny models as fixtures, for the tests of this room."""

from tiny import hybrid, tiny

__all__ = ["hybrid", "tiny"]
