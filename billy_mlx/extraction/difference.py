"""Two poles of answers and what lies between them: the persona vector."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from billy_mlx.errors import VectorError
from billy_mlx.extraction.means import (
    Floats,
    Kept,
    as_text,
    mean_difference,
    prompt_effect,
    question_means,
    residual_norm,
)
from billy_mlx.extraction.pole import Pole
from billy_mlx.extraction.quality import held_out_quality
from billy_mlx.extraction.selection import Selection
from billy_mlx.extraction.vector import PROMPT_EFFECT, Origin, PersonaVector, find_fault
from billy_mlx.model.model import Model


@np.errstate(over="ignore", invalid="ignore")  # what overflows is refused below, in words
def vector_between(
    model: Model,
    persona_id: str,
    positive: Pole,
    neutral: Pole,
    selection: Selection,
    origin: Origin,
    common: Floats | None = None,
) -> PersonaVector:
    """Return the vector of a persona by its answers and neutral ones, with how good it is.

    What is steered with is by `origin.method`; what is read along is always the difference of the answers' own words.
    Every question weighs the same, and only those count that were answered in both poles.

    Args:
        common: (layers, D), what all personas' system prompts add alike, to be taken out of what is steered with.

    Raises:
        VectorError: there are too few answers to take a mean over, or numbers that overflow.
    """
    kept = (selection.positive, selection.neutral)
    texts = question_means(positive, kept[0], as_text), question_means(neutral, kept[1], as_text)
    shared = sorted(texts[0].keys() & texts[1].keys())
    if not shared:
        raise VectorError(f"no question was answered both with and without {positive.name}; try more answers")
    steering = _steering(positive, neutral, kept, origin.method)
    if common is not None:
        steering = {question: own - common for question, own in steering.items()}
    directions = _mean(steering, shared)
    reading = mean_difference(*(np.stack([own[question] for question in shared]) for own in texts))
    vector = PersonaVector(
        persona_id=persona_id,
        fingerprint=model.fingerprint,
        origin=origin,
        directions=directions,
        neutral_mean=_mean(texts[1], shared),
        residual_norm=residual_norm(neutral, selection.neutral),
        projection_scale=np.linalg.norm(reading, axis=-1),
        reading_vector=reading,
        judgement=selection.judgement,
    )
    fault = find_fault(vector)
    if fault is not None:
        raise VectorError(f"{model.id} cannot give the voice {positive.name}: {fault}; try another model")
    if len(shared) < 2:  # a single question cannot be held out from itself
        return vector
    return replace(vector, quality=held_out_quality(positive, neutral, kept, {q: steering[q] for q in shared}))


def _steering(positive: Pole, neutral: Pole, kept: tuple[Kept, Kept], method: str) -> dict[int, Floats]:
    """Return question to (layers, D), what the answers to it would steer with; a vector is the mean over questions."""
    if method == PROMPT_EFFECT:
        return question_means(positive, kept[0], prompt_effect)
    own, others = question_means(positive, kept[0]), question_means(neutral, kept[1])
    return {question: own[question] - others[question] for question in own.keys() & others.keys()}


def _mean(by_question: Mapping[int, Floats], questions: Sequence[int]) -> Floats:
    total: NDArray[np.float64] = np.stack([by_question[question] for question in questions]).mean(0, dtype=np.float64)
    return total.astype(np.float32)


def versions() -> str:
    """Return what the activations were computed with, in words."""
    return f"mlx {version('mlx')}, mlx-lm {version('mlx-lm')}"
