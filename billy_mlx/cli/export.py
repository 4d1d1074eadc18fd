"""billy export: a manuscript for other programs and for readers."""

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from billy_mlx.cli.documents import paragraphs_option, put_out_file, require_stdout
from billy_mlx.cli.options import json_option
from billy_mlx.cli.output import say, write_json
from billy_mlx.errors import ManuscriptError, UsageError
from billy_mlx.text import sanitize

_FORMATS = ("docx", "epub", "html", "txt", "md")
_EXAMPLES = """\b
billy export novel.md -o novel.docx
billy export novel.md --to epub --title "The Lamp" --author "A. Writer" -o -
billy export novel.md -o novel.html --check
"""


@click.command("export", epilog=_EXAMPLES)
@click.argument("file", metavar="TEXT.md")
@click.option("-o", "--output", metavar="FILE", required=True, help="Where to write it; - is stdout.")
@click.option("--to", "to", type=click.Choice(_FORMATS), help="As what.  [default: by the ending of FILE]")
@paragraphs_option
@click.option("--title", default="", help="Of the book.  [default: what stands before the text]")
@click.option("--author", default="", help="Of the book.  [default: what stands before the text]")
@click.option(
    "--language", metavar="TAG", default="", help="Such as en or pt-BR.  [default: what stands before the text]"
)
@click.option("--check", is_flag=True, help="Say what would be left out, and write nothing.")
@click.option("--force", is_flag=True, help="Overwrite FILE.")
@json_option
def command(
    file: str,
    output: str,
    to: str | None,
    paragraphs: str | None,
    title: str,
    author: str,
    language: str,
    check: bool,
    force: bool,
    as_json: bool,
) -> int:
    """Write a text as a Word document, a book, a page or plain text.

    What is left out of it is said on stderr, a line each. TEXT.md may be - for stdin.
    """
    from billy_mlx.manuscript.formats.exporting import Format, book_of, export, left_out, paragraphs_of_manuscript
    from billy_mlx.manuscript.formats.paragraphs import Paragraphs
    from billy_mlx.manuscript.formats.plain_in import said_of
    from billy_mlx.manuscript.prose import UNKNOWN, Prose

    require_stdout(output, as_json=as_json and not check)
    suffix = to or Path(output).suffix.lower().removeprefix(".")
    if suffix not in _FORMATS:
        raise UsageError(f"nothing says as what to write it; give --to, of {', '.join(_FORMATS)}")
    text, date = _read(file)
    book = replace(book_of(text, title=title, author=author, language=language), date=date)
    format = Format(suffix)
    notes = list(left_out(text, format))
    found = paragraphs_of_manuscript(text)
    if paragraphs is None and format is not Format.MARKDOWN and not found.certain:
        notes.append(said_of(found))
    way = Paragraphs(paragraphs) if paragraphs is not None else found.way
    written = None
    if not check:
        content = export(Prose.by(UNKNOWN, text), format, book, way=way)[str(format)]
        written = put_out_file(content, output, force=force)
    if as_json:
        write_json({"file": written, "format": suffix, "paragraphs": str(way), "notes": notes})
    for note in notes:
        say(note)
    if written is not None and written != "-":
        say(f"{written} is written")
    return 0


def _read(file: str) -> tuple[str, datetime]:
    """Return a text and when it was last changed; of stdin, that nobody knows."""
    from billy_mlx.manuscript.formats.book import NO_DATE
    from billy_mlx.manuscript.textfile import read_text_file, text_of

    if file == "-":
        return text_of(sys.stdin.buffer.read(), Path("stdin")), NO_DATE
    path = Path(file)
    read = read_text_file(path)
    if read is None:
        raise ManuscriptError(f"there is no {sanitize(file)}; give the path of a text")
    return read.text, datetime.fromtimestamp(read.stamp.modified_ns / 1e9, UTC)
