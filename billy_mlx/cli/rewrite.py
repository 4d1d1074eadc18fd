"""billy rewrite: a model writes a passage of a manuscript anew."""

import secrets
from pathlib import Path

import click

from billy_mlx.cli.blend_options import Overrides, one_blend_options, wanted_blends
from billy_mlx.cli.contexts import show_context
from billy_mlx.cli.drafting import Order, Session
from billy_mlx.cli.manuscript_options import draft_option, file_argument, writing_options
from billy_mlx.cli.manuscripts import opened
from billy_mlx.cli.options import SEEDS, utf8_text
from billy_mlx.cli.outcome import report, take
from billy_mlx.cli.places import passage_at
from billy_mlx.write.messages import Writing

_EXAMPLES = """\b
billy rewrite novel.md --lines 3-5 --blend noir
billy rewrite novel.md --find "It was raining." --instruct "more slowly" --draft
"""


@click.command("rewrite", epilog=_EXAMPLES)
@file_argument
@click.option("--lines", metavar="N-N", help="The lines to write anew, from 1: 3-5, or 3.")
@click.option("--find", metavar="TEXT", callback=utf8_text, help="Or the words to write anew, which stand there once.")
@one_blend_options
@draft_option
@writing_options
@click.pass_context
def command(
    context: click.Context,
    /,
    file: Path,
    lines: str | None,
    find: str | None,
    blend: str | None,
    dose: str | None,
    mode: str | None,
    layers: str | None,
    positions: str | None,
    as_draft: bool,
    instruct: str,
    model: str | None,
    seed: int | None,
    budget: int,
    reading_seconds: float,
    dry_run: bool,
    as_json: bool,
    **sampling: float,
) -> int:
    """Write a passage of FILE anew, in one voice.

    It may become twice as long. What is written comes to stdout and takes the passage's place in FILE, as one step
    that the studio can undo. Ctrl+C ends it, and leaves what there is as an open draft: FILE stays as it is.
    """
    order = Order(
        blends=wanted_blends(context, blend, (), False, Overrides(dose, mode, layers, positions)),
        model=model,
        seed=secrets.randbelow(SEEDS) if seed is None else seed,
        instruction=instruct,
        writing=Writing(sampling, budget=budget, reading_seconds=reading_seconds),
    )
    with opened(file, to_write=not dry_run) as manuscript:
        start, end = passage_at(manuscript.text, lines, find)
        session = Session(manuscript, order)
        if dry_run:
            return show_context(session.context(start, (start, end)), as_json=as_json)
        draft = session.write(session.rewrite(start, end), aloud=not as_json)
        if not as_draft:
            take(session, draft)
        return report(session, draft, as_json=as_json)
