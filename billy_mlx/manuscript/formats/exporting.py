"""Export a manuscript: to other programs, to readers, with or without who wrote what."""

import re
from collections.abc import Mapping
from enum import StrEnum

from billy_mlx.manuscript.counts import count_words
from billy_mlx.manuscript.formats.book import Book
from billy_mlx.manuscript.formats.docx_out import docx
from billy_mlx.manuscript.formats.epub import epub
from billy_mlx.manuscript.formats.front_matter import front_matter, prose_of
from billy_mlx.manuscript.formats.html import html
from billy_mlx.manuscript.formats.markdown_out import escaped
from billy_mlx.manuscript.formats.marking import Marks, marked
from billy_mlx.manuscript.formats.paragraphs import Found, Paragraphs, paragraphs_of
from billy_mlx.manuscript.formats.parsing import blocks_of, comments_of
from billy_mlx.manuscript.formats.plain import plain_text
from billy_mlx.manuscript.formats.provenance import notes, sidecar
from billy_mlx.manuscript.passage import Passage
from billy_mlx.manuscript.prose import Author, Prose
from billy_mlx.manuscript.stray import encoded, strays_in
from billy_mlx.text import without_strays

_LINE_END = re.compile(r"\r\n?|\n")
# Headings, items, quotes, tables and fences: where their lines end says nothing about paragraphs.
_NO_PROSE = re.compile(r"\s*(?:#{1,6}(?:\s|$)|[-+*]\s|\d{1,9}[.)]\s|>|\||```|~~~)")
_PICTURE = re.compile(r"(?<!\\)!\[[^\]]*\]\([^)]*\)")


class Format(StrEnum):
    """What a manuscript can be exported as; the value is the file's suffix."""

    MARKDOWN = "md"
    PLAIN = "txt"
    DOCX = "docx"
    EPUB = "epub"
    HTML = "html"


class Provenance(StrEnum):
    """How an export says who wrote what."""

    NONE = "none"
    FOOTNOTES = "footnotes"
    SIDECAR = "sidecar"


def export(
    prose: Prose,
    format: Format,
    book: Book,
    *,
    passages: Mapping[Author, Passage] | None = None,
    provenance: Provenance = Provenance.NONE,
    way: Paragraphs | None = None,
) -> dict[str, bytes]:
    """Return the files of an export by their suffixes: one, or with a sidecar two, the second "provenance.json".

    Args:
        prose: the manuscript. As Markdown it is exported byte for byte, elsewhere with U+FFFD for its stray bytes.
        format: what to make of it.
        book: title, author, language and date, where the format has a place for them.
        passages: how the spans by models were made, as far as that is known.
        provenance: where to say who wrote what.
        way: what a paragraph is in the manuscript; None to find it out.
    """
    held = passages or {}
    noted = notes(prose, held) if provenance is Provenance.FOOTNOTES else ()
    texts = [note.text for note in noted]
    marks = Marks.unlike(prose.text)
    text = marked(prose.text, [note.end for note in noted], marks) if noted else prose.text
    if format is Format.MARKDOWN:
        newline = "\r\n" if "\r\n" in text else "\n"
        numbered = enumerate(map(escaped, texts), start=1)
        defined = "".join(f"{newline}{marks.of(number)}: {note}{newline}" for number, note in numbered)
        content = encoded(text + defined, "replace")
    else:
        text = without_strays(text)
        blocks = blocks_of(text, marks.pattern if noted else None, way=way or paragraphs_of_manuscript(prose.text).way)
        match format:
            case Format.PLAIN:
                content = plain_text(blocks, texts).encode("utf-8", "replace")
            case Format.DOCX:
                content = docx(blocks, book, texts)
            case Format.EPUB:
                content = epub(blocks, book, texts)
            case Format.HTML:
                content = html(blocks, book, texts)
    files = {str(format): content}
    if provenance is Provenance.SIDECAR:
        files["provenance.json"] = sidecar(prose, held)
    return files


def paragraphs_of_manuscript(text: str) -> Found:
    """Return how a manuscript tells its paragraphs apart, by those of its lines that are neither headings nor lists."""
    lines = [line for line in _LINE_END.split(prose_of(text)) if not _NO_PROSE.match(line)]
    return paragraphs_of("\n".join(lines))


def book_of(text: str, *, title: str = "", author: str = "", language: str = "") -> Book:
    """Return what a book says of itself: what is given, or else what stands before the text."""
    before = front_matter(without_strays(text))
    if before is not None:
        title, author, language = title or before.title, author or before.author, language or before.language
    return Book(title, author, language or "en")


def left_out(text: str, format: Format) -> tuple[str, ...]:
    """Return a sentence, without its full stop, for each kind of thing that an export of a manuscript leaves out.

    So for bytes that are no text, though as Markdown they are there.
    """
    strays = strays_in(text)
    if format is Format.MARKDOWN:
        return () if strays is None else (f"{strays}, written as in the text itself",)
    said = [] if strays is None else [f"{strays}, written as \N{REPLACEMENT CHARACTER}"]
    comments = comments_of(text)
    if comments:
        words = sum(map(count_words, comments))
        said.append(f"{_counted(len(comments), 'comment')} left out, with {_counted(words, 'word')}")
    pictures = len(_PICTURE.findall(text))
    if pictures:
        said.append(f"{_counted(pictures, 'picture')} left out; the descriptions are there")
    if front_matter(text) is not None:
        said.append("what stands before the text between lines of hyphens is not part of it; title and author are used")
    return tuple(said)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"
