"""billy continue: a model goes on with a manuscript."""

import secrets
from pathlib import Path

import click

from billy_mlx.cli.blend_options import Overrides, one_blend_options, wanted_blends
from billy_mlx.cli.contexts import show_context
from billy_mlx.cli.drafting import Order, Session
from billy_mlx.cli.manuscript_options import (
    at_option,
    draft_option,
    file_argument,
    length_option,
    words_option,
    writing_options,
)
from billy_mlx.cli.manuscripts import opened
from billy_mlx.cli.options import SEEDS
from billy_mlx.cli.outcome import report, take
from billy_mlx.cli.places import cursor_at
from billy_mlx.write.messages import Writing

_EXAMPLES = """\b
billy continue novel.md --blend noir:0.6+lyrical:0.4
billy continue novel.md --at 12 --instruct "make her leave" --draft
"""


@click.command("continue", epilog=_EXAMPLES)
@file_argument
@at_option
@one_blend_options
@words_option
@length_option
@draft_option
@writing_options
@click.pass_context
def command(
    context: click.Context,
    /,
    file: Path,
    at: str,
    blend: str | None,
    dose: str | None,
    mode: str | None,
    layers: str | None,
    positions: str | None,
    words: int,
    max_tokens: int | None,
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
    """Go on with the text in FILE, in one voice.

    What is written comes to stdout and goes into FILE, as one step that the studio can undo. Ctrl+C ends it where it
    is and keeps that.
    """
    order = Order(
        blends=wanted_blends(context, blend, (), False, Overrides(dose, mode, layers, positions)),
        model=model,
        seed=secrets.randbelow(SEEDS) if seed is None else seed,
        instruction=instruct,
        writing=Writing(sampling, max_tokens or 0, budget, reading_seconds, words=0 if max_tokens else words),
    )
    with opened(file, to_write=not dry_run) as manuscript:
        cursor = cursor_at(manuscript.text, at)
        session = Session(manuscript, order)
        if dry_run:
            return show_context(session.context(cursor), as_json=as_json)
        draft = session.write(session.continuation(cursor), aloud=not as_json)
        if not as_draft:
            take(session, draft)
        return report(session, draft, as_json=as_json)
