"""A page of HTML out of blocks: one file, with its style in it."""

from collections.abc import Sequence

from billy_mlx.manuscript.formats.book import Book
from billy_mlx.manuscript.formats.document import Block
from billy_mlx.manuscript.formats.markup import STYLE, elements, escaped

_PAGE = "body { max-width: 38em; margin: 2em auto; padding: 0 1em; }\n"


def html(blocks: Sequence[Block], book: Book, notes: Sequence[str] = ()) -> bytes:
    """Return a page; `notes` stand at its end, numbered from 1 as the runs of `blocks` refer to them."""
    title = escaped(" ".join(book.title.split()) or "Untitled")
    author = (
        f'<meta name="author" content="{escaped(" ".join(book.author.split()))}"/>\n' if book.author.strip() else ""
    )
    asides = "".join(
        f'<aside id="note-{number}"><p>{number}. {escaped(note)}</p></aside>\n'
        for number, note in enumerate(notes, start=1)
    )
    body = "".join(elements(blocks)).replace('<a epub:type="noteref" ', '<a role="doc-noteref" ')
    return f"""<!DOCTYPE html>
<html lang="{book.language_tag}">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width"/>
{author}<title>{title}</title>
<style>
{STYLE}{_PAGE}</style>
</head>
<body>
{body}{asides}</body>
</html>
""".encode()
