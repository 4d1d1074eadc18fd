"""Means over items with their intervals: how much arms differ on the same items and seeds, and how far raters agree.

No mean stands alone, and no arm is compared with a rival that was chosen by the very item it is compared on.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from billy_mlx.bench.metrics import metric
from billy_mlx.bench.result import CONTROL, FEWEST_ITEMS, Comparison, Estimate, Mean, ScoredAnswer
from billy_mlx.measure.statistics import item_means, mean_interval, stretch

BEST_PERSONA = "best persona"
"""Of the personas alone, the one that does best on the other items."""
RANDOM = "random directions"
"""The mean over all random directions."""
OTHER_PERSONA = "another persona"
"""The mean over the personas that are not in the blend and were steered to instead."""
FIXED_RIVALS = (CONTROL, "prompts", "multi-role", "single-0.7", "single-1.0", "discussion", "verbalized")

ItemId = tuple[str, str]  # task and item
Values = Mapping[ItemId, Mapping[int, float]]
"""Of one arm in one metric, by item and seed; what has no value is not in it."""
Pairs = Mapping[str, Sequence[tuple[float, float]]]
"""What two raters gave the same texts, by item."""
Floats = NDArray[np.float64]

_BLEND, _PERSONA, _RANDOM, _OTHER = "billy-", "persona:", "random-", "other:"
_PROMPTED_BLEND = "prompt+billy"
_ROUNDS = 2000


class Grouped(Protocol):
    """Whatever has the name of an arm and of its group."""

    @property
    def name(self) -> str:
        """As in `ScoredAnswer.arm`."""
        ...

    @property
    def group(self) -> str:
        """As in `Arm.group`."""
        ...


def is_sweep(arm: Grouped) -> bool:
    """Return whether an arm is one cell of a sweep."""
    return arm.group.startswith("sweep")


def compare(scored: Sequence[ScoredAnswer], arms: Sequence[Grouped], main: str) -> tuple[list[Mean], list[Comparison]]:
    """Return what every arm scores, and how each blend compares with its rivals, per task and over all of them.

    Seeds of an item are averaged before anything else: items are what is drawn again in the bootstrap. The rivals are
    `FIXED_RIVALS`, and the best persona; or every persona, in a metric that is better neither way. A cell of a sweep
    is held against the control alone.

    Args:
        main: the blend that the random directions are as long as. It alone is held against them and their mean, and
            against other personas.
    """
    names, cells = [arm.name for arm in arms], {arm.name for arm in arms if is_sweep(arm)}
    means: list[Mean] = []
    comparisons: list[Comparison] = []
    for table in _tables(scored):
        present, can_be = [name for name in names if name in table.values], metric(table.metric)
        for name in present:
            for task, found in _estimates(_item_means(table.values[name]), can_be.within):
                means.append(Mean(name, task, table.metric, table.matched, found))
        rivals, of_main = list(_rivals(table, present)), [*_others(table, present), *_random(table, present)]
        for name in (name for name in present if name in cells or name.startswith((_BLEND, _PROMPTED_BLEND))):
            own = [rival for rival in rivals if rival[0] == CONTROL] if name in cells else rivals
            for against, rival in [*own, *of_main] if name == main else own:
                for task, found in _estimates(_differences(table.values[name], rival), can_be.differs_within):
                    comparisons.append(Comparison(name, against, task, table.metric, table.matched, found))
    return means, comparisons


def best_of(rivals: Sequence[Values], better: int) -> Values:
    """Return for every item the values of the rival that does best on all the other items.

    How well a rival does is how far it is from the mean of the rivals, item by item, so that items for which only some
    of them have a value favour none. With a single item there is nothing to choose by, and no value.

    Args:
        rivals: values of each.
        better: 1 if more is better, -1 if less.
    """
    means = [_item_means(rival) for rival in rivals]
    level = item_means((item, value) for own in means for item, value in own.items())
    ahead = [{item: better * (value - level[item]) for item, value in own.items()} for own in means]
    chosen: dict[ItemId, Mapping[int, float]] = {}
    for item in level:
        able = [(_mean_without(own, item), rival) for own, rival in zip(ahead, rivals, strict=True) if item in rival]
        known = [(mean, rival[item]) for mean, rival in able if mean is not None]
        if known:
            chosen[item] = max(known, key=lambda each: each[0])[1]
    return chosen


def agreement(pairs: Pairs, seed: int = 0) -> Estimate | None:
    """Return Spearman's rank correlation of two raters over all texts, with its interval, made as that of a mean.

    None with fewer than five items, or where a rater gave the same to all.
    """
    owner = np.repeat(np.arange(len(pairs)), [len(own) for own in pairs.values()])
    both = np.array([pair for own in pairs.values() for pair in own], np.float64).reshape(-1, 2)
    [found] = _correlations(np.ones((1, len(both))), both)
    items = np.unique(owner)
    if len(items) < FEWEST_ITEMS or not np.isfinite(found):
        return None
    drawn = np.random.default_rng(seed).multinomial(len(items), np.full(len(items), 1 / len(items)), size=_ROUNDS)
    again = _correlations(drawn[:, np.searchsorted(items, owner)].astype(np.float64), both)
    low, high = np.quantile(again[np.isfinite(again)] - found, [0.025, 0.975]) * stretch(len(items))
    return Estimate(float(found), float(found + min(low, 0)), float(found + max(high, 0)), len(items)).within(-1, 1)


@dataclass(frozen=True)
class _Table:
    """All arms' values in one metric."""

    metric: str
    matched: bool
    values: Mapping[str, Values]


