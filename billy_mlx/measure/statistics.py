"""Statistics: intervals of means and shares, p-values, how well a number tells groups apart, and rising numbers."""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.floating[Any]]
Floats = NDArray[np.float64]

_Item = TypeVar("_Item")
_TAIL = 0.025  # what an interval of 95 % leaves out on each side
_STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)  # t's 97.5 % with 1 to 9 degrees of freedom
_EXACT = 16  # differences up to which every way of turning signs is tried: 32,768 of them
_DRAWN = 1024  # ways that are drawn at once
_ROUNDING = 1e-9  # sums that are equal on paper differ by less than this share of their size


class Interval(NamedTuple):
    """A mean over `items` items, and from where to where it may well lie (95 %)."""

    mean: float
    low: float
    high: float
    items: int


def mean_interval(values: Sequence[float], seed: int = 0, rounds: int = 10_000) -> Interval | None:
    """Return the mean of `values`, one for each item, with its interval; None with fewer than two of them.

    Percentiles of the means of `rounds` samples, their distances from the mean stretched by what a bootstrap is too
    narrow with few items: plain ones hold the true mean of five normal values 85 times in a hundred and of two 50
    times, these 93 to 96. So with very few items an interval can reach beyond any value there can be. A single item
    says nothing about others, so it has none. Samples depend on the seed and the number of items alone.

    Source: arXiv 1411.5279, on why percentiles are too narrow and by how much.
    """
    count = len(values)
    if count < 2:
        return None
    mean = math.fsum(values) / count
    distances = _resamples(count, seed, rounds) @ (np.asarray(values, np.float64) - mean) / count
    low, high = np.quantile(distances, [_TAIL, 1 - _TAIL]) * stretch(count)
    return Interval(mean, mean + min(float(low), 0.0), mean + max(float(high), 0.0), count)


def item_means(values: Iterable[tuple[_Item, float | None]]) -> dict[_Item, float]:
    """Return the mean of the values of each item, in the order they come; None does not count.

    Answers of several seeds to one item are no independent witnesses, so they are one value before items are drawn.
    """
    held: dict[_Item, list[float]] = {}
    for item, value in values:
        if value is not None:
            held.setdefault(item, []).append(value)
    return {item: math.fsum(found) / len(found) for item, found in held.items()}


def stretch(count: int) -> float:
    """Return by how much percentiles are stretched: to Student's t for the normal, and to n - 1 for n in the variance.

    With many items it is 1.
    """
    free = count - 1
    z = NormalDist().inv_cdf(1 - _TAIL)
    expansion = z + (z**3 + z) / (4 * free) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * free**2)
    t = _STUDENT[free - 1] if free <= len(_STUDENT) else expansion
    return t / z * math.sqrt(count / free)


