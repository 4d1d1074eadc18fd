"""billy write, and bare billy: the studio."""

import contextlib
import os
import shlex
import sys
from typing import NoReturn

import click

from billy_mlx.cli.options import model_option
from billy_mlx.cli.output import say
from billy_mlx.errors import ManuscriptError, UsageError
from billy_mlx.paths import expanded
from billy_mlx.text import sanitize


@click.command("write")
@click.argument("file", metavar="[FILE.md]", required=False)
@model_option
def command(file: str | None, model: str | None) -> None:
    """Open the studio: write with a blend of voices.

    FILE need not be there yet; NAME alone is NAME.md then. Without it, the studio shows the texts you wrote last.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "the studio needs a terminal; without one use: billy continue, billy rewrite, billy chorus or billy read"
        )
    from billy_mlx.manuscript.textfile import meant, of_another_program
    from billy_mlx.tui.app import run

    path = None if file is None else meant(expanded(file))
    kind = None if path is None else of_another_program(path)
    if path is not None and kind is not None:
        own = shlex.quote(str(path.with_suffix(".md")))
        into = f"run: billy import {shlex.quote(str(path))} -o {own}" if path.exists() else f"run: billy write {own}"
        raise UsageError(f"{sanitize(str(path))} would be {kind}, and texts here are Markdown; {into}")
    try:
        code = run(path, model=model)
    except ManuscriptError as error:  # the screen is gone, so that this can be read
        with contextlib.suppress(OSError):
            say(str(error))
        _leave(error.exit_code)
    _leave(code)


def _leave(code: int) -> NoReturn:
    """End the process at once: the text is closed, and the terminal given back.

    What is left is to take MLX apart and to wait for a model that is half loaded, which is as long again as all the
    rest and does not always end: the system does it at once.
    """
    with contextlib.suppress(OSError):  # the terminal may be gone
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