def _tables(scored: Sequence[ScoredAnswer]) -> Iterator[_Table]:
    found: dict[tuple[str, bool], dict[str, dict[ItemId, dict[int, float]]]] = {}
    for score in scored:
        for matched, values in ((False, score.values), (True, score.matched)):
            for name, value in values.items():
                if value is not None:
                    arms = found.setdefault((name, matched), {})
                    items = arms.setdefault(score.arm, {})
                    items.setdefault((score.task, score.item), {})[score.seed] = value
    return (_Table(name, matched, values) for (name, matched), values in found.items())


def _rivals(table: _Table, present: Sequence[str]) -> Iterator[tuple[str, Values]]:
    personas = [name for name in present if name.startswith(_PERSONA)]
    better = metric(table.metric).better
    yield from ((name, table.values[name]) for name in FIXED_RIVALS if name in present)
    if personas and better:
        yield BEST_PERSONA, best_of([table.values[name] for name in personas], better)
    elif personas:
        yield from ((name, table.values[name]) for name in personas)


def _random(table: _Table, present: Sequence[str]) -> Iterator[tuple[str, Values]]:
    random = [name for name in present if name.startswith(_RANDOM)]
    if random:
        yield RANDOM, _mean_of([table.values[name] for name in random])
        yield from ((name, table.values[name]) for name in random)


def _others(table: _Table, present: Sequence[str]) -> Iterator[tuple[str, Values]]:
    others = [table.values[name] for name in present if name.startswith(_OTHER)]
    if others:
        yield OTHER_PERSONA, _mean_of(others)


def _mean_of(rivals: Sequence[Values]) -> Values:
    """Return the mean over `rivals` at every item and seed; those without a value there do not count."""
    told = [((item, seed), value) for rival in rivals for item, own in rival.items() for seed, value in own.items()]
    means: dict[ItemId, dict[int, float]] = {}
    for (item, seed), value in item_means(told).items():
        means.setdefault(item, {})[seed] = value
    return means


def _item_means(values: Values) -> dict[ItemId, float]:
    return item_means((item, value) for item, seeds in values.items() for value in seeds.values())


def _differences(own: Values, rival: Values) -> dict[ItemId, float]:
    """Return the mean difference at every item, over the seeds that both have."""
    return item_means(
        (item, value - rival[item][seed])
        for item, seeds in own.items()
        for seed, value in seeds.items()
        if seed in rival.get(item, {})
    )


def _estimates(by_item: Mapping[ItemId, float], within: tuple[float, float]) -> Iterator[tuple[str | None, Estimate]]:
    """Yield task and estimate, for every task that has items and, at first, for all of them as None.

    An interval ends where what it is of cannot be, whatever a bootstrap over a few items says.
    """
    tasks = list(dict.fromkeys(task for task, _ in by_item))
    for chosen in [None, *tasks]:
        values = [value for (task, _), value in by_item.items() if chosen in (None, task)]
        interval = mean_interval(values)
        if interval is not None:
            yield chosen, Estimate(*interval).within(*within)


def _mean_without(values: Mapping[ItemId, float], item: ItemId) -> float | None:
    """Return the mean of all `values` but that of `item`, or None if there is no other."""
    others = [value for other, value in values.items() if other != item]
    return math.fsum(others) / len(others) if others else None


def _correlations(weights: Floats, both: Floats) -> Floats:
    """Return (R,): the rank correlation of the columns of `both` (N, 2), once for each row of `weights` (R, N).

    A weight says how often a text is in the sample. Equal values share the mean of their ranks; nan without an order.
    """
    ranks = [weights @ (np.less.outer(own, own) + 0.5 * np.equal.outer(own, own)) for own in both.T]  # (R, N) each
    total = np.maximum(weights.sum(axis=1, keepdims=True), 1)
    a, b = (own - (weights * own).sum(axis=1, keepdims=True) / total for own in ranks)
    spread = np.sqrt((weights * a * a).sum(axis=1) * (weights * b * b).sum(axis=1))
    return np.asarray((weights * a * b).sum(axis=1) / np.where(spread > 1e-9, spread, np.nan))
