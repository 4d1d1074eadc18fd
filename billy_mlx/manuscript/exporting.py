"""Export a manuscript: to other programs, to readers, with or without who wrote what; and how, for the next time."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import msgspec

from billy_mlx.files import PRIVATE, read_all, reading, write_atomically
from billy_mlx.formats.documents.book import Book, Template
from billy_mlx.formats.documents.document import Document, for_xml, is_web_link
from billy_mlx.formats.documents.docx_out import docx
from billy_mlx.formats.documents.epub import epub
from billy_mlx.formats.documents.footnote_marks import Marks, marked
from billy_mlx.formats.documents.front_matter import FrontMatter, front_matter, prose_of
from billy_mlx.formats.documents.html import html
from billy_mlx.formats.documents.markdown_in import document_of, unsaid_of
from billy_mlx.formats.documents.markdown_out import escaped
from billy_mlx.formats.documents.paragraphs import Paragraphs, ParagraphsFound, paragraphs_of
from billy_mlx.formats.documents.plain import plain_text
from billy_mlx.manuscript.passage import Passage
from billy_mlx.manuscript.prose import Author, Prose
from billy_mlx.manuscript.provenance import Note, notes, sidecar
from billy_mlx.stray import encoded, strays_in
from billy_mlx.text import without_strays
from billy_mlx.words import count_words

_LINE_END = re.compile(r"\r\n?|\n")
# Headings, items, quotes, tables and fences: where their lines end says nothing about paragraphs.
_NO_PROSE = re.compile(r"\s*(?:#{1,6}(?:\s|$)|[-+*]\s|\d{1,9}[.)]\s|>|\||```|~~~)")

_LONGEST_EDITION = 1 << 16
_EDITION_FILE = "edition.json"


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
    template: Template = Template.BOOK,
) -> dict[str, bytes]:
    """Return the files of an export by their suffixes: one, or with a sidecar two, the second "provenance.json".

    Args:
        prose: the manuscript. As Markdown it is exported byte for byte, elsewhere with U+FFFD for its stray bytes.
        format: what to make of it.
        book: title, author, language and date, where the format has a place for them.
        passages: how the spans by models were made, as far as that is known.
        provenance: where to say who wrote what.
        way: what a paragraph is in the manuscript; None to find it out.
        template: how a Word document looks.
    """
    held = passages or {}
    way = way or paragraphs_of_manuscript(prose.text).way
    noted = notes(prose, held) if provenance is Provenance.FOOTNOTES else ()
    text = _with_notes(prose.text, noted, way) if noted else prose.text
    match format:
        case Format.MARKDOWN:
            content = encoded(text, "replace")
        case Format.PLAIN:
            content = plain_text(document_of(text, way)).encode("utf-8", "replace")
        case Format.DOCX:
            content = docx(document_of(text, way), book, template)
        case Format.EPUB:
            content = epub(document_of(text, way), book)
        case Format.HTML:
            content = html(document_of(text, way), book)
    files = {str(format): content}
    if provenance is Provenance.SIDECAR:
        files["provenance.json"] = sidecar(prose, held)
    return files


def _with_notes(text: str, noted: Sequence[Note], way: Paragraphs) -> str:
    """Return a Markdown text with footnotes that say who wrote what."""
    marks = Marks.unlike(text)
    newline = "\r\n" if "\r\n" in text else "\n"
    defined = (f"{newline}{marks.of(at)}: {escaped(note.text)}{newline}" for at, note in enumerate(noted, start=1))
    return marked(text, [note.end for note in noted], marks, way) + "".join(defined)


def paragraphs_of_manuscript(text: str) -> ParagraphsFound:
    """Return how a manuscript tells its paragraphs apart, by those of its lines that are neither headings nor lists."""
    lines = [line for line in _LINE_END.split(prose_of(text)) if not _NO_PROSE.match(line)]
    return paragraphs_of("\n".join(lines))


def book_of(text: str, heading: str = "", *, title: str = "", author: str = "", language: str = "") -> Book:
    """Return what a book says of itself: what is given, or else what stands before the text, or in its `heading`."""
    before = front_matter(without_strays(text)) or FrontMatter(0)
    return Book(
        title or before.title or heading,
        author or before.author,
        language or before.language or "en",
        description=before.description,
    )


def cover_named(text: str, path: Path) -> Path | None:
    """Return the cover that is named before a text, from the folder of its file at `path`; None if none is."""
    before = front_matter(text)
    return None if before is None or not before.cover else path.parent / before.cover


def left_out(text: str, format: Format, document: Document, way: Paragraphs = Paragraphs.WRAPPED) -> tuple[str, ...]:
    """Return a sentence, without its full stop, for each kind of thing that an export of a manuscript leaves out.

    So for bytes that are no text, though as Markdown they are there.

    Args:
        text: the manuscript.
        format: what is made of it.
        document: the same in blocks.
        way: what a paragraph is in it.
    """
    strays = strays_in(text)
    if format is Format.MARKDOWN:
        return () if strays is None else (f"{strays}, written as in the text itself",)
    unsaid, before = unsaid_of(text, way), front_matter(without_strays(text))
    words, titles = (_counted(sum(map(count_words, each)), "word") for each in (unsaid.comments, unsaid.titles))
    stood = "" if before is None else text[: before.end]
    used = "" if before is None or not (before.title or before.author) else "; title and author are used"
    runs = [run for blocks in (document.blocks, *document.notes.values()) for block in blocks for run in block.runs]
    links = {run.link for run in runs if run.link and (format is Format.PLAIN or not is_web_link(run.link))}
    signs = 0 if format is Format.PLAIN else sum(len(run.text) - len(for_xml(run.text)) for run in runs)
    said = {
        f"{strays}, written as \N{REPLACEMENT CHARACTER}": strays is not None,
        f"{_counted(len(unsaid.comments), 'comment')} left out, with {words}": bool(unsaid.comments),
        f"{_counted(unsaid.pictures, 'picture')} left out; the descriptions are there": unsaid.pictures > 0,
        f"{_counted(len(unsaid.titles), 'title')} of links and pictures left out, with {titles}": bool(unsaid.titles),
        f"{_counted(unsaid.empty_links, 'link')} without words left out": unsaid.empty_links > 0,
        f"the language of {_counted(len(unsaid.languages), 'block')} of code left out": bool(unsaid.languages),
        f"where {_counted(len(links), 'link')} led is left out; the words are there": bool(links),
        f"{_counted(signs, 'control character')} left out, which no such file may have": signs > 0,
        f"what stands before the text between lines of hyphens, {_counted(count_words(stood), 'word')}, is not part of "
        f"it{used}": before is not None,
    }
    return tuple(sentence for sentence, holds in said.items() if holds)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


@dataclass(frozen=True)
class Edition:
    """What was chosen for the exports of one text; empty or None where nothing was.

    Attributes:
        title, author, language, description: of the book.
        cover: the path of a picture.
        paragraphs: what a paragraph is in the text.
        template: how a Word document looks.
    """

    title: str = ""
    author: str = ""
    language: str = ""
    description: str = ""
    cover: str = ""
    paragraphs: Paragraphs | None = None
    template: Template = Template.BOOK


def read_edition(folder: Path) -> Edition:
    """Return what was chosen for a text; `folder` is where what belongs to it is kept."""
    try:
        with reading(folder / _EDITION_FILE) as handle:
            return msgspec.json.decode(read_all(handle, _LONGEST_EDITION), type=Edition)
    except (OSError, ValueError, RecursionError):  # a convenience: all of it can be chosen again
        return Edition()


def keep_edition(folder: Path, edition: Edition) -> None:
    """Keep what was chosen.

    Raises:
        BillyError: it cannot be written.
    """
    write_atomically(folder / _EDITION_FILE, msgspec.json.encode(edition), mode=PRIVATE)
