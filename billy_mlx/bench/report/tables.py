"""The numbers of a result in rows and columns of text, the same for every kind of page."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from billy_mlx.bench.report.heeding import named
from billy_mlx.bench.report.numbers import NONE, counted, interval, marked, plain
from billy_mlx.bench.result import CONTROL, ArmNote, Comparison, Estimate, Result
from billy_mlx.bench.statistics import BEST_PERSONA, FIXED_RIVALS, RANDOM, is_sweep

WAYS = {False: "as written", True: "at matched length"}
MAIN_RIVALS = (*FIXED_RIVALS, BEST_PERSONA, RANDOM)
PLACES = {
    "steered layer": "Steered layer (arithmetic: what was put in)",
    "last layer": "Last layer (measured: what the layers in between made of it)",
}


@dataclass(frozen=True)
class ReportTable:
    """Cells of text; the first of every row says what the row is about."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def main_arms(result: Result) -> list[ArmNote]:
    """Return all arms but those of sweeps."""
    return [arm for arm in result.arms if not is_sweep(arm)]


def main_comparisons(result: Result) -> list[Comparison]:
    """Return all comparisons but those of sweeps."""
    cells = {arm.name for arm in result.arms if is_sweep(arm)}
    return [each for each in result.comparisons if each.arm not in cells]


def sweep_groups(result: Result) -> list[str]:
    """Return the names of the sweeps."""
    return list(dict.fromkeys(arm.group for arm in result.arms if is_sweep(arm)))


def tasks_of(result: Result) -> list[str]:
    """Return the ids of the tasks, in the order of the means."""
    return list(dict.fromkeys(mean.task for mean in result.means if mean.task is not None))


def metrics_of(result: Result) -> list[str]:
    """Return the names of the metrics that were measured, in the order in which they are explained."""
    measured = dict.fromkeys([*(m.metric for m in result.means), *(c.metric for c in result.comparisons)])
    return [*(name for name in result.metrics if name in measured), *(m for m in measured if m not in result.metrics)]


def pairs_of(result: Result) -> list[tuple[str, str]]:
    """Return each arm but those of sweeps with each that it is compared with, the rivals that matter first."""
    pairs = dict.fromkeys((each.arm, each.against) for each in main_comparisons(result))
    arms = list(dict.fromkeys(arm for arm, _ in pairs))
    rank = {name: place for place, name in enumerate(MAIN_RIVALS)}
    return sorted(pairs, key=lambda pair: (arms.index(pair[0]), rank.get(pair[1], len(rank))))


def means_table(result: Result, metric: str, arms: Iterable[ArmNote]) -> ReportTable:
    """Return the means of all tasks: a row for each arm, as written and at matched length."""
    found = {(m.arm, m.matched): m.estimate for m in result.means if m.metric == metric and m.task is None}
    rows = [(arm, [found.get((arm, matched)) for matched in WAYS]) for arm in _names(arms)]
    return estimates_table(named(result, metric), "arm", WAYS.values(), rows, interval)


def means_by_task(result: Result, metric: str, matched: bool) -> ReportTable:
    """Return the means of every task: a row for each arm that is not of a sweep."""
    found = {(m.arm, m.task): m.estimate for m in result.means if m.metric == metric and m.matched == matched}
    tasks = tasks_of(result)
    rows = [(arm, [found.get((arm, task)) for task in tasks]) for arm in _names(main_arms(result))]
    return estimates_table(f"{named(result, metric)}, by task, {WAYS[matched]}", "arm", tasks, rows, interval)


def differences_table(result: Result, arm: str, against: str) -> ReportTable:
    """Return the differences of all tasks: a row for each metric, as written and at matched length."""
    found = {(c.metric, c.matched): c.estimate for c in _between(result, arm, against) if c.task is None}
    rows = [
        (named(result, metric), [found.get((metric, matched)) for matched in WAYS]) for metric in metrics_of(result)
    ]
    return estimates_table(f"{arm} − {against}", "metric", WAYS.values(), rows, marked)


