"""billy stats: what was counted over all texts."""

from dataclasses import asdict
from typing import Any

import click

from billy_mlx.cli.options import json_option
from billy_mlx.cli.output import say, write_json, write_line, write_table
from billy_mlx.errors import UsageError
from billy_mlx.jsonl import Sound
from billy_mlx.manuscript.choices import Choice, Tally, choices_file, read_choices, tallies

_EXAMPLES = """\b
billy stats --voices
billy stats --voices --json
"""
_FOUND = 0.05
_MOST_SAID = 1000  # more choices than this nobody makes


@click.command("stats", epilog=_EXAMPLES)
@click.option("--voices", is_flag=True, help="How often each voice was kept, and how often the model alone.")
@json_option
def command(voices: bool, as_json: bool) -> None:
    """Say which voices you prefer to the model alone, by your blind choices.

    Only choices without names count: `billy chorus FILE --voice noir --blind`, or a blind chorus in the studio. SHARE
    is that of the voice among the choices in which it or the model alone was kept, and 95 % where it may well lie.
    """
    if not voices:
        raise UsageError("say what to count: billy stats --voices")
    read = read_choices()
    rows = tallies(read.lines)
    if as_json:
        write_json([_document(row) for row in rows])
    elif rows:
        write_table(("VOICE", "OFFERED", "KEPT", "ALONE KEPT", "SHARE", "95 %", "MODEL"), _cells(rows))
        write_line()
        several = len({row.model for row in rows}) > 1
        for row in rows:
            write_line(f"{row.voice}{f' with {row.model}' if several else ''}: {verdict(row)}.")
    _say_of(read, rows)


def verdict(tally: Tally) -> str:
    """Return what a voice's choices say, as a clause without a full stop."""
    from billy_mlx.measure.statistics import decisions_needed, sign_test_p

    kept, decided = tally.kept, tally.decided
    if decided == 0:
        return "cannot be told yet; neither was kept so far"
    if sign_test_p(kept, decided) <= _FOUND:
        return f"kept {'more' if 2 * kept > decided else 'less'} often than the model alone"
    needed = decisions_needed(kept, decided)
    if needed is None or needed > _MOST_SAID:
        return "cannot be told yet; so far as often as the model alone"
    more = max(1, needed - decided)
    return f"cannot be told yet; about {more} more choice{'s are' if more > 1 else ' is'} needed"


def _document(tally: Tally) -> dict[str, Any]:
    from billy_mlx.measure.statistics import sign_test_p, wilson_interval

    low, high = wilson_interval(tally.kept, tally.decided)
    return asdict(tally) | {
        "decided": tally.decided,
        "share": tally.kept / tally.decided if tally.decided else None,
        "low": low,
        "high": high,
        "p": sign_test_p(tally.kept, tally.decided),
        "verdict": verdict(tally),
    }


def _cells(rows: list[Tally]) -> list[tuple[str, ...]]:
    from billy_mlx.measure.statistics import wilson_interval

    cells = []
    for row in rows:
        low, high = wilson_interval(row.kept, row.decided)
        share = f"{row.kept / row.decided:.0%}" if row.decided else "–"
        between = f"{low:.0%} to {high:.0%}" if row.decided else "–"
        counts = (row.offered, row.kept, row.alone_kept)
        cells.append((row.voice, *map(str, counts), share, between, row.model))
    return cells


def _say_of(read: Sound[Choice], rows: list[Tally]) -> None:
    """Say how to begin, if nothing was counted yet, and what of the file was left out."""
    if not rows:
        say("no blind choice is kept yet; to make one, run: billy chorus FILE --voice noir --blind")
    if read.damaged:
        lines = f"{read.damaged} line{'s' * (read.damaged != 1)}"
        say(f"{lines} of {choices_file()} cannot be read and {'do' if read.damaged > 1 else 'does'} not count")
    if read.cut:
        say(f"{choices_file()} is very long; only its newest choices count")
