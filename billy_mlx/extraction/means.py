"""Means over the answers of a pole, gathered batch by batch: what is held does not grow with the number of answers."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from billy_mlx.errors import VectorError
from billy_mlx.extraction.pole import Pole, Rollout

Floats = NDArray[np.float32]
Kept = Sequence[bool]
"""For each answer of a pole, in order, whether it counts."""


def mean_difference(positive: Floats, neutral: Floats) -> Floats:
    """Return the direction from the neutral answers to the persona's.

    Args:
        positive: (N, layers, D) response-average activations with the persona.
        neutral: (M, layers, D) the same without it.

    Returns:
        (layers, D) float32 in units of the residual stream, not normalised: added once, it moves the average neutral
        answer to the average persona one.

    Source: arXiv 2510.10157, eq. 1.
    """
    difference: NDArray[np.float64] = positive.mean(0, dtype=np.float64) - neutral.mean(0, dtype=np.float64)
    return difference.astype(np.float32)


def as_written(rollout: Rollout) -> Floats:
    """Return (layers, D), the mean over an answer's tokens behind the prompt that it was written to."""
    return rollout.average.mean


def as_text(rollout: Rollout) -> Floats:
    """Return (layers, D), the mean over an answer's tokens behind the plain prompt: what its words alone carry."""
    return rollout.as_text.mean


def prompt_effect(rollout: Rollout) -> Floats:
    """Return (layers, D), what the system prompt adds on the same words: the words themselves cancel.

    The mean is over the tokens that are steered later: the last one of the prompt, and the answer's.

    Source: the constant form of arXiv 2605.03907.
    """
    return rollout.average.steered - rollout.as_text.steered


def question_means(pole: Pole, kept: Kept, part: Callable[[Rollout], Floats] = as_written) -> dict[int, Floats]:
    """Return question to (layers, D), so that a question with more answers left weighs no more than another.

    Args:
        pole: whose answers are meant.
        kept: which of them count.
        part: what of an answer the mean is taken of, (layers, D).

    Raises:
        VectorError: no answer that counts has a token in it.
    """
    sums: dict[int, NDArray[np.float64]] = {}
    counts: dict[int, int] = {}
    answers = (rollout for batch in pole for rollout in batch)
    for rollout, counts_at_all in zip(answers, kept, strict=True):
        if not counts_at_all or rollout.average.tokens == 0:
            continue
        if rollout.question not in sums:
            sums[rollout.question] = np.zeros_like(rollout.average.mean, np.float64)
        sums[rollout.question] += part(rollout)
        counts[rollout.question] = counts.get(rollout.question, 0) + 1
    if not sums:
        raise VectorError(f"the model gave no answer for {pole.name}; try another model, or more answers (--rollouts)")
    return {question: (total / counts[question]).astype(np.float32) for question, total in sums.items()}


def residual_norm(pole: Pole, kept: Kept) -> Floats:
    """Return (layers,), the mean norm of the residual stream over all tokens of the answers that count."""
    total, tokens = np.zeros(1), 0
    answers = (rollout for batch in pole for rollout in batch)
    for rollout, counts in zip(answers, kept, strict=True):
        if counts:
            total = total + rollout.average.norm.astype(np.float64) * rollout.average.tokens
            tokens += rollout.average.tokens
    return np.asarray(total / max(tokens, 1), np.float32)
