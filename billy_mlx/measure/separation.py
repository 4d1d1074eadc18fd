"""How well a number tells two groups apart."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.floating[Any]]


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


def _ranks(column: Numbers, count: int) -> Numbers:
    """Return the mean rank, among the first `count` sorted values of `column`, of each value after them."""
    ordered, values = column[:count], column[count:]
    below = np.searchsorted(ordered, values, side="left")
    return np.asarray((below + np.searchsorted(ordered, values, side="right") + 1) / 2)
