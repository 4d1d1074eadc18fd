"""What importing and exporting share: how paragraphs are told apart, and a file that is put out."""

import sys
from pathlib import Path

import click

from billy_mlx.cli.options import Decorator
from billy_mlx.errors import DocumentError, UsageError
from billy_mlx.files import replace_file
from billy_mlx.text import sanitize

paragraphs_option: Decorator = click.option(
    "--paragraphs",
    type=click.Choice(["blank", "line", "indent", "wrapped"]),
    help="What tells paragraphs apart: blank lines, each line, indents, or blank lines where lines are broken by hand."
    "  [default: found out]",
)


def require_stdout(output: str, *, as_json: bool) -> None:
    """Raise UsageError if what is written and a document about it would both go to stdout."""
    if output == "-" and as_json:
        raise UsageError("--json and -o - are both for stdout; give a file for one, or leave out --json")


def put_out_file(content: bytes, output: str, *, force: bool) -> str:
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
