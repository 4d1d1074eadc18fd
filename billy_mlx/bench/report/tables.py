"""The numbers of a result in rows and columns of text, the same for every kind of page."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from billy_mlx.bench.comparisons import BEST_PERSONA, FIXED_RIVALS, OTHER_PERSONA, RANDOM, is_sweep
from billy_mlx.bench.report.judge_gate import named
from billy_mlx.bench.report.numbers import NONE, counted, interval, marked, plain
from billy_mlx.bench.result import CONTROL, ArmNote, Comparison, Estimate, GroupCost, Result

WAYS = {False: "as written", True: "at matched length"}
MAIN_RIVALS = (*FIXED_RIVALS, BEST_PERSONA, OTHER_PERSONA, RANDOM)
PLACES = {
    "steered layer": "Steered layer (arithmetic: what was put in; of prompts measured)",
    "last layer": "Last layer (measured: what the layers in between made of it)",
}

PAPER = "arXiv 2510.10157"
PAPER_TIME, PAPER_TOKENS = "27", "about 190"  # discussion ÷ BILLY, with Llama-3.1-8B on a GPU
SPREAD = (1, 100, 10_000)  # queries
DISCUSSION, BLENDS = "discussion", "billy"


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


def seconds(cost: GroupCost) -> float:
    """Return wall-clock seconds a query: of a batch, divided by its rows."""
    return cost.wall_seconds / max(1, cost.queries)


def tokens(cost: GroupCost) -> float:
    """Return tokens a query, in and out."""
    return (cost.tokens_in + cost.tokens_out) / max(1, cost.queries)


def forwarded(cost: GroupCost) -> float:
    """Return tokens a query that went through the model."""
    return cost.tokens_forwarded / max(1, cost.queries)


def group_of(result: Result, arm: str) -> GroupCost | None:
    """Return what the group of `arm` cost."""
    return next((cost for cost in result.costs if arm in cost.arms or arm == cost.group), None)


def cost_table(result: Result) -> ReportTable:
    """Return what a query took: a row for each arm, or for several that do the same work and were written together."""
    columns = (
        "arms", "queries", "turns a query", "seconds a query", "tokens in a query", "tokens out a query",
        "tokens forwarded a query", "tokens out a second", "peak memory (GB)", "rows at once",
    )  # fmt: skip
    rows = [
        (
            cost.group if len(cost.arms) == 1 else f"{cost.group} ({len(cost.arms)} arms)",
            plain(cost.queries),
            *map(plain, (cost.turns / n, seconds(cost), cost.tokens_in / n, cost.tokens_out / n, forwarded(cost))),
            plain(cost.tokens_out / cost.wall_seconds if cost.wall_seconds > 0 else None),
            plain(cost.peak_memory_gb),
            plain(cost.rows_at_once),
        )
        for cost in result.costs
        for n in (max(1, cost.queries),)
    ]
    return ReportTable("What a query took", columns, tuple(rows))


def ratio_table(result: Result) -> ReportTable:
    """Return how many times as much a discussion takes as a blend, here and in the paper.

    The cost of steering itself is left out: it is less than what the times of two batches differ by.
    """
    discussion, blends = group_of(result, DISCUSSION), group_of(result, BLENDS)
    rows = [] if discussion is None or blends is None else [_ratios(discussion, blends)]
    if result.costs:
        rows.append((f"{DISCUSSION} ÷ BILLY in the paper ({PAPER})", PAPER_TIME, PAPER_TOKENS, NONE, NONE))
    columns = ("groups", "time a query", "tokens a query (in and out)", "tokens forwarded a query", "rows at once")
    return ReportTable("How many times as much", columns, tuple(rows))


def spread_table(result: Result) -> ReportTable:
    """Return what a query took with the vectors' one-time cost spread over N queries; no rows if that is not known."""
    vectors, discussion, blend = result.vectors, group_of(result, DISCUSSION), group_of(result, BLENDS)
    rows = [
        (
            f"{blend.group}, N = {n:,}",
            plain(_spread(seconds(blend), vectors.wall_seconds, n)),
            plain(_spread(tokens(blend), vectors.tokens, n)),
            *(
                plain(_over(None if discussion is None else of(discussion), _spread(of(blend), once, n)))
                for of, once in ((seconds, vectors.wall_seconds), (tokens, vectors.tokens))
            ),
        )
        for n in SPREAD
        if blend is not None
        and vectors is not None
        and (vectors.tokens is not None or vectors.wall_seconds is not None)
    ]
    columns = ("queries", "seconds a query", "tokens a query", "time: discussion ÷ this", "tokens: discussion ÷ this")
    return ReportTable("With the vectors' one-time cost spread over N queries", columns, tuple(rows))


def vectors_sentence(result: Result) -> str:
    """Return in a sentence what the vectors cost once, or that this is not known."""
    vectors = result.vectors
    if vectors is None:
        return "No vectors were used."
    known = [
        f"{plain(amount)} {unit}" for amount, unit in ((vectors.tokens, "tokens"), (vectors.wall_seconds, "seconds"))
        if amount is not None
    ]  # fmt: skip
    most = f"take at most {' and '.join(known)} to make, once, at the speed of this run"
    cost = most if known else "came ready-made: what they cost once is not known here"
    return f"The vectors of {', '.join(vectors.personas)} {cost} ({vectors.source})."


def ratios(result: Result, above: str, below: str) -> tuple[float, float] | None:
    """Return how many times the time and the tokens a query of the group of `below` that of `above` takes."""
    one, other = group_of(result, above), group_of(result, below)
    if one is None or other is None:
        return None
    time, amount = _over(seconds(one), seconds(other)), _over(tokens(one), tokens(other))
    return None if time is None or amount is None else (time, amount)


def _cell_differences(result: Result, metric: str, arms: Sequence[ArmNote]) -> ReportTable:
    found = {
        (c.arm, c.matched): c.estimate
        for c in result.comparisons
        if c.metric == metric and c.against == CONTROL and c.task is None
    }
    rows = [(arm, [found.get((arm, matched)) for matched in WAYS]) for arm in _names(arms)]
    return estimates_table(f"{named(result, metric)}, cell − {CONTROL}", "cell", WAYS.values(), rows, marked)


def _names(arms: Iterable[ArmNote]) -> list[str]:
    return [arm.name for arm in arms]


def _between(result: Result, arm: str, against: str) -> list[Comparison]:
    return [each for each in result.comparisons if (each.arm, each.against) == (arm, against)]


def _ratios(above: GroupCost, below: GroupCost) -> tuple[str, ...]:
    time, amount, through = (plain(_over(of(above), of(below))) for of in (seconds, tokens, forwarded))
    return f"{above.group} ÷ {below.group}", time, amount, through, f"{above.rows_at_once} and {below.rows_at_once}"


def _over(above: float | None, below: float | None) -> float | None:
    return None if above is None or not below else above / below


def _spread(each: float, once: float | None, n: int) -> float | None:
    return None if once is None else each + once / n
