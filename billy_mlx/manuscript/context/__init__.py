"""What a model is sent of a manuscript: the text, and what the writer wants it to know beside the text."""
