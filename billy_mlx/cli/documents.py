"""billy import and billy export: documents of other programs as texts of one's own, and texts for others to read."""

import shlex
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from billy_mlx.cli.options import Decorator, json_option
from billy_mlx.cli.output import say, write_json
from billy_mlx.errors import DocumentError, ManuscriptError, UsageError
from billy_mlx.files import replace_file
from billy_mlx.paths import expanded
from billy_mlx.text import sanitize

if TYPE_CHECKING:
    from billy_mlx.formats.documents.book import Book
    from billy_mlx.formats.documents.paragraphs import Paragraphs
    from billy_mlx.manuscript.exporting import Edition

_IMPORT_EXAMPLES = """\b
billy import novel.docx -o novel.md
billy import notes.txt --paragraphs line -o notes.md
billy import old.docx --check
"""
_FORMATS = ("docx", "epub", "html", "txt", "md")
_EXPORT_EXAMPLES = """\b
billy export novel.md -o novel.docx
billy export novel.md --to epub --title "The Lamp" --author "A. Writer" -o -
billy export novel.md -o novel.html --check
"""
_paragraphs_option: Decorator = click.option(
    "--paragraphs",
    type=click.Choice(["blank", "line", "indent", "wrapped"]),
    help="What tells paragraphs apart: blank lines, each line, indents, or blank lines where lines are broken by hand."
    "  [default: found out]",
)


@click.command("import", epilog=_IMPORT_EXAMPLES)
@click.argument("file", metavar="FILE")
@click.option("-o", "--output", metavar="TEXT.md", help="Where to write the text; - is stdout.")
@_paragraphs_option
@click.option("--check", is_flag=True, help="Say what would be left out, and write nothing.")
@click.option("--force", is_flag=True, help="Overwrite TEXT.md.")
@json_option
def import_(file: str, output: str | None, paragraphs: str | None, check: bool, force: bool, as_json: bool) -> int:
    """Make a Markdown text of a Word document, plain text or Markdown.

    What is left out, and what was guessed, is said on stderr, a line each, before anything is written. FILE may be -
    for stdin.
    """
    _require_stdout(output or "", as_json=as_json and not check)
    from billy_mlx.formats.documents.paragraphs import Paragraphs
    from billy_mlx.manuscript.importing import MAX_BYTES, read_document

    try:
        if file == "-":
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            # Reading a pipe or a device may never end.
            if Path(file).exists() and not Path(file).is_file() and not Path(file).is_dir():
                raise DocumentError(f"{sanitize(file)} is not a file; give the path of a document")
            with Path(file).open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise DocumentError(
            f"{sanitize(file)} cannot be read: {error.strerror}; give the path of a document"
        ) from error
    name = "stdin.txt" if file == "-" else Path(file).name
    document = read_document(data, name, None if paragraphs is None else Paragraphs(paragraphs))
    if output is None and not check:
        raise UsageError("nothing says where to write the text; give -o TEXT.md, or -o - for stdout")
    for note in document.notes:
        say(note)
    content = document.text.encode("utf-8", "replace")
    written = None if check or output is None else _put_out_file(content, output, force=force)
    if as_json:
        write_json({"file": written, "notes": list(document.notes)})
    if written is not None and written != "-":
        say(f"{written} is written; to continue it, run: billy write {shlex.quote(written)}")
    return 0


