"""Two poles of answers and what lies between them: the persona vector, and how good it is.

What is judged is the reading: whether the words alone, read behind the plain prompt, tell the persona's answers from
neutral ones, with neither a question nor a system prompt in common with what the vector was made from.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from billy_mlx.errors import VectorError
from billy_mlx.extraction.filtering import Selection
from billy_mlx.extraction.methods import Method, checked, mean_difference
from billy_mlx.extraction.pole import (
    Floats,
    Kept,
    Pole,
    as_text,
    prompt_effect,
    question_means,
    residual_norm,
)
from billy_mlx.measure.statistics import auc
from billy_mlx.model.model import Model
from billy_mlx.vectors.measurements import Quality
from billy_mlx.vectors.vector import PROMPT_EFFECT, Origin, PersonaVector, find_fault, read_layer

Means = Mapping[int, Floats]
"""Question to (layers, D)."""

_Directions = Callable[[Sequence[int]], Floats]
"""Takes questions, and returns (layers, D), what the answers to them would steer with."""

_Cell = tuple[int, int]
"""A part of the questions, and the number of a system prompt."""

_FEWEST = 4  # questions that a method is tried on by halves
_PARTS = 5  # of the questions, where there is one system prompt for all
_DRAWS = 2000
_TAIL = 0.025


@np.errstate(over="ignore", invalid="ignore")  # what overflows is refused below, in words
def vector_between(
    model: Model,
    persona_id: str,
    positive: Pole,
    neutral: Pole,
    selection: Selection,
    origin: Origin,
    common: Floats | None = None,
    method: Method | None = None,
) -> PersonaVector:
    """Return the vector of a persona by its answers and neutral ones, with how good it is.

    What is steered with is by `origin.method`; what is read along is always the difference of the answers' own words.
    Every question weighs the same, and only those count that were answered in both poles.

    Args:
        common: (layers, D), what all personas' system prompts add alike, to be taken out of what is steered with.
        method: makes the directions of the mean activations for each question, as they were written; without it they
            are a mean over the questions.

    Raises:
        VectorError: there are too few answers to take a mean over, or numbers that overflow.
        UsageError: `method` cannot be used on them.
    """
    kept = (selection.positive, selection.neutral)
    texts = question_means(positive, kept[0], as_text), question_means(neutral, kept[1], as_text)
    shared = sorted(texts[0].keys() & texts[1].keys())
    if not shared:
        raise VectorError(f"no question was answered both with and without {positive.name}; try more answers")
    if method is None:
        steering = _steering(positive, neutral, kept, origin.method, common)
    else:
        steering = _by(method, positive, neutral, kept)
    directions = steering(shared)
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
    if len(shared) < (2 if method is None else _FEWEST):  # a single question cannot be held out from itself
        return vector
    return replace(vector, quality=held_out_quality(positive, neutral, kept, shared, steering))


def _steering(
    positive: Pole, neutral: Pole, kept: tuple[Kept, Kept], method: str, common: Floats | None
) -> _Directions:
    """Return what makes directions as the mean over questions of what the answers to each would steer with."""
    if method == PROMPT_EFFECT:
        means = question_means(positive, kept[0], prompt_effect)
    else:
        own, others = question_means(positive, kept[0]), question_means(neutral, kept[1])
        means = {question: own[question] - others[question] for question in own.keys() & others.keys()}
    if common is not None:
        means = {question: mean - common for question, mean in means.items()}
    return partial(_mean, means)


def _by(method: Method, positive: Pole, neutral: Pole, kept: tuple[Kept, Kept]) -> _Directions:
    """Return what makes directions by a method, of a row for each question."""
    own, others = question_means(positive, kept[0]), question_means(neutral, kept[1])

    def directions(questions: Sequence[int]) -> Floats:
        return checked(method, *(np.stack([means[question] for question in questions]) for means in (own, others)))

    return directions


def _mean(by_question: Mapping[int, Floats], questions: Sequence[int]) -> Floats:
    total: NDArray[np.float64] = np.stack([by_question[question] for question in questions]).mean(0, dtype=np.float64)
    return total.astype(np.float32)


def versions() -> str:
    """Return what the activations were computed with, in words."""
    return f"mlx {version('mlx')}, mlx-lm {version('mlx-lm')}"


def held_out_quality(
    positive: Pole,
    neutral: Pole,
    kept: tuple[Kept, Kept],
    questions: Sequence[int],
    steering: Callable[[Sequence[int]], Floats],
) -> Quality | None:
    """Return how well readings separate answers that share no question and no system prompt with what they are from.

    The questions are dealt out, in turn, into as many parts as there are system prompts. Questions get their system
    prompts in turn as well, so that with one answer to each a part is what one system prompt has said. Where there is
    one system prompt, or a text of the writer's own, parts are fifths in a row: what stands side by side is alike. The
    persona's answers to one part under one system prompt are held against the neutral answers to that part, along the
    reading of all other parts under the other system prompts.

    Args:
        positive: answers as the persona.
        neutral: answers as nobody in particular.
        kept: which answers of either pole count.
        questions: that were answered in both poles, in order; at least two.
        steering: what the answers to some of the questions alone would steer with, (layers, D).

    Returns:
        None if nothing can be held out: there are too few questions, or too few answers of them that count.
    """
    part_of = _dealt(questions, len(set(positive.systems)))
    own = _Sums.of(positive, kept[0], part_of)
    others = _Sums.of(neutral, kept[1], part_of)
    folds = {cell: vector for cell in own.counts if (vector := _vector_without(cell, own, others)) is not None}
    if not folds:
        return None
    scored = _scored(positive, kept[0], part_of, folds)
    against = {cell: _projections(neutral, kept[1], part_of, cell[0], vector) for cell, vector in folds.items()}
    held = [_Fold(*scored[cell], *against[cell]) for cell in folds if len(scored[cell][0]) and len(against[cell][0])]
    if not held:
        return None
    half = len(questions) // 2
    first, second = steering(questions[:half]), steering(questions[half:])
    layers = len(first)
    return Quality(
        held_out_auc=tuple(_pooled(held).tolist()),
        split_half_cosine=tuple(_cosines(first, second).tolist()),
        auc_interval=_interval(held, questions, read_layer(layers)),
    )


def _dealt(questions: Sequence[int], systems: int) -> dict[int, int]:
    """Return the part of each question. A question is its number among all questions, as its system prompt is."""
    dealt = {question: question % systems for question in questions}
    if len(set(dealt.values())) > 1:
        return dealt
    parts = min(_PARTS, len(questions))
    return {question: place * parts // len(questions) for place, question in enumerate(questions)}


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums (layers, D) of the activations of the answers in each cell, and how many there are."""

    sums: Mapping[_Cell, NDArray[np.float64]]
    counts: Mapping[_Cell, int]

    @classmethod
    def of(cls, pole: Pole, kept: Kept, part_of: Mapping[int, int]) -> "_Sums":
        sums: dict[_Cell, NDArray[np.float64]] = {}
        counts: dict[_Cell, int] = {}
        for cell, _, mean in _answers(pole, kept, part_of):
            sums[cell] = sums.get(cell, np.zeros(mean.shape)) + mean
            counts[cell] = counts.get(cell, 0) + 1
        return cls(sums, counts)

    def mean(self, cells: Sequence[_Cell]) -> Floats | None:
        """Return (layers, D), the mean over some cells; None if no answer is in them."""
        count = sum(self.counts.get(cell, 0) for cell in cells)
        if count == 0:
            return None
        total = sum((self.sums[cell] for cell in cells if cell in self.sums), np.zeros(1))
        return np.asarray(total / count, np.float32)