def sign_flip_p(differences: Sequence[float], seed: int = 0, rounds: int = 10_000) -> float:
    """Return how often a mean at least as far from 0 comes about if the sign of every difference is left to chance.

    A two-sided p-value of the hypothesis that a prompt's difference is as likely one way as the other. Up to 16
    differences it is exact; beyond that `rounds` ways are drawn, and the one that was seen counts as one more. Without
    differences it is 1. With five differences or fewer it is never below 0.05, so nothing can be found.

    Args:
        differences: one for each prompt, as of steered and unsteered text on it; seeds of a prompt averaged before.
        seed: of the ways that are drawn.
        rounds: how many of them.

    Source: Fisher's randomisation test; the count of one more from Phipson and Smyth, doi 10.2202/1544-6115.1585.
    """
    values = np.asarray(differences, np.float64)
    count = len(values)
    seen = abs(float(values.sum())) - _ROUNDING * float(np.abs(values).sum())
    if count <= _EXACT:
        ways = np.arange(2 ** max(count - 1, 0))[:, None] >> np.arange(count) & 1  # turning all of them says no more
        return float(np.mean(np.abs(_turned(values, ways)) >= seen))
    rng = np.random.default_rng(seed)
    sizes = [min(_DRAWN, rounds - at) for at in range(0, rounds, _DRAWN)]
    reached = sum(np.sum(np.abs(_turned(values, rng.integers(0, 2, (size, count)))) >= seen) for size in sizes)
    return float((1 + reached) / (1 + rounds))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values in their order, corrected for being several: at most one in 20 families errs at 0.05.

    The smallest is multiplied by how many there are, the next by one less, and none falls below the one before it.
    They need not be independent.

    Source: Holm, A simple sequentially rejective multiple test procedure, 1979.
    """
    count = len(p_values)
    corrected, least = [0.0] * count, 0.0
    for rank, place in enumerate(sorted(range(count), key=p_values.__getitem__)):
        least = max(least, min(1.0, (count - rank) * p_values[place]))
        corrected[place] = least
    return corrected


def smallest_effect(sd: float, count: int, *, power: float = 0.8, level: float = 0.05) -> float:
    """Return how far from 0 a true mean difference must be to be found with a chance of `power`.

    In the unit of `sd`. It is that of Student's two-sided test of paired differences, which `sign_flip_p` comes near to
    with more than a few prompts. For many personas give Holm's strictest level, 0.05 divided by how many there are.

    Args:
        sd: the standard deviation of the differences over prompts.
        count: how many prompts, two or more.
        power: between `level` and 1.
        level: the p-value below which a difference counts as found.
    """
    if count < 2 or not 0 < level < power < 1:
        raise ValueError(f"no effect of {count} differences has a power of {power} at a level of {level}")
    spreads, weights = _spreads(count - 1)

    def found(true: float, critical: float) -> float:
        """The chance of a t beyond `critical`, where `true` is the true mean in its standard errors."""
        return float(weights @ (_below(true - critical * spreads) + _below(-true - critical * spreads)))

    critical = _rising(lambda t: -found(0, t), -level)
    return sd / math.sqrt(count) * _rising(lambda true: found(true, critical), power)


def wilson_interval(kept: int, decided: int) -> tuple[float, float]:
    """Return from where to where a share may well lie (95 %), of which `kept` of `decided` were seen; (0, 1) of none.

    With n = decided, p = kept / n and z = 1.96, the 97.5 % point of the normal distribution:

        (p + z²/2n ± z √(p (1 - p)/n + z²/4n²)) / (1 + z²/n)

    So 8 of 10 give 0.490 to 0.943, and 6 of 6 give 0.610 to 1.

    Source: Wilson, Probable inference, the law of succession, and statistical inference, 1927.
    """
    if decided == 0:
        return 0.0, 1.0
    z, share = NormalDist().inv_cdf(1 - _TAIL), kept / decided
    middle = share + z**2 / (2 * decided)
    half = z * math.sqrt(share * (1 - share) / decided + z**2 / (4 * decided**2))
    scale = 1 + z**2 / decided
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def sign_test_p(kept: int, decided: int) -> float:
    """Return how often a fair coin comes at least as far from half and half as `kept` of `decided`: 1 of none.

    Twice the sum of C(n, i)/2ⁿ over i from the larger of kept and n - kept up to n, and at most 1. So 6 of 6 is 2/64,
    and below six nothing is found at 0.05.

    Source: the exact two-sided sign test.
    """

    def chance(i: int) -> float:
        ways = math.lgamma(decided + 1) - math.lgamma(i + 1) - math.lgamma(decided - i + 1)
        return math.exp(ways - decided * math.log(2))

    return min(1.0, 2 * math.fsum(map(chance, range(max(kept, decided - kept), decided + 1))))


def decisions_needed(kept: int, decided: int) -> int | None:
    """Return about how many choices there must be in all to tell this share from a half; None if it is a half.

    Where the share stays as it is, Wilson's interval leaves the half out above z²/4(p - 1/2)² choices, and the sign
    test finds nothing in fewer than six.
    """
    if decided == 0 or 2 * kept == decided:
        return None
    z = NormalDist().inv_cdf(1 - _TAIL)
    return max(6, math.ceil(z**2 / (4 * (kept / decided - 0.5) ** 2)))


def differences_needed(effect: float, *, power: float = 0.8, level: float = 0.05) -> int:
    """Return how many paired differences it takes to find a true mean difference with a chance of `power`.

    The least count whose `smallest_effect` is no more than `effect`: it is looked for from the normal approximation on,
    which asks for two or three too few.

    Args:
        effect: in standard deviations of the differences, above 0.
        power: between `level` and 1.
        level: the p-value, two-sided, below which a difference counts as found.
    """
    if effect <= 0:
        raise ValueError(f"an effect of {effect} is found by no number of differences")
    normal = NormalDist()
    count = max(2, math.floor(((normal.inv_cdf(1 - level / 2) + normal.inv_cdf(power)) / effect) ** 2))
    while smallest_effect(1, count, power=power, level=level) > effect:
        count += 1
    return count


def auc(positive: Numbers, neutral: Numbers) -> Numbers:
    """Return the chance that one of `positive` lies above one of `neutral`, a tie counting half.

    The area under the ROC curve: 1 tells the groups apart, 0.5 is chance, below it they are the wrong way round.

    Args:
        positive: (N, ...) with N ≥ 1.
        neutral: (M, ...) with M ≥ 1.

    Returns:
        The shape of what follows the first axis.

    Source: the Mann-Whitney U statistic, divided by N·M.
    """
    count, others = len(positive), len(neutral)
    together = np.concatenate([positive, neutral])
    # Ranks from 1, equal values sharing the mean of theirs: how many lie below, and half of those level with it.
    ordered = np.sort(together, axis=0)
    ranks = np.apply_along_axis(_ranks, 0, np.concatenate([ordered, positive]), len(ordered))
    return np.asarray((ranks.sum(axis=0) - count * (count + 1) / 2) / (count * others))


def isotonic(values: Sequence[float]) -> list[float]:
    """Return the rising sequence nearest to `values` in squares: neighbours that fall share their mean.

    Source: isotonic regression by pooling adjacent violators.
    """
    pools: list[list[float]] = []
    for value in values:
        pools.append([value])
        while len(pools) > 1 and np.mean(pools[-2]) > np.mean(pools[-1]):
            pools[-2:] = [pools[-2] + pools[-1]]
    return [float(np.mean(pool)) for pool in pools for _ in pool]


def crossing(places: Sequence[float], values: Sequence[float], level: float) -> float | None:
    """Return where `isotonic(values)`, at rising `places`, passes `level`; None if it does not.

    Between two places the line through them is followed, and before the first the line from (0, 0).
    """
    at, height = 0.0, 0.0
    for place, value in zip(places, isotonic(values), strict=True):
        if value >= level:
            return at + (level - height) / max(value - height, 1e-12) * (place - at)
        at, height = place, value
    return None


@lru_cache(maxsize=16)
def _resamples(count: int, seed: int, rounds: int) -> NDArray[np.float64]:
    """Return (rounds, count): how often each item is in each sample. Kept, as one report asks thousands of times."""
    counts = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=rounds)
    return counts.astype(np.float64)


def _turned(values: Floats, ways: NDArray[np.integer]) -> Floats:
    """Return the sum of `values` (n,) for each of `ways` (rounds, n), in which 1 turns a value's sign."""
    return np.asarray(values.sum() - 2 * (ways @ values))


