"""Word, Markdown, plain text, EPUB and HTML. Each is read into a `Document`, and written from one."""
