"""The tree of versions, in a SQLite file that may be lost without losing a word."""
