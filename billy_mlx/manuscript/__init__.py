"""A manuscript: a plain file that belongs to the writer, and beside it who wrote what, every version, and no loss."""
