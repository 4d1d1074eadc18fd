"""A manuscript and a model brought together: text that remembers how it was written."""
