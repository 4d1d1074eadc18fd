"""Export a manuscript: to other programs, to readers, with or without who wrote what."""

from collections.abc import Mapping
from enum import StrEnum

from billy_mlx.manuscript.formats.book import Book
from billy_mlx.manuscript.formats.docx_out import docx
from billy_mlx.manuscript.formats.epub import epub
from billy_mlx.manuscript.formats.markdown_out import escaped
from billy_mlx.manuscript.formats.marking import Marks, marked
from billy_mlx.manuscript.formats.parsing import blocks_of
from billy_mlx.manuscript.formats.plain import plain_text
from billy_mlx.manuscript.formats.provenance import notes, sidecar
from billy_mlx.manuscript.passage import Passage
from billy_mlx.manuscript.prose import Author, Prose


class Format(StrEnum):
    """What a manuscript can be exported as; the value is the file's suffix."""

    MARKDOWN = "md"
    PLAIN = "txt"
    DOCX = "docx"
    EPUB = "epub"


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
) -> dict[str, bytes]:
    """Return the files of an export by their suffixes: one, or with a sidecar two, the second "provenance.json".

    Args:
        prose: the manuscript. As Markdown it is exported byte for byte.
        format: what to make of it.
        book: title, author, language and date, where the format has a place for them.
        passages: how the spans by models were made, as far as that is known.
        provenance: where to say who wrote what.
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
        content = (text + defined).encode("utf-8", "replace")
    else:
        blocks = blocks_of(text, marks.pattern if noted else None)
        match format:
            case Format.PLAIN:
                content = plain_text(blocks, texts).encode("utf-8", "replace")
            case Format.DOCX:
                content = docx(blocks, book, texts)
            case Format.EPUB:
                content = epub(blocks, book, texts)
    files = {str(format): content}
    if provenance is Provenance.SIDECAR:
        files["provenance.json"] = sidecar(prose, held)
    return files
