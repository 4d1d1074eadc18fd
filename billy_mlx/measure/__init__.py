"""Numbers about text and about what the model does while it writes it."""
