"""Take in what was written elsewhere."""

import re
from dataclasses import dataclass
from pathlib import PurePath

from charset_normalizer import from_bytes

from billy_mlx.errors import DocumentError
from billy_mlx.formats.documents.document import Document
from billy_mlx.formats.documents.docx_in import document_of_docx
from billy_mlx.formats.documents.markdown_out import markdown
from billy_mlx.formats.documents.paragraphs import Paragraphs, ParagraphsFound, paragraphs_of
from billy_mlx.formats.documents.plain import blocks_of_plain, said_of
from billy_mlx.formats.lorebooks.foreign_lorebook import holds_lorebook
from billy_mlx.stray import decoded, is_nearly_utf8, strays_in
from billy_mlx.text import sanitize, without_strays

MAX_BYTES = 64 << 20
_BOMS = {
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe\x00\x00": "utf-32-le",
    b"\x00\x00\xfe\xff": "utf-32-be",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}
_PICTURE = "a picture"
_FOREIGN = {
    b"%PDF": "a PDF",
    **dict.fromkeys((b"\xff\xd8\xff", b"\x89PNG", b"GIF87a", b"GIF89a"), _PICTURE),
    b"{\\rtf": "in Rich Text Format",
    b"\xd0\xcf\x11\xe0": "in an old format of Word, or locked with a password",
}
# Those of files that are still around; without this, those of DOS are guessed for many short texts.
_USUAL = "cp1252"
_ENCODINGS = [
    *("cp1250", "cp1251", _USUAL, "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874"),
    *("cp932", "cp949", "big5", "gb18030", "euc_jp", "euc_kr", "koi8_r", "iso8859_2", "iso8859_15"),
]
_MARKDOWN = (".md", ".markdown", ".mdown", ".mkd")
_HTML = re.compile(
    rb"(?i)(?:\xef\xbb\xbf)?\s*(?:<!--.{0,1000}?-->\s*)?<(?:!doctype\s+html|html[\s>]|head[\s>]|body[\s>])", re.DOTALL
)
_SAMPLE = 1 << 16  # bytes that are enough to tell an encoding; a line is never cut, which might cut a letter


@dataclass(frozen=True)
class Imported:
    """A text as Markdown.

    Attributes:
        notes: a sentence each for what was left out or guessed.
        way: what was taken for a paragraph in a plain text; None for another document.
    """

    text: str
    notes: tuple[str, ...] = ()
    way: Paragraphs | None = None


def read_document(data: bytes, name: str, way: Paragraphs | None = None) -> Imported:
    """Return the text of a document as Markdown; one that is Markdown by its name as it is.

    Args:
        data: what the file holds.
        name: the file's; .md and .markdown are Markdown, and .docx is a Word document.
        way: what a paragraph is in a plain text; None to find it out.

    Raises:
        DocumentError: it is damaged, too large, a lorebook, or in a format that is not read here.
    """
    shown = " ".join(sanitize(name).split())
    if len(data) > MAX_BYTES:
        raise DocumentError(f"{shown} has more than {MAX_BYTES >> 20} MiB; split it and import the parts")
    if holds_lorebook(data):
        raise DocumentError(
            f"{shown} holds a lorebook, which is no text; open a text in the studio, and import it there, in "
            "“Memory and notes”"
        )
    for beginning, what in _FOREIGN.items():
        if data.startswith(beginning):
            if what == _PICTURE:
                raise DocumentError(f"{shown} is {what}, and no text; choose another file")
            raise DocumentError(f"{shown} is {what}; open it in a word processor and save it as .docx")
    if PurePath(name).suffix.lower() == ".docx" or data.startswith(b"PK\x03\x04"):
        try:
            document, notes = document_of_docx(data)
        except DocumentError as error:
            raise DocumentError(f"{shown}: {error}") from error
        return Imported(markdown(document), notes)
    if _HTML.match(data):
        raise DocumentError(f"{shown} is HTML; open it in a word processor and save it as .docx")
    text = _text(data, shown)
    if PurePath(name).suffix.lower() in _MARKDOWN:
        return text
    found = paragraphs_of(text.text) if way is None else ParagraphsFound(way, True)
    notes = (*text.notes, said_of(found)) if way is None else text.notes
    return Imported(markdown(Document(blocks_of_plain(text.text, found.way))), notes, found.way)


def _text(data: bytes, shown: str) -> Imported:
    for bom, encoding in _BOMS.items():
        if data.startswith(bom):
            own = data[len(bom) :]
            nearly = encoding == "utf-8" and is_nearly_utf8(own, marked=True)
            return _of_utf8(own, shown) if nearly else Imported(_decoded(own, encoding, shown))
    if is_nearly_utf8(data):
        return _of_utf8(data, shown)
    try:
        return Imported(_checked(data.decode(), shown))
    except UnicodeDecodeError:
        guessed = _guessed(data)
    if guessed is None:
        raise DocumentError(f"{shown} cannot be read as text; save it as UTF-8, then import it")
    note = f"{shown} is not UTF-8; it was read as {guessed}, so look for letters that are wrong"
    return Imported(_decoded(data, guessed, shown), (note,))


def _of_utf8(data: bytes, shown: str) -> Imported:
    """Return a text in UTF-8 with U+FFFD for each byte that is none, and a note of where these are."""
    text = decoded(data)
    strays = strays_in(text, shown)
    return Imported(without_strays(text), (f"{strays}, shown as \N{REPLACEMENT CHARACTER}",) if strays else ())


def _guessed(data: bytes) -> str | None:
    """Return the likeliest encoding of a text: the one of most old files, if it reads as well as any; None for none."""
    matches = from_bytes(_sample(data), cp_isolation=_ENCODINGS)
    best = matches.best()
    usual = (one for one in matches if _USUAL in one.could_be_from_charset)
    return None if best is None else _USUAL if any(one.coherence >= best.coherence for one in usual) else best.encoding


def _sample(data: bytes) -> bytes:
    """Return lines that are not mere ASCII, as all encodings are alike there; a file without a line end is one line."""
    sample = b""
    for line in data.splitlines(keepends=True):
        if len(sample) + len(line) > _SAMPLE and sample:
            break
        sample += b"" if line.isascii() else line
    return sample


def _decoded(data: bytes, encoding: str, shown: str) -> str:
    try:
        return _checked(data.decode(encoding), shown)
    except (UnicodeDecodeError, LookupError) as error:
        raise DocumentError(
            f"{shown} is damaged: it is not all {encoding}; save it as UTF-8, then import it"
        ) from error


def _checked(text: str, shown: str) -> str:
    if "\0" in text:
        raise DocumentError(f"{shown} is not a text: it has zero bytes in it; choose another file")
    return text
