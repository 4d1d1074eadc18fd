"""The widgets, one to a module: none of them calls a model or opens a file."""
