"""billy import: a document of another program as a text of one's own."""

import shlex
import sys
from pathlib import Path

import click

from billy_mlx.cli.documents import paragraphs_option, put_out_file, require_stdout
from billy_mlx.cli.options import json_option
from billy_mlx.cli.output import say, write_json
from billy_mlx.errors import DocumentError, UsageError
from billy_mlx.text import sanitize

_EXAMPLES = """\b
billy import novel.docx -o novel.md
billy import notes.txt --paragraphs line -o notes.md
billy import old.docx --check
"""


@click.command("import", epilog=_EXAMPLES)
@click.argument("file", metavar="FILE")
@click.option("-o", "--output", metavar="TEXT.md", help="Where to write the text; - is stdout.")
@paragraphs_option
@click.option("--check", is_flag=True, help="Say what would be left out, and write nothing.")
@click.option("--force", is_flag=True, help="Overwrite TEXT.md.")
@json_option
def command(file: str, output: str | None, paragraphs: str | None, check: bool, force: bool, as_json: bool) -> int:
    """Make a Markdown text of a Word document, plain text or Markdown.

    What is left out, and what was guessed, is said on stderr, a line each, before anything is written. FILE may be -
    for stdin.
    """
    require_stdout(output or "", as_json=as_json and not check)
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
    written = None if check or output is None else put_out_file(content, output, force=force)
    if as_json:
        write_json({"file": written, "notes": list(document.notes)})
    if written is not None and written != "-":
        say(f"{written} is written; to go on with it run: billy write {shlex.quote(written)}")
    return 0
