"""What a manuscript is handed on as, and taken in from: Markdown, plain text, .docx, EPUB."""