def differences_by_task(result: Result, arm: str, against: str, matched: bool) -> ReportTable:
    """Return the differences of every task: a row for each metric."""
    found = {(c.metric, c.task): c.estimate for c in _between(result, arm, against) if c.matched == matched}
    tasks = tasks_of(result)
    rows = [(named(result, metric), [found.get((metric, task)) for task in tasks]) for metric in metrics_of(result)]
    return estimates_table(f"{arm} − {against}, by task, {WAYS[matched]}", "metric", tasks, rows, marked)


def reliability_table(result: Result) -> ReportTable:
    """Return how well each rater tells things apart: a row for each check, and one for a rater without any."""
    rows = [
        (each.rater, check, interval(estimate), plain(estimate.items), "yes" if each.usable else "NO")
        for each in result.reliability
        for check, estimate in each.checks.items()
    ]
    unchecked = [each for each in result.reliability if not each.checks]
    rows += [(each.rater, "none", NONE, NONE, "not known" if each.usable else "NO") for each in unchecked]
    columns = ("rater", "check", "AUC (chance: 0.5) or what else it says", "items", "usable")
    return ReportTable("How far each judge or rater can be relied on", columns, tuple(rows))


def projection_table(result: Result, place: str) -> ReportTable:
    """Return what each blend carries on the personas' axes at `place`: a row for each blend, a column for each axis."""
    found = {(f"{p.arm}, layer {p.layer}", p.persona): p.estimate for p in result.projections if p.place == place}
    arms, personas = dict.fromkeys(arm for arm, _ in found), list(dict.fromkeys(persona for _, persona in found))
    rows = [(arm, [found.get((arm, persona)) for persona in personas]) for arm in arms]
    return estimates_table(PLACES.get(place, place), "arm", personas, rows, interval)


def sweep_tables(result: Result, group: str) -> list[ReportTable]:
    """Return which blends a sweep's cells are; for each metric how they differ from the control, and their means."""
    arms = [arm for arm in result.arms if arm.group == group]
    cells = ReportTable(
        "Which blend each cell is", ("cell", "blend"), tuple((arm.name, arm.blend or NONE) for arm in arms)
    )
    tables = (
        table
        for metric in metrics_of(result)
        for table in (_cell_differences(result, metric, arms), means_table(result, metric, arms))
    )
    return [cells, *(table for table in tables if table.rows)]


def _cell_differences(result: Result, metric: str, arms: Sequence[ArmNote]) -> ReportTable:
    found = {
        (c.arm, c.matched): c.estimate
        for c in result.comparisons
        if c.metric == metric and c.against == CONTROL and c.task is None
    }
    rows = [(arm, [found.get((arm, matched)) for matched in WAYS]) for arm in _names(arms)]
    return estimates_table(f"{named(result, metric)}, cell − {CONTROL}", "cell", WAYS.values(), rows, marked)


def estimates_table(
    title: str,
    about: str,
    columns: Iterable[str],
    rows: Iterable[tuple[str, Sequence[Estimate | None]]],
    shown: Callable[[Estimate | None], str],
) -> ReportTable:
    """Return a table of what was found, without the rows in which nothing was.

    A column says over how many items its numbers are, and so does a number that is over fewer.

    Args:
        title: of the table.
        about: what the first column holds.
        columns: names of the others.
        rows: the first cell of each, and an estimate for each of `columns`.
        shown: how an estimate is written.
    """
    there = [(name, found) for name, found in rows if any(each is not None for each in found)]
    names = list(columns)
    usual = [max((e.items for _, found in there if (e := found[n]) is not None), default=0) for n in range(len(names))]
    heads = [f"{name} (n={count})" if count else name for name, count in zip(names, usual, strict=True)]
    cells = [
        (name, *(counted(shown(each), each, count) for each, count in zip(found, usual, strict=True)))
        for name, found in there
    ]
    return ReportTable(title, (about, *heads), tuple(cells))


def _names(arms: Iterable[ArmNote]) -> list[str]:
    return [arm.name for arm in arms]


def _between(result: Result, arm: str, against: str) -> list[Comparison]:
    return [each for each in result.comparisons if (each.arm, each.against) == (arm, against)]