@click.command("export", epilog=_EXPORT_EXAMPLES)
@click.argument("file", metavar="TEXT.md")
@click.option("-o", "--output", metavar="FILE", required=True, help="Where to write it; - is stdout.")
@click.option("--to", "to", type=click.Choice(_FORMATS), help="As what.  [default: by the ending of FILE]")
@_paragraphs_option
@click.option("--template", type=click.Choice(["book", "shunn"]), help="How a Word document looks.  [default: book]")
@click.option("--title", default="", help="Of the book.  [default: what stands before the text, or its title]")
@click.option("--author", default="", help="Of the book.  [default: what stands before the text]")
@click.option(
    "--language", metavar="TAG", default="", help="Such as en or pt-BR.  [default: what stands before the text]"
)
@click.option("--description", default="", help="Of an EPUB or HTML.  [default: what stands before the text]")
@click.option("--cover", metavar="IMAGE", default="", help="Of an EPUB: JPEG, PNG, GIF or WebP.")
@click.option("--check", is_flag=True, help="Say what would be left out, and write nothing.")
@click.option("--force", is_flag=True, help="Overwrite FILE.")
@json_option
def export(
    file: str,
    output: str,
    to: str | None,
    paragraphs: str | None,
    template: str | None,
    check: bool,
    force: bool,
    as_json: bool,
    **told: str,
) -> int:
    """Write a text as a Word document, a book, a page or plain text.

    What is left out of it is said on stderr, a line each, before it is written. What was chosen for this text in the
    studio holds here as well. TEXT.md may be - for stdin.
    """
    from billy_mlx.formats.documents.book import Template
    from billy_mlx.formats.documents.markdown_in import document_of
    from billy_mlx.formats.documents.paragraphs import Paragraphs
    from billy_mlx.manuscript.exporting import Format, export, left_out
    from billy_mlx.manuscript.prose import UNKNOWN, Prose

    _require_stdout(output, as_json=as_json and not check)
    suffix = to or Path(output).suffix.lower().removeprefix(".")
    if suffix not in _FORMATS:
        raise UsageError(f"nothing says as what to write it; give --to, of {', '.join(_FORMATS)}")
    text, date, edition = _read(file)
    format = Format(suffix)
    way, doubt = _way(text, Paragraphs(paragraphs) if paragraphs is not None else edition.paragraphs)
    document = document_of(text, way)
    said: dict[str, Any] = {name: value for name, value in told.items() if value}
    book = _book(text, document.title, replace(edition, **said), file)
    notes = [*left_out(text, format, document, way), *([doubt] if doubt and format is not Format.MARKDOWN else [])]
    if book.cover is not None and format is not Format.EPUB:
        notes.append("the cover left out; only an EPUB has one")
    for note in notes:
        say(note)
    written = None
    if not check:
        look = Template(template) if template is not None else edition.template
        content = export(Prose.by(UNKNOWN, text), format, replace(book, date=date), way=way, template=look)[suffix]
        written = _put_out_file(content, output, force=force)
    if as_json:
        write_json({"file": written, "format": suffix, "paragraphs": str(way), "notes": notes})
    if written is not None and written != "-":
        say(f"{written} is written")
    return 0


def _way(text: str, chosen: "Paragraphs | None") -> "tuple[Paragraphs, str]":
    """Return what a paragraph is in a text, and what is doubtful about that."""
    from billy_mlx.formats.documents.plain import said_of
    from billy_mlx.manuscript.exporting import paragraphs_of_manuscript

    if chosen is not None:
        return chosen, ""
    found = paragraphs_of_manuscript(text)
    return found.way, "" if found.certain else f"{said_of(found)}; --paragraphs says what they are"


def _book(text: str, heading: str, edition: "Edition", file: str) -> "Book":
    from billy_mlx.formats.documents.book import read_cover
    from billy_mlx.manuscript.exporting import book_of, cover_named

    book = book_of(text, heading, title=edition.title, author=edition.author, language=edition.language)
    cover = expanded(edition.cover) if edition.cover else cover_named(text, Path(file))
    return replace(
        book,
        description=edition.description or book.description,
        cover=None if cover is None else read_cover(cover),
    )


def _read(file: str) -> "tuple[str, datetime, Edition]":
    """Return a text, when it was last changed, and what was chosen for its exports; of stdin, nobody knows these."""
    from billy_mlx.formats.documents.book import NO_DATE
    from billy_mlx.manuscript.exporting import Edition, read_edition
    from billy_mlx.manuscript.state_folder import kept_folder
    from billy_mlx.manuscript.textfile import read_text_file, text_of

    if file == "-":
        return text_of(sys.stdin.buffer.read(), Path("stdin")), NO_DATE, Edition()
    path = Path(file)
    read = read_text_file(path)
    if read is None:
        raise ManuscriptError(f"there is no {sanitize(file)}; give the path of a text")
    date = datetime.fromtimestamp(read.stamp.modified_ns / 1e9, UTC)
    return read.text, date, read_edition(kept_folder(path))


def _require_stdout(output: str, *, as_json: bool) -> None:
    """Raise UsageError if what is written and a document about it would both go to stdout."""
    if output == "-" and as_json:
        raise UsageError("--json and -o - are both for stdout; give a file for one, or leave out --json")


def _put_out_file(content: bytes, output: str, *, force: bool) -> str:
    """Write a file, whole or not at all, or put it out on stdout for `-`; returns its name.

    Raises:
        UsageError: there is a file of that name already.
        DocumentError: it cannot be written.
    """
    if output == "-":
        if sys.stdout.isatty():  # bytes of a book are nothing for a terminal, and a text may be obeyed by it
            content = sanitize(content.decode("utf-8", "replace")).encode()
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
        return output
    path = Path(output)
    if path.exists() and not path.is_file() and not path.is_dir():
        raise UsageError(f"{sanitize(output)} is not a file, and would be lost; give another name")
    if path.exists() and not force:
        raise UsageError(f"{sanitize(output)} is there already; give another name, or --force")
    try:
        replace_file(path.resolve(), content)
    except (OSError, ValueError, RuntimeError) as error:  # the last for links that lead in a circle
        reason = getattr(error, "strerror", None) or error
        raise DocumentError(f"{sanitize(output)} was not written: {reason}; choose another place") from error
    return output
