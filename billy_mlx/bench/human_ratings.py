"""People's ratings of ideas: a shuffled CSV that hides which arm each is from, and what they wrote in it.

The ratings stand beside the judge's scores, with how far each person agrees with the judge and with the others.
"""

import csv
import hashlib
import io
import random
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import msgspec

from billy_mlx.bench.comparisons import Pairs, agreement
from billy_mlx.bench.equal_length import AnswerText, Content, mean_of
from billy_mlx.bench.ideas import split_ideas
from billy_mlx.bench.metrics import human_metric, judge_metric
from billy_mlx.bench.result import Estimate, Reliability, ScoredAnswer
from billy_mlx.bench.store import Answer, Store
from billy_mlx.bench.tasks import Item, load_tasks
from billy_mlx.errors import BillyError, UsageError
from billy_mlx.files import write_atomically
from billy_mlx.jsonl import DAMAGED
from billy_mlx.text import sanitize

RATED = ("originality", "elaboration")
LEAST, MOST = 1, 5
_COLUMNS = ("id", "task", "idea", *RATED)
_KEY = "blind-key.json"  # in the run's folder
# What a spreadsheet may take for a formula when a cell begins with it; the apostrophe so that it can be undone.
_FORMULA = ("=", "+", "-", "@", "'")


class IdeaKey(NamedTuple):
    """Which idea it is; `number` counts from 0 in the order of the answer."""

    arm: str
    item: str
    seed: int
    number: int


@dataclass(frozen=True)
class Ratings:
    """What one person wrote, from 1 to 5; ideas left empty are not in it."""

    rater: str
    originality: Mapping[IdeaKey, float]
    elaboration: Mapping[IdeaKey, float]


def write_blind(store: Store, items: Sequence[Item], path: Path, *, arms: Collection[str] | None = None) -> int:
    """Write one row for each idea that `arms` (None: all) had for `items`, and return how many.

    The order comes from the run's seed. Nothing in the file tells the arm; the key to it stays in the run's folder.
    An idea has the same id in every file of a run, so a file written before more answers came can still be read.

    Raises:
        BillyError: there are no ideas, or a file cannot be written.
    """
    prompts = {item.id: item.prompt for item in items}
    answers = [answer for answer in store.answers if answer.item in prompts and (arms is None or answer.arm in arms)]
    ideas = {_id_of(entry, store.settings.seed): entry for entry in _ideas_of(answers)}
    if not ideas:
        raise BillyError(f"{store.folder} has no ideas to rate; write some first: billy bench run")
    order = sorted(ideas)
    random.Random(store.settings.seed).shuffle(order)
    rows = [(id, _defused(prompts[ideas[id].key.item]), _defused(ideas[id].text), "", "") for id in order]
    write_atomically(store.folder / _KEY, msgspec.json.encode(_read_key(store.folder) | ideas))
    write_atomically(path, _as_csv([_COLUMNS, *rows]))
    return len(rows)


def read_ratings(path: Path, store: Store, *, rater: str | None = None) -> Ratings:
    """Return what a person wrote in a file of `write_blind`, as any spreadsheet may have saved it.

    Rows may be in another order or gone, cells empty, and the separator a semicolon or a tab.

    Args:
        path: the file.
        store: the run whose ideas it holds.
        rater: the person's name; by default the file's, without its ending.

    Raises:
        UsageError: the file or a cell in it cannot be used; the text names the row and the column.
    """
    ideas = _read_key(store.folder)
    owners = {_bare(entry.text): id for id, entry in ideas.items()}
    found: dict[str, dict[IdeaKey, float]] = {column: {} for column in RATED}
    rows: dict[str, int] = {}
    for row, cells in _rows(path):
        place, id = f"{path.name}, row {row}", cells["id"].strip()
        if id not in ideas:
            raise UsageError(f'{place}, column id: no idea of this run has the id "{id}"; take the file written for it')
        if id in rows:
            raise UsageError(f'{place}, column id: "{id}" stands in row {rows[id]} as well; keep one of the two')
        rows[id] = row
        beside = _bare(_restored(cells["idea"]))
        if beside != _bare(ideas[id].text) and beside in owners:  # a spelling corrected in passing does no harm
            raise UsageError(
                f'{place}, column idea: this is not the idea of "{id}" but of "{owners[beside]}"; '
                "sort whole rows, not a column by itself"
            )
        for column in RATED:
            score = _score(cells[column], f"{place}, column {column}")
            if score is not None:
                found[column][ideas[id].key] = score
    return Ratings(path.stem if rater is None else rater, found["originality"], found["elaboration"])


def add_ratings(
    scored: Sequence[ScoredAnswer], subjects: Sequence[AnswerText], ratings: Iterable[Ratings]
) -> tuple[list[ScoredAnswer], list[Reliability]]:
    """Return the scores with people's ratings beside them, and how each person agrees with the judge and the others.

    Args:
        scored: of the `subjects`, in their order.
        subjects: whose ideas were rated.
        ratings: of each person.
    """
    raters = list(ratings)
    for rater in raters:
        scored = [_rated(score, subject, rater) for score, subject in zip(scored, subjects, strict=True)]
    reliability = [
        _reliability(scored, rater, criterion, len(own), raters)
        for rater in raters
        for criterion, own in _by_criterion(rater)
        if own
    ]
    return list(scored), reliability


