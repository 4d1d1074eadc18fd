"""billy continue, rewrite and chorus: a model writes in a manuscript, without the studio."""

from pathlib import Path

import click

from billy_mlx.cli.blind import choose, offer
from billy_mlx.cli.open_file import cursor_at, passage_at
from billy_mlx.cli.options import (
    count_option,
    file_argument,
    is_typed,
    json_option,
    model_option,
    new_seed_option,
    option_group,
    template_option,
    utf8_text,
)
from billy_mlx.cli.order import one_blend_options, sampling_options, voices_options, with_order
from billy_mlx.cli.writing import ManuscriptOrder, run
from billy_mlx.errors import UsageError
from billy_mlx.write.drafting_session import MOST_VOICES
from billy_mlx.write.messages import READING_SECONDS

_CONTINUE_EXAMPLES = """\b
billy continue novel.md --blend noir:0.6+lyrical:0.4
billy continue novel.md --at 12 --instruct "make her leave" --draft
"""
_REWRITE_EXAMPLES = """\b
billy rewrite novel.md --lines 3-5 --blend noir
billy rewrite novel.md --find "It was raining." --instruct "more slowly" --apply
"""
_CHORUS_EXAMPLES = """\b
billy chorus novel.md --voice noir --voice gothic --compare
billy chorus novel.md --voice noir --voice gothic:0.5+lyrical:0.5 --seed 7 --take 2
billy chorus novel.md --voice noir --blind
billy chorus novel.md --blind --take 1
"""

_at_option = click.option(
    "--at",
    metavar="PLACE",
    default="end",
    show_default=True,
    help="Where to write: end, a LINE (its end), or LINE:COLUMN, counted from 1.",
)
_length_options = option_group(
    count_option("-w", "--words", default=150, text="How long at most, in words."),
    count_option("-m", "--max-tokens", default=None, text="How long at most in tokens, in place of words."),
)
_writing_options = option_group(
    click.option("--instruct", metavar="TEXT", default="", callback=utf8_text, help="What you want of it."),
    model_option,
    template_option,
    new_seed_option,
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
)


@click.command("continue", epilog=_CONTINUE_EXAMPLES)
@file_argument
@_at_option
@one_blend_options
@_length_options
@click.option(
    "--draft", "as_draft", is_flag=True, help="Leave it as an open draft for the studio; FILE stays as it is."
)
@_writing_options
@with_order(ManuscriptOrder)
def continue_(order: ManuscriptOrder, file: Path, at: str, as_draft: bool) -> int:
    """Continue the text in FILE, in one voice.

    What is written comes to stdout and goes into FILE, as one step that the studio can undo. Ctrl+C ends it where it
    is and keeps that.
    """
    return run(order, file, lambda text: cursor_at(text, at), taken=None if as_draft else 0)


@click.command("rewrite", epilog=_REWRITE_EXAMPLES)
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
@_writing_options
@with_order(ManuscriptOrder)
def rewrite(order: ManuscriptOrder, file: Path, lines: str | None, find: str | None, at_once: bool) -> int:
    """Write a passage of FILE anew, in one voice.

    What is written comes to stdout, and is an open draft in which the studio shows what it would change: FILE stays
    as it is. With --apply it takes the passage's place in FILE, as one step that the studio can undo; half of one, as
    after Ctrl+C, does not.
    """
    return run(order, file, lambda text: passage_at(text, lines, find), taken=0 if at_once else None)


@click.command("chorus", epilog=_CHORUS_EXAMPLES)
@file_argument
@_at_option
@voices_options
@_length_options
@click.option(
    "--take",
    "taken",
    metavar="N",
    type=click.IntRange(0),
    help="Put the N-th into FILE; 1 is the first, and 0, with --blind, none.",
)
@click.option(
    "--blind",
    is_flag=True,
    help="Show drafts without names, the model alone among them; then choose by --blind --take.",
)
@_writing_options
@with_order(ManuscriptOrder)
@click.pass_context
def chorus(
    context: click.Context, /, order: ManuscriptOrder, file: Path, at: str, taken: int | None, blind: bool
) -> int:
    """Continue the text in FILE in two to six voices at once, and compare them.

    They are alternatives of one draft, which stays open for the studio: with --take, one of them goes into FILE.
    Ctrl+C ends them where they are.

    With --blind nothing says which voice wrote which, until one is taken by a second call. How often each voice was
    kept, and how often the model alone, is in `billy stats --voices`.
    """
    if not blind:
        _check_chorus(len(order.blends), taken)
        return run(order, file, lambda text: cursor_at(text, at), taken=None if taken is None else taken - 1)
    if taken is None:
        return offer(order, file, lambda text: cursor_at(text, at))
    if is_typed(context, "voices") or is_typed(context, "compare"):
        raise UsageError("--take chooses among drafts that you have read; leave it out to have voices write, or them")
    return choose(file, taken, as_json=order.as_json)


def _check_chorus(voices: int, taken: int | None) -> None:
    if not 2 <= voices <= MOST_VOICES:
        raise UsageError(
            f"a chorus has 2 to {MOST_VOICES} voices: name each with --voice; --compare adds the unsteered model"
        )
    if taken is not None and not 1 <= taken <= voices:
        raise UsageError(f"--take {taken} is not one of the {voices} voices")
