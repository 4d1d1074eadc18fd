"""From rollouts to persona vectors: the difference of means, at every layer.

The answers of a persona are held against neutral ones to the same questions. The neutral pole is written once per
model and kept; per persona only its own answers are.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from billy_mlx.errors import BillyError, VectorError
from billy_mlx.extraction.card import Persona, QuestionSet, load_questions
from billy_mlx.extraction.neutral import load_neutral, save_neutral
from billy_mlx.extraction.rollouts import Progress, Rollout, RolloutSettings, roll_out
from billy_mlx.extraction.vector import Origin, PersonaVector, find_fault
from billy_mlx.model.model import Model

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Extracted:
    """A persona vector that is ready, with the answers it was made from."""

    vector: PersonaVector
    rollouts: tuple[Rollout, ...]


def extract(
    model: Model,
    personas: Sequence[Persona],
    *,
    questions: QuestionSet | None = None,
    settings: RolloutSettings | None = None,
) -> Iterator[Progress | Extracted]:
    """Extract the vectors of `personas`, yielding after every step and with every vector that is ready.

    Raises:
        VectorError: the model gave too few answers to take a mean over, or numbers that overflow.
        BillyError: as `roll_out` does.
    """
    questions = load_questions() if questions is None else questions
    settings = RolloutSettings() if settings is None else settings
    neutral = yield from _neutral(model, questions, settings)
    for persona in personas:
        rollouts = yield from roll_out(model, persona.name, persona.prompts, questions.questions, settings)
        yield Extracted(_vector(model, persona, rollouts, neutral, questions, settings), tuple(rollouts))


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


def question_means(rollouts: Sequence[Rollout], pole: str) -> dict[int, Floats]:
    """Return question to (layers, D), so that a question with more answers left weighs no more than another."""
    kept: dict[int, list[Floats]] = {}
    for rollout in rollouts:
        if rollout.average.tokens > 0:
            kept.setdefault(rollout.question, []).append(rollout.average.mean)
    if not kept:
        raise VectorError(f"the model gave no answer for {pole}; try another model, or more rollouts (--rollouts)")
    return {question: np.mean(means, axis=0) for question, means in kept.items()}


def _neutral(
    model: Model, questions: QuestionSet, settings: RolloutSettings
) -> Generator[Progress, None, list[Rollout]]:
    kept = load_neutral(model.fingerprint, questions, settings)
    if kept is not None:
        return kept
    rollouts = yield from roll_out(model, "neutral", questions.neutral_prompts, questions.questions, settings)
    with suppress(BillyError):  # kept for the next time where there is room; this time has what it needs
        save_neutral(rollouts, model.fingerprint, questions, settings)
    return rollouts


@np.errstate(over="ignore", invalid="ignore")  # what overflows is refused below, in words
def _vector(
    model: Model,
    persona: Persona,
    positive: Sequence[Rollout],
    neutral: Sequence[Rollout],
    questions: QuestionSet,
    settings: RolloutSettings,
) -> PersonaVector:
    with_persona, without = question_means(positive, persona.name), question_means(neutral, "neutral")
    shared = sorted(with_persona.keys() & without.keys())
    if not shared:
        raise VectorError(f"no question was answered both neutrally and as {persona.name}; try more rollouts")
    neutral_mean = np.stack([without[question] for question in shared])
    directions = mean_difference(np.stack([with_persona[question] for question in shared]), neutral_mean)
    norms = np.average(
        np.stack([rollout.average.norm for rollout in neutral]),
        axis=0,
        weights=[rollout.average.tokens for rollout in neutral],
    )
    vector = PersonaVector(
        persona_id=persona.id,
        fingerprint=model.fingerprint,
        origin=Origin(
            model_id=model.id,
            card_hash=persona.card_hash,
            question_hash=questions.hash,
            rollouts=f"{_kept(positive)}/{_kept(neutral)}",
            sampling=str(settings),
            versions=f"mlx {version('mlx')}, mlx-lm {version('mlx-lm')}",
            date=date.today().isoformat(),
        ),
        directions=directions,
        neutral_mean=neutral_mean.mean(0, dtype=np.float64).astype(np.float32),
        residual_norm=norms.astype(np.float32),
        projection_scale=np.linalg.norm(directions, axis=-1),
    )
    fault = find_fault(vector)
    if fault is not None:
        raise VectorError(f"{model.id} gives no vector for {persona.name}: {fault}; try another model")
    return vector


def _kept(rollouts: Sequence[Rollout]) -> int:
    return sum(rollout.average.tokens > 0 for rollout in rollouts)
