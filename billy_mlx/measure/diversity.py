"""How different the members of a set of texts are, by their embeddings."""

import math

import numpy as np
from numpy.typing import NDArray

from billy_mlx.measure.embedding import Floats, unit_rows


def mean_distance(embeddings: Floats) -> float | None:
    """Return the mean cosine distance between two rows of (N, D): 0 if all are the same, 1 if they are unrelated.

    It can be above 1, up to 2, where rows are opposed. None with fewer than two rows; rows of zeros do not count.
    """
    rows = _said(embeddings)
    count = len(rows)
    if count < 2:
        return None
    # The squared length of the sum is the sum of all cosines, each row's with itself among them.
    cosines = (float(np.square(rows.sum(axis=0)).sum()) - count) / (count * (count - 1))
    return 1 - cosines


def vendi_score(embeddings: Floats) -> float | None:
    """Return how many different texts the rows of (N, D) are worth: from 1, all the same, to N, all unrelated.

    The exponential of the entropy of the eigenvalues of K/N, K being the cosines. None without a row; rows of zeros do
    not count.

    Source: arXiv 2210.02410.
    """
    rows = _said(embeddings)
    if not len(rows):
        return None
    shares = np.linalg.svd(rows, compute_uv=False) ** 2 / len(rows)  # K's eigenvalues without K
    shares = shares[shares > 1e-12]
    return math.exp(-float((shares * np.log(shares)).sum()))


def _said(embeddings: Floats) -> NDArray[np.float64]:
    return unit_rows(embeddings[embeddings.any(axis=1)])
