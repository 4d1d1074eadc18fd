"""EPUB 3 books out of blocks: https://www.w3.org/TR/epub-33/."""

import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import count

from billy_mlx.manuscript.formats.archive import packed
from billy_mlx.manuscript.formats.book import Book
from billy_mlx.manuscript.formats.document import Block, Box, Run, for_xml, is_web_link
from billy_mlx.manuscript.formats.layout import common
from billy_mlx.manuscript.formats.plain import SCENE_BREAK

_MIMETYPE = b"application/epub+zip"
_CONTAINER = """<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""
_STYLE = """body { line-height: 1.5; margin: 5%; }
h1, h2, h3, h4, h5, h6 { line-height: 1.2; }
p { margin: 0; text-indent: 1.2em; }
h1 + p, h2 + p, h3 + p, h4 + p, h5 + p, h6 + p, .break + p, li p, p:first-child { text-indent: 0; }
.break { margin: 1.5em 0; text-align: center; text-indent: 0; }
pre { white-space: pre-wrap; }
aside { font-size: 0.85em; margin-top: 1em; }
"""
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
        ("book/style.css", _STYLE.encode()),
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
        name = _line(first.text) if first is not None else ""
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
    creator = f"<dc:creator>{_escaped(_line(book.author))}</dc:creator>\n" if _line(book.author) else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<package version="3.0" xmlns="http://www.idpf.org/2007/opf" unique-identifier="id" xml:lang="{book.language_tag}">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">urn:uuid:{identifier}</dc:identifier>
<dc:title>{_escaped(_line(book.title) or "Untitled")}</dc:title>
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
    items = "".join(f'<li><a href="{chapter.name}.xhtml">{_escaped(chapter.title)}</a></li>\n' for chapter in chapters)
    body = (
        f'<nav epub:type="toc" id="toc"><h1>{_escaped(_line(book.title) or "Untitled")}</h1>\n<ol>\n{items}</ol></nav>'
    )
    return _page(_line(book.title) or "Untitled", body, book)


def _chapter(chapter: _Chapter, book: Book, notes: Sequence[str]) -> str:
    numbers = [run.note for block in chapter.blocks for run in block.runs if run.note is not None]
    asides = "".join(
        f'<aside epub:type="footnote" id="note-{number}"><p>{number}. {_escaped(notes[number - 1])}</p></aside>\n'
        for number in dict.fromkeys(numbers)
    )
    return _page(chapter.title, "".join(_body(chapter.blocks)) + asides, book)


def _page(title: str, body: str, book: Book) -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" xml:lang="{book.language_tag}">
<head><title>{_escaped(title)}</title><link rel="stylesheet" type="text/css" href="style.css"/></head>
<body>
{body or "<p></p>"}
</body>
</html>
"""


def _body(blocks: Sequence[Block]) -> Iterator[str]:
    """Yield the elements of blocks, opening and closing what they stand in."""
    inside: tuple[Box, ...] = ()
    ids = count(1)
    for block in blocks:
        shared = common(inside, block.inside)
        yield from (f"</{_tag(box)}>\n" for box in reversed(inside[len(shared) :]))
        yield from (_opening(box) for box in block.inside[len(shared) :])
        inside = block.inside
        yield _element(block, ids)
    yield from (f"</{_tag(box)}>\n" for box in reversed(inside))


def _element(block: Block, ids: Iterator[int]) -> str:
    content = "".join(_inline(run) for run in block.runs)
    match block.kind:
        case "heading":
            return f'<h{block.level} id="heading-{next(ids)}">{content}</h{block.level}>\n'
        case "code":
            return f"<pre><code>{_escaped(block.text)}</code></pre>\n"
        case "break":
            return f'<p class="break">{SCENE_BREAK}</p>\n'
    return f"<p>{content}</p>\n"


def _inline(run: Run) -> str:
    if run.note is not None:
        return f'<a epub:type="noteref" href="#note-{run.note}"><sup>{run.note}</sup></a>'
    text = _escaped(run.text).replace("\n", "<br/>")
    for tag, used in (("code", run.code), ("em", run.emphasis), ("strong", run.strong)):
        text = f"<{tag}>{text}</{tag}>" if used else text
    return f'<a href="{_escaped(run.link)}">{text}</a>' if is_web_link(run.link) else text


def _tag(box: Box) -> str:
    return {"quote": "blockquote", "bullets": "ul", "numbers": "ol", "item": "li"}[box.kind]


def _opening(box: Box) -> str:
    start = f' start="{box.first}"' if box.kind == "numbers" and box.first != 1 else ""
    return f"<{_tag(box)}{start}>\n"


def _line(text: str) -> str:
    """Return a text as one line, as titles are."""
    return " ".join(for_xml(text).split())


def _escaped(text: str) -> str:
    return escape(for_xml(text))