@dataclass(frozen=True)
class _Idea:
    key: IdeaKey
    text: str


def _ideas_of(answers: Sequence[Answer]) -> Iterator[_Idea]:
    tasks = load_tasks()
    for answer in answers:
        ideas = split_ideas(answer.text, lists_ideas=tasks[answer.task].lists_ideas)
        for number, text in enumerate(ideas):
            yield _Idea(IdeaKey(answer.arm, answer.item, answer.seed, number), text)


def _id_of(idea: _Idea, seed: int) -> str:
    digest = hashlib.sha256(repr((seed, *idea.key, idea.text)).encode(errors="replace")).hexdigest()
    return f"i{digest[:12]}"  # begins with a letter: a spreadsheet takes 12e45 for a number


def _read_key(folder: Path) -> dict[str, _Idea]:
    try:
        return msgspec.json.decode((folder / _KEY).read_bytes(), type=dict[str, _Idea])
    except FileNotFoundError:
        return {}
    except (OSError, *DAMAGED) as error:
        why = sanitize(str(error))
        raise BillyError(f"{folder / _KEY} cannot be read: {why}; remove it, and run --blind again") from error


def _defused(text: str) -> str:
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def _restored(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].lstrip().startswith(_FORMULA) else cell


def _bare(text: str) -> str:
    return " ".join(text.split())


def _as_csv(rows: Sequence[Sequence[str]]) -> bytes:
    target = io.StringIO(newline="")
    csv.writer(target).writerows(rows)
    return target.getvalue().encode("utf-8-sig", errors="replace")  # without the mark, Excel does not read UTF-8


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number of each row, as a spreadsheet counts them, and its cells by column; empty rows are left out."""
    text = _text_of(path)
    head = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count))
    try:
        columns = [name.strip().lower() for name in next(reader, [])]
        if missing := [name for name in _COLUMNS if name not in columns and name != "task"]:
            raise UsageError(f"{path.name}, row 1: there is no column {missing[0]}; it needs {', '.join(_COLUMNS)}")
        for number, cells in enumerate(reader, 2):
            if any(cell.strip() for cell in cells):
                yield number, dict.fromkeys(columns, "") | dict(zip(columns, cells, strict=False))
    except csv.Error as error:
        raise UsageError(f"{path.name} is not a table: {error}; save it as CSV") from error


def _text_of(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")  # of an older spreadsheet: ids and numbers are the same in it


def _score(cell: str, place: str) -> float | None:
    if not cell.strip():
        return None
    try:
        score = float(cell.strip().replace(",", "."))  # "4,5", where that is how numbers are written
    except ValueError:
        score = 0.0
    if not LEAST <= score <= MOST:
        raise UsageError(f'{place}: "{cell.strip()}" is no number from {LEAST} to {MOST}; correct it or leave it empty')
    return score


def _rated(score: ScoredAnswer, subject: AnswerText, rater: Ratings) -> ScoredAnswer:
    whole = {
        human_metric(rater.rater, of): _mean_rating(subject, subject.whole, own) for of, own in _by_criterion(rater)
    }
    # A piece of writing was rated as a whole: what its beginning would have got is not known.
    beginning = subject.matched if subject.task.lists_ideas else None
    matched = {
        human_metric(rater.rater, of): None if beginning is None else _mean_rating(subject, beginning, own)
        for of, own in _by_criterion(rater)
    }
    return replace(score, values={**score.values, **whole}, matched={**score.matched, **matched})


def _mean_rating(subject: AnswerText, content: Content, ratings: Mapping[IdeaKey, float]) -> float | None:
    answer = subject.answer
    return mean_of(
        ratings.get(IdeaKey(answer.arm, answer.item, answer.seed, number)) for number in range(len(content.ideas))
    )


def _reliability(
    scored: Sequence[ScoredAnswer], rater: Ratings, criterion: str, rated: int, raters: Sequence[Ratings]
) -> Reliability:
    rivals = {"the judge": judge_metric(criterion)}
    rivals |= {other.rater: human_metric(other.rater, criterion) for other in raters if other.rater != rater.rater}
    checks = {}
    for name, metric in rivals.items():
        found = agreement(_pairs(scored, human_metric(rater.rater, criterion), metric))
        if found is not None:
            checks[f"rank correlation with {name}"] = found
    told = f"{rater.rater} rated {rated} ideas for {criterion} without knowing where they are from"
    return Reliability(
        f"human: {rater.rater}, {criterion}", criterion, checks, usable=True, verdict=f"{told}; {_agreeing(checks)}"
    )


def _agreeing(checks: Mapping[str, Estimate]) -> str:
    told = [f"{name} {found.mean:.2f} ({found.low:.2f} to {found.high:.2f})" for name, found in checks.items()]
    return "; ".join(told) or "how far that can be relied on is not known, as too few have scores of anybody else"


def _pairs(scored: Sequence[ScoredAnswer], one: str, other: str) -> Pairs:
    pairs: dict[str, list[tuple[float, float]]] = {}
    for score in scored:
        a, b = score.values.get(one), score.values.get(other)
        if a is not None and b is not None:
            pairs.setdefault(score.item, []).append((a, b))
    return pairs


def _by_criterion(rater: Ratings) -> list[tuple[str, Mapping[IdeaKey, float]]]:
    return [("originality", rater.originality), ("elaboration", rater.elaboration)]
