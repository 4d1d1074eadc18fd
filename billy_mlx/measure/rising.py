"""A noisy quantity that can only rise: smoothed, and where it passes a level."""

from collections.abc import Sequence

import numpy as np


def smoothed(values: Sequence[float]) -> list[float]:
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
    """Return where the smoothed `values` at rising `places` pass `level`, or None if they do not.

    Between two places the line through them is followed, and before the first the line from (0, 0).
    """
    at, height = 0.0, 0.0
    for place, value in zip(places, smoothed(values), strict=True):
        if value >= level:
            return at + (level - height) / max(value - height, 1e-12) * (place - at)
        at, height = place, value
    return None
