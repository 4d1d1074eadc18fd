"""A page of HTML out of blocks: one file, with its style in it."""

from billy_mlx.formats.documents.book import Book
from billy_mlx.formats.documents.document import Document
from billy_mlx.formats.documents.markup import STYLE, elements, escaped, notes_of, title_page

_PAGE = "body { max-width: 38em; margin: 2em auto; padding: 0 1em; }\n"


def html(text: Document, book: Book) -> bytes:
    """Return a page, with the notes at its end."""
    title = " ".join(book.title.split())
    about = _meta("author", book.author) + _meta("description", book.description)
    shown = text.below(title) if title else text
    content = [title_page(book), *elements(shown.blocks, shown.numbers), *notes_of(shown, shown.blocks)]
    body = "".join(content).replace(' epub:type="footnote"', "").replace(' epub:type="noteref"', ' role="doc-noteref"')
    return f"""<!DOCTYPE html>
<html lang="{book.language_tag}" dir="{book.direction}">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width"/>
{about}<title>{escaped(title) or "Untitled"}</title>
<style>
{STYLE}{_PAGE}</style>
</head>
<body>
{body}</body>
</html>
""".encode()


def _meta(name: str, content: str) -> str:
    line = " ".join(content.split())
    return f'<meta name="{name}" content="{escaped(line)}"/>\n' if line else ""
