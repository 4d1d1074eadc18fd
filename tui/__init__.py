"""The writing studio: every Textual import of the project is in here."""
