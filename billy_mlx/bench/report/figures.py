"""What is drawn of a result, and under which title. Without matplotlib nothing is."""

import math
from collections.abc import Iterator, Sequence

from billy_mlx.bench.metrics import BEYOND, HUMAN, JUDGE, NATS, PROJECTION, SUBJECT, VOICE, label
from billy_mlx.bench.plots import Pair, amounts, bars, curve, forest, groups, heat_map
from billy_mlx.bench.report.findings import main_blend
from billy_mlx.bench.report.numbers import shortly, signed
from billy_mlx.bench.report.tables import MAIN_RIVALS, PLACES, WAYS, main_arms, metrics_of, pairs_of, seconds, tokens
from billy_mlx.bench.result import CONTROL, Comparison, Estimate, Mean, Result

_UNITS = {
    "ideas": "different ideas in an answer",
    "rarity": "share of the other groups without the idea",
    "embedding diversity": "mean cosine distance",
    "vendi": "wholly unlike ideas",
    "distinct-2": "share of word pairs",
    "self-bleu": "BLEU, 0 to 1",
    "worn phrases": "in a hundred words",
    "adherence": "nats per token",
    "repetition": "share of runs of four words",
    "words": "words in an answer",
    NATS: "nats per token",
}
_AMOUNTS = {"dose": "dose (1: full)", "alpha": "α, the paper's coefficient"}
_SWEPT = ("ideas", "rarity", "embedding diversity", "adherence", NATS)  # and the personas: more is in tables


def means_figure(result: Result, metric: str) -> str | None:
    """Return the means of all arms but those of sweeps, over all tasks, as an SVG; None if there are none."""
    found = {(m.arm, m.matched): m.estimate for m in result.means if m.metric == metric and m.task is None}
    rows = [Pair(arm.name, *(found.get((arm.name, matched)) for matched in WAYS)) for arm in main_arms(result)]
    rows = [row for row in rows if row.written or row.matched]
    return bars(rows, label(metric), _unit(metric)) if rows else None


def differences_figure(result: Result, metric: str) -> str | None:
    """Return an SVG of how the main blend differs from its rivals, and every blend from the control; or None.

    What was found over too few items to claim anything is not drawn.
    """
    main = main_blend(result)
    found = {
        (c.arm, c.against, c.matched): c.estimate
        for c in result.comparisons
        if c.metric == metric and c.task is None and c.against in MAIN_RIVALS and c.estimate.enough
    }
    rows = [
        Pair(f"{arm} − {against}", *(found.get((arm, against, matched)) for matched in WAYS))
        for arm, against in pairs_of(result)
        if arm == main or against == CONTROL
    ]
    rows = [row for row in rows if row.written or row.matched]
    unit = f"difference, in {_unit(metric)}"
    return forest(rows, f"Difference in {label(metric)}", unit) if rows else None


def sweep_figures(result: Result, group: str) -> Iterator[str]:
    """Yield an SVG for each main metric of a sweep: a heat map of layer and dose, a curve of a number, or bars.

    Shown is the difference to the control, with its sign; where there is no control the mean.
    """
    cells = {arm.name: _cell(arm.name) for arm in result.arms if arm.group == group}
    varied = {tuple(cell) for cell in cells.values()}
    for metric in filter(_is_drawn, metrics_of(result)):
        differences = [each for each in result.comparisons if each.against == CONTROL]
        shown: Sequence[Mean | Comparison] = differences or result.means
        found = {
            each.arm: each.estimate
            for each in shown
            if each.arm in cells and each.metric == metric and each.task is None and not each.matched
        }
        if not found:
            continue
        shown_as, unit = label(metric), _unit(metric)
        title = f"{shown_as}, cell − {CONTROL}" if differences else shown_as
        if len(varied) == 1 and (amount := _amount(next(iter(varied)))) is not None:
            fields = {(cells[arm][amount], cells[arm]["layer"]): estimate for arm, estimate in found.items()}
            written = signed if differences else shortly
            yield heat_map(fields, f"{title} ({unit})", _AMOUNTS[amount], "layer", _order, written)
        elif len(varied) == 1 and all(_is_number(*cells[arm].values()) for arm in found):
            [(what,)] = varied
            yield curve({float(cells[arm][what]): e for arm, e in found.items()}, title, what, unit)
        else:
            yield bars([Pair(arm, estimate) for arm, estimate in found.items()], title, unit)


def projection_figure(result: Result, place: str) -> str | None:
    """Return what each blend carries on the personas' axes at `place` as an SVG; None if that is not known."""
    series: dict[str, dict[str, Estimate]] = {}
    for each in result.projections:
        if each.place == place:
            series.setdefault(each.arm, {})[each.persona] = each.estimate
    return groups(series, PLACES.get(place, place), "residual norms of the layer") if series else None


def cost_figures(result: Result) -> Iterator[str]:
    """Yield SVGs of what a query of each group took: time, and tokens."""
    if result.costs:
        yield amounts({cost.group: seconds(cost) for cost in result.costs}, "Time", "seconds a query")
        yield amounts({cost.group: tokens(cost) for cost in result.costs}, "Tokens", "tokens a query, in and out")


def _is_drawn(metric: str) -> bool:
    return metric in _SWEPT or metric.startswith((PROJECTION, BEYOND))


def _unit(metric: str) -> str:
    if metric.startswith(PROJECTION):
        return "gaps from neutral (0) to the persona (1)"
    if metric.startswith((VOICE, BEYOND)):
        return "gaps from plain sentences (0) to the persona's (1)"
    if metric.startswith(SUBJECT):
        return "in a hundred words"
    return _UNITS.get(metric, "points of 1 to 5" if metric.startswith((JUDGE, HUMAN)) else metric)


def _cell(name: str) -> dict[str, str]:
    """Return what a cell of a sweep has set: "layer=15,dose=0.5"."""
    return {what: value for what, _, value in (part.partition("=") for part in name.split(","))}


def _amount(varied: tuple[str, ...]) -> str | None:
    """Return what is varied beside the layer and is an amount of the blend; None if the cells are no such grid."""
    return varied[1] if varied[:1] == ("layer",) and varied[1:] and varied[1] in _AMOUNTS else None


def _is_number(*values: str) -> bool:
    return len(values) == 1 and math.isfinite(_order(values[0]))


def _order(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return math.inf
