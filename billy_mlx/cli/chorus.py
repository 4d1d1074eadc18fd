"""billy chorus: several voices go on with a manuscript, each from the same place."""

import secrets
from pathlib import Path

import click

from billy_mlx.cli.blend_options import Overrides, voices_options, wanted_blends
from billy_mlx.cli.contexts import show_context
from billy_mlx.cli.drafting import Order, Session
from billy_mlx.cli.manuscript_options import at_option, file_argument, length_option, words_option, writing_options
from billy_mlx.cli.manuscripts import opened
from billy_mlx.cli.options import SEEDS
from billy_mlx.cli.outcome import report, take
from billy_mlx.cli.places import cursor_at
from billy_mlx.cli.voices import show
from billy_mlx.errors import UsageError
from billy_mlx.write.desk import MOST_VOICES
from billy_mlx.write.messages import Writing

_EXAMPLES = """\b
billy chorus novel.md --voice noir --voice gothic --compare
billy chorus novel.md --voice noir --voice gothic:0.5+lyrical:0.5 --seed 7 --take 2
"""


@click.command("chorus", epilog=_EXAMPLES)
@file_argument
@at_option
@voices_options
@words_option
@length_option
@click.option("--take", "taken", metavar="N", type=click.IntRange(1), help="Put the N-th into FILE; 1 is the first.")
@writing_options
@click.pass_context
def command(
    context: click.Context,
    /,
    file: Path,
    at: str,
    voices: tuple[str, ...],
    compare: bool,
    dose: str | None,
    mode: str | None,
    layers: str | None,
    positions: str | None,
    words: int,
    max_tokens: int | None,
    taken: int | None,
    instruct: str,
    model: str | None,
    seed: int | None,
    budget: int,
    reading_seconds: float,
    dry_run: bool,
    as_json: bool,
    **sampling: float,
) -> int:
    """Go on with the text in FILE in two to six voices at once, and compare them.

    They are alternatives of one draft, which stays open for the studio: with --take, one of them goes into FILE.
    Ctrl+C ends them where they are.
    """
    blends = wanted_blends(context, None, voices, compare, Overrides(dose, mode, layers, positions))
    if not 2 <= len(blends) <= MOST_VOICES:
        raise UsageError(
            f"a chorus has 2 to {MOST_VOICES} voices: name each with --voice; --compare adds the unsteered model"
        )
    if taken is not None and taken > len(blends):
        raise UsageError(f"--take {taken} is not one of the {len(blends)} voices")
    order = Order(
        blends=blends,
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
        draft = session.write(session.continuation(cursor), aloud=False)
        if not as_json:
            show(session.rows(draft))
        if taken is not None:
            take(session, draft, taken - 1)
        return report(session, draft, as_json=as_json)