@dataclass(frozen=True, eq=False)
class _Fold:
    """Scores (N, layers) of answers along one vector and the questions (N,) they answer, of either pole."""

    positive: Floats
    asked: NDArray[np.int64]
    neutral: Floats
    asked_neutrally: NDArray[np.int64]


def _answers(pole: Pole, kept: Kept, part_of: Mapping[int, int]) -> Iterator[tuple[_Cell, int, Floats]]:
    """Yield the cell, the question and the activations (layers, D) of each answer that counts."""
    rollouts = (rollout for batch in pole for rollout in batch)
    for rollout, counts, system in zip(rollouts, kept, pole.systems, strict=True):
        if counts and rollout.as_text.tokens > 0 and rollout.question in part_of:
            yield (part_of[rollout.question], system), rollout.question, rollout.as_text.mean


def _vector_without(cell: _Cell, own: _Sums, others: _Sums) -> Floats | None:
    """Return the reading (layers, D) of the other parts of the questions and the other system prompts."""
    part, system = cell
    one_system = len({number for _, number in own.counts}) == 1
    train = [each for each in own.counts if each[0] != part and (one_system or each[1] != system)]
    means = own.mean(train), others.mean([each for each in others.counts if each[0] != part])
    return None if means[0] is None or means[1] is None else mean_difference(means[0][None], means[1][None])


