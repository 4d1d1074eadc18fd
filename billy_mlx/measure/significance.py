"""Whether a mean difference over prompts may be chance, over many personas, and how small a one could be found."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_EXACT = 16  # differences up to which every way of turning signs is gone through: 32,768 of them
_DRAWN = 1024  # ways that are drawn at once
_ROUNDING = 1e-9  # sums that are equal on paper differ by less than this share of their size


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
