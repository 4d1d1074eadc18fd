"""The flags of the commands that have a model write for a manuscript."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from billy_mlx.cli.options import (
    Decorator,
    count_option,
    json_option,
    model_option,
    seed_option,
    template_option,
    utf8_text,
)
from billy_mlx.cli.sampling_options import sampling_options
from billy_mlx.write.messages import READING_SECONDS

file_argument: Decorator = click.argument(
    "file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
at_option: Decorator = click.option(
    "--at",
    metavar="PLACE",
    default="end",
    show_default=True,
    help="Where to write: end, a LINE (its end), or LINE:COLUMN, counted from 1.",
)
words_option: Decorator = count_option("-w", "--words", default=150, text="How long at most, in words.")
length_option: Decorator = count_option(
    "-m", "--max-tokens", default=None, text="How long at most in tokens, in place of words."
)
draft_option: Decorator = click.option(
    "--draft", "as_draft", is_flag=True, help="Leave it as an open draft for the studio; FILE stays as it is."
)
_OPTIONS: list[Decorator] = [
    click.option("--instruct", metavar="TEXT", default="", callback=utf8_text, help="What you want of it."),
    model_option,
    template_option,
    seed_option(None, "Write the same again.  [default: a new one]"),
    count_option("--context", "budget", default=0, least=0, text="Tokens the model is sent at most; 0: what it can."),
    click.option(
        "--reading-seconds",
        metavar="SECONDS",
        type=click.FloatRange(1, 3600),
        default=READING_SECONDS,
        show_default=True,
        help="How long it may read before it writes, which decides how much it is sent.",
    ),
    click.option("--dry-run", is_flag=True, help="Show what the model would be sent, and write nothing."),
    json_option,
    sampling_options,
]


def writing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give `command` what says how a model is to write."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