def _spreads(free: int) -> tuple[Floats, Floats]:
    """Return estimates of a standard deviation of 1 and how likely each is, with so many degrees of freedom.

    The grid is even in their logarithm: with few degrees it is the very small ones that count.
    """
    wide = 10 / math.sqrt(2 * free)
    logs = np.linspace(-max(40 / free, wide), math.log1p(wide), 2001)
    density = free * (logs - np.exp(2 * logs) / 2)  # the chi distribution's, but for a factor
    weights = np.exp(density - density.max())
    return np.exp(logs), weights / weights.sum()


def _below(x: Floats) -> Floats:
    return np.array([math.erfc(-value / math.sqrt(2)) / 2 for value in x])


def _rising(function: Callable[[float], float], level: float) -> float:
    """Return where a rising function of numbers from 0 on passes `level`, by halving."""
    low, high = 0.0, 1.0
    while function(high) < level:
        low, high = high, 2 * high
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) < level else (low, middle)
    return high


def _ranks(column: Numbers, count: int) -> Numbers:
    """Return the mean rank, among the first `count` sorted values of `column`, of each value after them."""
    ordered, values = column[:count], column[count:]
    below = np.searchsorted(ordered, values, side="left")
    return np.asarray((below + np.searchsorted(ordered, values, side="right") + 1) / 2)
