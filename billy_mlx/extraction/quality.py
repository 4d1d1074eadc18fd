"""How good a persona vector is, by answers that it was not made from."""

from collections.abc import Mapping

import numpy as np

from billy_mlx.extraction.evidence import Quality
from billy_mlx.extraction.means import Floats, Kept, mean_difference, projections
from billy_mlx.extraction.pole import Pole
from billy_mlx.measure.separation import auc

Means = Mapping[int, Floats]
"""Question to (layers, D)."""


def held_out_quality(positive: Pole, neutral: Pole, kept: tuple[Kept, Kept], means: tuple[Means, Means]) -> Quality:
    """Return how well the vector of one half of the questions separates the answers to the other half.

    The questions are halved where they stand, the first ones against the last. Answers to one question resemble each
    other, so that no question may be in both halves.

    Args:
        positive: answers as the persona.
        neutral: answers as nobody in particular.
        kept: which answers of either pole count.
        means: per question, of either pole, as `question_means` gives them; at least two questions in common.
    """
    questions = sorted(means[0].keys() & means[1].keys())
    halves = questions[: len(questions) // 2], questions[len(questions) // 2 :]
    first, second = (
        mean_difference(np.stack([means[0][q] for q in half]), np.stack([means[1][q] for q in half])) for half in halves
    )
    separations = []
    for half, vector in ((halves[0], second), (halves[1], first)):
        held_out = dict.fromkeys(half, vector)
        separations.append(auc(projections(positive, kept[0], held_out), projections(neutral, kept[1], held_out)))
    return Quality(
        held_out_auc=tuple(np.mean(separations, axis=0).tolist()),
        split_half_cosine=tuple(_cosines(first, second).tolist()),
    )


def _cosines(a: Floats, b: Floats) -> Floats:
    """Return (layers,), the cosine of two vectors (layers, D) at every layer."""
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return np.asarray(np.clip(np.einsum("ld,ld->l", a, b) / np.maximum(lengths, 1e-12), -1, 1), np.float32)
