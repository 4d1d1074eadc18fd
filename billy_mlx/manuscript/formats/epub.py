"""EPUB 3 books out of blocks: https://www.w3.org/TR/epub-33/."""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten

from billy_mlx.manuscript.formats.archive import packed
from billy_mlx.manuscript.formats.book import Book
from billy_mlx.manuscript.formats.document import Block, for_xml
from billy_mlx.manuscript.formats.markup import STYLE, elements, escaped

_MIMETYPE = b"application/epub+zip"
_CONTAINER = """<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""
_LONGEST_ENTRY = 80  # characters of a line of the table of contents
_SPACE = "https://billy-mlx.invalid/"  # only ever a name space for identifiers


@dataclass(frozen=True)
class _Chapter:
    """The blocks of one file, and what the table of contents calls it."""

    name: str
    title: str
    blocks: tuple[Block, ...]


def epub(blocks: Sequence[Block], book: Book, notes: Sequence[str] = ()) -> bytes:
    """Return an EPUB 3 book with a file for each chapter: for each heading of the highest level that has several.

    Args:
        blocks: in their order.
        book: its title, author, language and date.
        notes: the texts of notes, numbered from 1 as the runs of `blocks` refer to them.
    """
    chapters = _chapters(blocks, _line(book.title) or "Untitled")
    parts = [
        ("mimetype", _MIMETYPE),
        ("META-INF/container.xml", _CONTAINER.encode()),
        ("book/package.opf", _package(chapters, book).encode()),
        ("book/nav.xhtml", _contents(chapters, book).encode()),
        ("book/style.css", STYLE.encode()),
    ]
    parts += [(f"book/{chapter.name}.xhtml", _chapter(chapter, book, notes).encode()) for chapter in chapters]
    return packed(parts, stored="mimetype")


def _chapters(blocks: Sequence[Block], title: str) -> list[_Chapter]:
    level = _chapter_level(blocks)
    groups: list[list[Block]] = [[]]
    for block in blocks:
        if block.kind == "heading" and block.level <= level and not block.inside and groups[-1]:
            groups.append([])
        groups[-1].append(block)
    chapters = []
    for number, group in enumerate(groups, start=1):
        first = group[0] if group and group[0].kind == "heading" else None
        name = shorten(_line(first.text), _LONGEST_ENTRY, placeholder="…") if first is not None else ""
        chapters.append(_Chapter(f"chapter-{number}", name or (title if number == 1 else str(number)), tuple(group)))
    return chapters


def _chapter_level(blocks: Sequence[Block]) -> int:
    """Return the highest level that has more than one heading: a single one above them is the book's title."""
    levels = Counter(block.level for block in blocks if block.kind == "heading" and not block.inside)
    return min((level for level, count in levels.items() if count > 1), default=min(levels, default=0))


def _package(chapters: Sequence[_Chapter], book: Book) -> str:
    # The same for every state of a book, by which a reader's library knows it again.
    known_by = "\0".join(map(for_xml, (book.title, book.author, book.language)))
    identifier = uuid.uuid5(uuid.NAMESPACE_URL, _SPACE + known_by)
    names = [chapter.name for chapter in chapters]
    files = "".join(f'<item id="{name}" href="{name}.xhtml" media-type="application/xhtml+xml"/>\n' for name in names)
    creator = f"<dc:creator>{escaped(_line(book.author))}</dc:creator>\n" if _line(book.author) else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<package version="3.0" xmlns="http://www.idpf.org/2007/opf" unique-identifier="id" xml:lang="{book.language_tag}">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">urn:uuid:{identifier}</dc:identifier>
<dc:title>{escaped(_line(book.title) or "Untitled")}</dc:title>
<dc:language>{book.language_tag}</dc:language>
{creator}<meta property="dcterms:modified">{book.utc:%Y-%m-%dT%H:%M:%SZ}</meta>
</metadata>
<manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="style" href="style.css" media-type="text/css"/>
{files}</manifest>
<spine>
{"".join(f'<itemref idref="{name}"/>' for name in names)}
</spine>
</package>
"""


def _contents(chapters: Sequence[_Chapter], book: Book) -> str:
    items = "".join(f'<li><a href="{chapter.name}.xhtml">{escaped(chapter.title)}</a></li>\n' for chapter in chapters)
    body = (
        f'<nav epub:type="toc" id="toc"><h1>{escaped(_line(book.title) or "Untitled")}</h1>\n<ol>\n{items}</ol></nav>'
    )
    return _page(_line(book.title) or "Untitled", body, book)


def _chapter(chapter: _Chapter, book: Book, notes: Sequence[str]) -> str:
    numbers = [run.note for block in chapter.blocks for run in block.runs if run.note is not None]
    asides = "".join(
        f'<aside epub:type="footnote" id="note-{number}"><p>{number}. {escaped(notes[number - 1])}</p></aside>\n'
        for number in dict.fromkeys(numbers)
    )
    return _page(chapter.title, "".join(elements(chapter.blocks)) + asides, book)


def _page(title: str, body: str, book: Book) -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" xml:lang="{book.language_tag}">
<head><title>{escaped(title)}</title><link rel="stylesheet" type="text/css" href="style.css"/></head>
<body>
{body or "<p></p>"}
</body>
</html>
"""


def _line(text: str) -> str:
    """Return a text as one line, as titles are."""
    return " ".join(for_xml(text).split())
