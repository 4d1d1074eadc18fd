"""billy rewrite: a model writes a passage of a manuscript anew."""

import secrets
from pathlib import Path

import click

from billy_mlx.cli.blend_options import Overrides, one_blend_options, wanted_blends
from billy_mlx.cli.contexts import show_context
from billy_mlx.cli.drafting import Order, Session
from billy_mlx.cli.manuscript_options import file_argument, writing_options
from billy_mlx.cli.manuscripts import opened
from billy_mlx.cli.options import SEEDS, count_option, utf8_text
from billy_mlx.cli.outcome import report, take
from billy_mlx.cli.places import passage_at
from billy_mlx.write.messages import Writing

_EXAMPLES = """\b
billy rewrite novel.md --lines 3-5 --blend noir
billy rewrite novel.md --find "It was raining." --instruct "more slowly" --apply
"""


@click.command("rewrite", epilog=_EXAMPLES)
@file_argument
@click.option("--lines", metavar="N-N", help="The lines to write anew, from 1: 3-5, or 3.")
@click.option("--find", metavar="TEXT", callback=utf8_text, help="Or the words to write anew, which stand there once.")
@one_blend_options
@count_option("-m", "--max-tokens", default=None, text="How long at most.  [default: about twice the passage]")
@click.option(
    "--apply/--draft",
    "at_once",
    help="Put it into FILE at once, or leave it as an open draft for the studio.  [default: draft]",
)
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
    max_tokens: int | None,
    at_once: bool,
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

    What is written comes to stdout, and is an open draft in which the studio shows what it would change: FILE stays
    as it is. With --apply it takes the passage's place in FILE, as one step that the studio can undo; half of one, as
    after Ctrl+C, does not.
    """
    order = Order(
        blends=wanted_blends(context, blend, (), False, Overrides(dose, mode, layers, positions)),
        model=model,
        seed=secrets.randbelow(SEEDS) if seed is None else seed,
        instruction=instruct,
        writing=Writing(sampling, budget=budget, reading_seconds=reading_seconds, rewrite_tokens=max_tokens),
    )
    with opened(file, to_write=not dry_run) as manuscript:
        start, end = passage_at(manuscript.text, lines, find)
        session = Session(manuscript, order)
        if dry_run:
            return show_context(session.context(start, (start, end)), as_json=as_json)
        draft = session.write(session.rewrite(start, end), aloud=not as_json)
        if at_once:
            take(session, draft)
        return report(session, draft, as_json=as_json)
