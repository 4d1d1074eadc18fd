"""billy replay: can what a model wrote in a text be made again, and does it come out the same?"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from billy_mlx.cli.loading import load_model
from billy_mlx.cli.open_file import line_of, opened
from billy_mlx.cli.options import count_option, file_argument, json_option, model_option
from billy_mlx.cli.output import STOPPED, on_interrupt, progress, say, waiting, write_json, write_line, write_table
from billy_mlx.manuscript.chronicle import begun, when_written
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.passage import Passage
from billy_mlx.manuscript.provenance import voice_of

if TYPE_CHECKING:
    from billy_mlx.model.model import Model

_EXAMPLES = """\b
billy replay novel.md --dry-run
billy replay novel.md --last 3
"""
_NOT_RECORDED = "it is not recorded how it was written"


@dataclass(frozen=True)
class Report:
    """What is known of one passage.

    Attributes:
        number: the passage's own.
        lines: those in which parts of it begin, from 1.
        text: what of it stands in the file.
        voice: its blends in the order they spoke.
        tokens: how many it has.
        possible: it can be written again.
        equal: it came out the same, token for token; None if it was not written to its end.
        written: how many tokens were written again.
        reason: why it cannot be written again, or differs.
        passage: how it was made.
    """

    number: int
    lines: tuple[int, ...]
    text: str
    voice: str | None = None
    model: str | None = None
    date: str | None = None
    tokens: int = 0
    possible: bool = False
    equal: bool | None = None
    written: int = 0
    reason: str | None = _NOT_RECORDED
    passage: Passage | None = field(default=None, repr=False)


@click.command("replay", epilog=_EXAMPLES)
@file_argument
@count_option("--last", default=None, text="Only the last N that were written.  [default: all]")
@count_option("-m", "--max-tokens", default=None, text="How much of each at most.  [default: all of it]")
@click.option("--dry-run", is_flag=True, help="Only say which can be made again; no model is loaded.")
@model_option
@json_option
def command(
    file: Path, last: int | None, max_tokens: int | None, dry_run: bool, model: str | None, as_json: bool
) -> int:
    """Make what a model wrote in FILE again, and say whether it is the same.

    For each passage it says where it stands, which voice wrote it and when. FILE stays as it is. Ctrl+C ends it, and
    puts out what is known by then.
    """
    with opened(file) as manuscript:
        reports = _found(manuscript)
    newest = {one.number for one in sorted(reports, key=lambda one: one.number)[-last:]} if last else None
    reports = [one for one in reports if newest is None or one.number in newest]
    if not reports:
        say(f"no model has written anything in {file}")
    reports, stopped = _tried(reports, model, max_tokens, dry_run=dry_run)
    if as_json:
        write_json([_document(one) for one in reports])
    elif reports:
        _write(reports)
    if stopped:
        say("stopped by you")
    return STOPPED if stopped else 0


def _found(manuscript: Manuscript) -> list[Report]:
    """Return what is known of each passage in a text, in the order of their places."""
    found: dict[int, Report] = {}
    text, passages = manuscript.text, manuscript.passages
    for span in manuscript.prose.authors.spans():
        if span.author <= 0:
            continue
        report = found.get(span.author) or _report(span.author, passages.get(span.author))
        lines = dict.fromkeys((*report.lines, line_of(text, span.start)))
        found[span.author] = replace(report, lines=tuple(lines), text=report.text + text[span.start : span.end])
    return [*found.values()]


def _report(number: int, passage: Passage | None) -> Report:
    if passage is None:
        return Report(number, (), "")
    voice, date = voice_of(passage), passage.date or None
    return Report(number, (), "", voice, passage.model, date, len(passage.tokens), reason=None, passage=passage)


def _tried(
    reports: Sequence[Report], model: str | None, most: int | None, *, dry_run: bool
) -> tuple[list[Report], bool]:
    """Return what can be made again, and how that came out; and whether Ctrl+C ended it."""
    if not any(one.passage is not None for one in reports):
        return [*reports], False
    from billy_mlx.model.load import default_name, identify

    name = default_name() if model is None else model
    with waiting(f"Looking at {name} ..."):
        reports = _checked(reports, *identify(name))
    if dry_run or not any(one.possible for one in reports):
        return [*reports], False
    return _again(load_model(name), reports, most)


def _checked(reports: Sequence[Report], model_id: str, fingerprint: Any) -> list[Report]:
    from billy_mlx.write.replay import hindrance

    def checked(one: Report, passage: Passage) -> Report:
        reason = hindrance(passage, model_id, fingerprint)
        return replace(one, possible=reason is None, reason=reason)

    return [one if one.passage is None else checked(one, one.passage) for one in reports]


def _again(model: "Model", reports: Sequence[Report], most: int | None) -> tuple[list[Report], bool]:
    """Return what came of writing passages again, and whether Ctrl+C ended it."""
    done, asked_to_stop = [*reports], list[bool]()
    wanted = [(place, one.passage) for place, one in enumerate(reports) if one.passage is not None and one.possible]
    total = sum(min(len(passage.tokens), most or len(passage.tokens)) for _, passage in wanted)
    with (
        on_interrupt(lambda: asked_to_stop.append(True)),
        progress("Writing again", unit=" tokens", total=total) as bar,
    ):
        for place, passage in wanted:
            one = _written(model, reports[place], passage, most, lambda: bool(asked_to_stop), bar.update)
            done[place] = one
            if asked_to_stop:
                break
    return done, bool(asked_to_stop)


def _written(
    model: "Model",
    report: Report,
    passage: Passage,
    most: int | None,
    is_over: Callable[[], bool],
    tell: Callable[[], object],
) -> Report:
    """Return what came of writing one passage again, as far as one is let."""
    from billy_mlx.write.replay import replay

    steps, count = replay(model, passage), 0
    while True:
        if is_over() or (count == most and count < len(passage.tokens)):
            steps.close()
            return replace(report, written=count)
        try:
            count = next(steps)
        except StopIteration as ended:
            result = ended.value
            possible = bool(result.tokens) or result.reason is None
            equal = result.reason is None if possible else None
            return replace(report, possible=possible, equal=equal, written=count, reason=result.reason)
        tell()


def _write(reports: Sequence[Report]) -> None:
    write_table(("LINE", "AGAIN", "WRITTEN", "TOKENS", "VOICE", "PASSAGE"), list(_rows(reports)))
    for one in reports:
        if one.reason is not None:
            write_line(f"line {one.lines[0]}: {one.reason}")


def _rows(reports: Sequence[Report]) -> Iterator[tuple[str, ...]]:
    now = time.time()
    for one in reports:
        lines = ", ".join(map(str, one.lines[:3])) + ("…" if len(one.lines) > 3 else "")
        date = when_written(one.date or "", now)
        yield lines, _again_in_words(one), date, str(one.tokens or ""), one.voice or "", begun(one.text)


def _again_in_words(one: Report) -> str:
    if one.equal is None:
        if one.written:
            return f"the same for {one.written}"
        return "yes" if one.possible else "no"
    return "the same" if one.equal else "differs"


def _document(one: Report) -> dict[str, Any]:
    document = asdict(replace(one, passage=None))
    del document["passage"]
    return document
