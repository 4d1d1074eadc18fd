"""EPUB 3 books out of blocks: https://www.w3.org/TR/epub-33/."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from billy_mlx.formats.documents.archive import packed
from billy_mlx.formats.documents.book import Book, picture_type
from billy_mlx.formats.documents.document import Block, Document, cut, for_xml
from billy_mlx.formats.documents.html import STYLE, elements, escaped, notes_of, title_page

_MIMETYPE = b"application/epub+zip"
_CONTAINER = """<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""
_COVER = "cover-image"
_LONGEST_ENTRY = 80  # characters of a line of the table of contents
_SPACE = "https://billy-mlx.invalid/"  # only ever a name space for identifiers


@dataclass(frozen=True)
class _Chapter:
    """The blocks of one file, and what the table of contents calls it."""

    name: str
    title: str
    blocks: tuple[Block, ...]


def epub(text: Document, book: Book) -> bytes:
    """Return an EPUB 3 book with a file for each chapter: for each heading of the highest level that has several."""
    shown = text.below(book.title) if _line(book.title) else text
    chapters = _chapters(shown, _line(book.title) or "Untitled")
    pages = [*_front(book), *((chapter.name, chapter.title, _chapter(chapter, shown)) for chapter in chapters)]
    parts = [
        ("mimetype", _MIMETYPE),
        ("META-INF/container.xml", _CONTAINER.encode()),
        ("book/package.opf", _package([name for name, _, _ in pages], book).encode()),
        ("book/nav.xhtml", _contents(chapters, book).encode()),
        ("book/style.css", STYLE.encode()),
    ]
    if book.cover is not None:
        parts.append((f"book/{_cover(book)}", book.cover))
    parts += [(f"book/{name}.xhtml", _page(title, body, book).encode()) for name, title, body in pages]
    return packed(parts, stored="mimetype")


def _front(book: Book) -> Iterator[tuple[str, str, str]]:
    """Yield name, title and content of what comes before the chapters: a cover and a title page, if any."""
    if book.cover is not None:
        yield "cover", "Cover", f'<p class="cover"><img src="{_cover(book)}" alt="Cover"/></p>\n'
    if _line(book.title):
        yield "title", _line(book.title), title_page(book)


def _cover(book: Book) -> str:
    """Return the name of the cover's file, with the ending by which some readers tell what it is."""
    return f"cover.{(picture_type(book.cover or b'') or '').removeprefix('image/')}"


def _chapters(text: Document, title: str) -> list[_Chapter]:
    level = text.chapter_level
    groups: list[list[Block]] = [[]]
    for block in text.blocks:
        if block.kind == "heading" and block.level <= level and not block.inside and groups[-1]:
            groups.append([])
        groups[-1].append(block)
    chapters = []
    for number, group in enumerate(groups, start=1):
        first = group[0] if group and group[0].kind == "heading" else None
        name = cut(_line(first.text), _LONGEST_ENTRY) if first is not None else ""
        chapters.append(_Chapter(f"chapter-{number}", name or (title if number == 1 else str(number)), tuple(group)))
    return chapters


def _package(names: Sequence[str], book: Book) -> str:
    # The same for every state of a book, by which a reader's library knows it again.
    known_by = "\0".join(map(for_xml, (book.title, book.author, book.language)))
    identifier = uuid.uuid5(uuid.NAMESPACE_URL, _SPACE + known_by)
    type = None if book.cover is None else picture_type(book.cover)
    cover = (
        f'<item id="{_COVER}" href="{_cover(book)}" media-type="{type}" properties="cover-image"/>\n' if type else ""
    )
    # How readers of EPUB 2 find it.
    cover_meta = f'<meta name="cover" content="{_COVER}"/>\n' if type else ""
    files = "".join(f'<item id="{name}" href="{name}.xhtml" media-type="application/xhtml+xml"/>\n' for name in names)
    creator = f"<dc:creator>{escaped(_line(book.author))}</dc:creator>\n" if _line(book.author) else ""
    about = f"<dc:description>{escaped(_line(book.description))}</dc:description>\n" if _line(book.description) else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<package version="3.0" xmlns="http://www.idpf.org/2007/opf" unique-identifier="id" xml:lang="{book.language_tag}">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">urn:uuid:{identifier}</dc:identifier>
<dc:title>{escaped(_line(book.title) or "Untitled")}</dc:title>
<dc:language>{book.language_tag}</dc:language>
{creator}{about}<meta property="dcterms:modified">{book.utc:%Y-%m-%dT%H:%M:%SZ}</meta>
{cover_meta}</metadata>
<manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="style" href="style.css" media-type="text/css"/>
{cover}{files}</manifest>
<spine page-progression-direction="{book.direction}">
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


def _chapter(chapter: _Chapter, text: Document) -> str:
    return "".join([*elements(chapter.blocks, text.numbers), *notes_of(text, chapter.blocks)])


def _page(title: str, body: str, book: Book) -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"
 xml:lang="{book.language_tag}" dir="{book.direction}">
<head><title>{escaped(title)}</title><link rel="stylesheet" type="text/css" href="style.css"/></head>
<body>
{body or "<p></p>"}
</body>
</html>
"""


def _line(text: str) -> str:
    """Return a text as one line, as titles are."""
    return " ".join(for_xml(text).split())