def _scored(
    pole: Pole, kept: Kept, part_of: Mapping[int, int], folds: Mapping[_Cell, Floats]
) -> dict[_Cell, tuple[Floats, NDArray[np.int64]]]:
    """Return for each cell its answers' scores along the vector that it was left out of, and their questions."""
    scores: dict[_Cell, list[Floats]] = {cell: [] for cell in folds}
    asked: dict[_Cell, list[int]] = {cell: [] for cell in folds}
    for cell, question, mean in _answers(pole, kept, part_of):
        if cell in folds:
            scores[cell].append(np.einsum("ld,ld->l", mean, folds[cell]))
            asked[cell].append(question)
    return {cell: (np.array(scores[cell], np.float32), np.array(asked[cell], np.int64)) for cell in folds}


def _projections(
    pole: Pole, kept: Kept, part_of: Mapping[int, int], part: int, vector: Floats
) -> tuple[Floats, NDArray[np.int64]]:
    found = [
        (np.einsum("ld,ld->l", mean, vector), question)
        for cell, question, mean in _answers(pole, kept, part_of)
        if cell[0] == part
    ]
    return np.array([score for score, _ in found], np.float32), np.array([asked for _, asked in found], np.int64)


def _pooled(folds: Sequence[_Fold]) -> Floats:
    """Return (layers,), the mean AUC of the folds, each weighing as its answers do."""
    return np.asarray(np.average([auc(f.positive, f.neutral) for f in folds], axis=0, weights=_weights(folds)))


def _weights(folds: Sequence[_Fold]) -> list[int]:
    return [len(fold.positive) for fold in folds]


def _interval(folds: Sequence[_Fold], questions: Sequence[int], layer: int) -> tuple[float, float]:
    """Return the 95 % interval of the AUC at a layer, by a bootstrap over the questions: their answers go together."""
    count = len(questions)
    drawn = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), _DRAWS).astype(np.float64)
    total, weight = np.zeros(_DRAWS), np.zeros(_DRAWS)
    for fold in folds:
        # (answers, questions): whose answer it is. Sums by question, so that nothing grows with the answers.
        own, others = (asked[:, None] == np.array(questions) for asked in (fold.asked, fold.asked_neutrally))
        higher, lower = fold.positive[:, layer, None], fold.neutral[None, :, layer]
        wins = own.T @ ((higher > lower) + 0.5 * (higher == lower)) @ others
        answers, pairs = drawn @ own.sum(axis=0), (drawn @ own.sum(axis=0)) * (drawn @ others.sum(axis=0))
        total += np.where(pairs > 0, ((drawn @ wins) * drawn).sum(axis=1) / np.maximum(pairs, 1), 0.0) * answers
        weight += answers * (pairs > 0)
    low, high = np.quantile(total[weight > 0] / weight[weight > 0], [_TAIL, 1 - _TAIL])
    return float(low), float(high)


def _cosines(a: Floats, b: Floats) -> Floats:
    """Return (layers,), the cosine of two vectors (layers, D) at every layer."""
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return np.asarray(np.clip(np.einsum("ld,ld->l", a, b) / np.maximum(lengths, 1e-12), -1, 1), np.float32)
