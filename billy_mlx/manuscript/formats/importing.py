"""Take in what was written elsewhere."""

from dataclasses import dataclass
from pathlib import PurePath

from charset_normalizer import from_bytes

from billy_mlx.errors import DocumentError
from billy_mlx.manuscript.formats.docx_in import blocks_of_docx
from billy_mlx.manuscript.formats.markdown_out import markdown
from billy_mlx.text import sanitize

MAX_BYTES = 64 << 20
_BOMS = {
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe\x00\x00": "utf-32-le",
    b"\x00\x00\xfe\xff": "utf-32-be",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}
_FOREIGN = {
    b"%PDF": "a PDF",
    b"{\\rtf": "in Rich Text Format",
    b"\xd0\xcf\x11\xe0": "in an old format of Word, or locked with a password",
}
_SAMPLE = 1 << 16  # bytes that are enough to tell an encoding


@dataclass(frozen=True)
class Imported:
    """A text as Markdown.

    Attributes:
        notes: a sentence each for what was left out or guessed.
    """

    text: str
    notes: tuple[str, ...] = ()


def read_document(data: bytes, name: str) -> Imported:
    """Return the text of a document: .docx as Markdown, anything else as the text it is.

    Args:
        data: what the file holds.
        name: the file's.

    Raises:
        DocumentError: it is damaged, too large, or in a format that is not read here.
    """
    shown = " ".join(sanitize(name).split())
    if len(data) > MAX_BYTES:
        raise DocumentError(f"{shown} has more than {MAX_BYTES >> 20} MiB; split it and import the parts")
    for beginning, what in _FOREIGN.items():
        if data.startswith(beginning):
            raise DocumentError(f"{shown} is {what}; open it in a word processor and save it as .docx")
    if PurePath(name).suffix.lower() == ".docx" or data.startswith(b"PK\x03\x04"):
        try:
            blocks, notes = blocks_of_docx(data)
        except DocumentError as error:
            raise DocumentError(f"{shown}: {error}") from error
        return Imported(markdown(blocks), notes)
    return _text(data, shown)


def _text(data: bytes, shown: str) -> Imported:
    for bom, encoding in _BOMS.items():
        if data.startswith(bom):
            return Imported(_decoded(data[len(bom) :], encoding, shown))
    try:
        return Imported(_checked(data.decode(), shown))
    except UnicodeDecodeError:
        best = from_bytes(_sample(data)).best()
    if best is None:
        raise DocumentError(f"{shown} is no text that can be made out; save it as UTF-8, then import it")
    note = f"{shown} is not UTF-8; it was read as {best.encoding}, so look for letters that are wrong"
    return Imported(_decoded(data, best.encoding, shown), (note,))


def _sample(data: bytes) -> bytes:
    """Return the beginning of `data` up to the end of a line or word: half a letter is wrong in any encoding."""
    if len(data) <= _SAMPLE:
        return data
    start = data[:_SAMPLE]
    return start[: max(start.rfind(b"\n"), start.rfind(b" ")) + 1] or start


def _decoded(data: bytes, encoding: str, shown: str) -> str:
    try:
        return _checked(data.decode(encoding), shown)
    except (UnicodeDecodeError, LookupError) as error:
        raise DocumentError(
            f"{shown} is damaged: it is not all {encoding}; save it as UTF-8, then import it"
        ) from error


def _checked(text: str, shown: str) -> str:
    if "\0" in text:
        raise DocumentError(f"{shown} is not a text: it has zeros in it; choose another file")
    return text
