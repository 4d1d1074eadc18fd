"""Two poles of answers and what lies between them: the persona vector."""

from dataclasses import replace
from importlib.metadata import version

import numpy as np

from billy_mlx.errors import VectorError
from billy_mlx.extraction.means import mean_difference, question_means, residual_norm
from billy_mlx.extraction.pole import Pole
from billy_mlx.extraction.quality import held_out_quality
from billy_mlx.extraction.selection import Selection
from billy_mlx.extraction.vector import Origin, PersonaVector, find_fault
from billy_mlx.model.model import Model


@np.errstate(over="ignore", invalid="ignore")  # what overflows is refused below, in words
def vector_between(
    model: Model, persona_id: str, positive: Pole, neutral: Pole, selection: Selection, origin: Origin
) -> PersonaVector:
    """Return the vector from the neutral answers to the persona's, with how good it is.

    Every question weighs the same, and only those count that were answered in both poles.

    Raises:
        VectorError: there are too few answers to take a mean over, or numbers that overflow.
    """
    kept = (selection.positive, selection.neutral)
    means = question_means(positive, kept[0]), question_means(neutral, kept[1])
    shared = sorted(means[0].keys() & means[1].keys())
    if not shared:
        raise VectorError(f"no question was answered both neutrally and as {positive.name}; try more rollouts")
    with_persona, without = (np.stack([own[question] for question in shared]) for own in means)
    directions = mean_difference(with_persona, without)
    vector = PersonaVector(
        persona_id=persona_id,
        fingerprint=model.fingerprint,
        origin=origin,
        directions=directions,
        neutral_mean=without.mean(0, dtype=np.float64).astype(np.float32),
        residual_norm=residual_norm(neutral, selection.neutral),
        projection_scale=np.linalg.norm(directions, axis=-1),
        judgement=selection.judgement,
    )
    fault = find_fault(vector)
    if fault is not None:
        raise VectorError(f"{model.id} gives no vector for {positive.name}: {fault}; try another model")
    # A single question cannot be held out from itself.
    quality = held_out_quality(positive, neutral, kept, means) if len(shared) > 1 else None
    return replace(vector, quality=quality)


def versions() -> str:
    """Return what the activations were computed with, in words."""
    return f"mlx {version('mlx')}, mlx-lm {version('mlx-lm')}"
