"""Means and quality over poles on disk: a direction planted into random activations, and answers that do not count."""

import numpy as np
import pytest
from helpers.random_vectors import FINGERPRINT

from billy_mlx.errors import VectorError
from billy_mlx.extraction.difference import held_out_quality
from billy_mlx.extraction.methods import mean_difference
from billy_mlx.extraction.pole import Pole, Rollout, question_means, residual_norm
from billy_mlx.measure.activations import Average

LAYERS, WIDTH = 4, 32
PLANTED = np.zeros((LAYERS, WIDTH), np.float32)
PLANTED[2:] = np.random.default_rng(9).normal(size=(2, WIDTH))  # of norm 5.7, more or less, as the noise is


def write_pole(name, answers):
    """A pole of answers (question, mean, tokens), in two batches; the norm at a layer is that of the mean."""
    pole = Pole(name, name.lower(), [question for question, _, _ in answers], FINGERPRINT)
    rollouts = [
        Rollout(question, "", (), Average(mean, np.linalg.norm(mean, axis=-1), tokens, mean))
        for question, mean, tokens in answers
    ]
    for part in (rollouts[: len(rollouts) // 2], rollouts[len(rollouts) // 2 :]):
        if part:
            pole.add(part)
    return pole


def random_pole(name, seed, *, planted=0.0, by_question=0.0, questions=8, turns=6):
    """Answers of noise, the planted direction, and so much of what all answers to the same question share."""
    random = np.random.default_rng(seed)
    shared = by_question * random.normal(size=(questions, LAYERS, WIDTH))
    answers = []
    for number in range(questions * turns):
        mean = random.normal(size=(LAYERS, WIDTH)) + planted * PLANTED + shared[number % questions]
        answers.append((number % questions, mean.astype(np.float32), 3))
    return write_pole(name, answers)


def quality_of(positive, neutral, kept=None):
    kept = ([True] * len(positive), [True] * len(neutral)) if kept is None else kept
    own, others = question_means(positive, kept[0]), question_means(neutral, kept[1])
    shared = sorted(own.keys() & others.keys())
    return held_out_quality(
        positive, neutral, kept, shared, lambda asked: np.mean([own[q] - others[q] for q in asked], axis=0)
    )


def test_a_planted_direction_is_the_mean_difference_at_its_layers():
    means = [question_means(pole, [True] * 48) for pole in (random_pole("A", 0, planted=1), random_pole("B", 1))]
    found = mean_difference(*(np.stack(list(own.values())) for own in means))
    cosines = (found * PLANTED).sum(-1) / np.linalg.norm(found, axis=-1) / np.linalg.norm(PLANTED + 1e-9, axis=-1)
    assert cosines[2:] == pytest.approx([1, 1], abs=0.05)
    assert np.linalg.norm(found[:2], axis=-1).max() < 0.4 * np.linalg.norm(found[2:], axis=-1).min()


def test_held_out_answers_are_separated_where_a_direction_is_planted_and_nowhere_else():
    quality = quality_of(random_pole("A", 0, planted=1, turns=60), random_pole("B", 1, turns=60))
    assert min(quality.held_out_auc[2:]) > 0.99
    assert quality.held_out_auc[:2] == pytest.approx((0.5, 0.5), abs=0.1)
    assert min(quality.split_half_cosine[2:]) > 0.95
    assert np.abs(quality.split_half_cosine[:2]).max() < 0.4


def test_what_the_answers_to_a_question_share_does_not_pass_for_the_persona():
    """Were a question in both halves, what its answers share would tell the poles apart."""
    poles = (random_pole(name, seed, by_question=2.0, questions=40) for seed, name in enumerate("AB"))
    quality = quality_of(*poles)
    assert np.mean(quality.held_out_auc) == pytest.approx(0.5, abs=0.1)
    assert np.mean(quality.split_half_cosine) == pytest.approx(0, abs=0.2)


def by_system_prompt(*, own, questions=8, systems=4):
    """A pole whose answers are noise and, by `own` of it, what the answers to one system prompt share."""
    random = np.random.default_rng(5)
    shared = own * random.normal(size=(systems, LAYERS, WIDTH))
    asked = [question for question in range(questions) for _ in range(systems)]
    numbers = [system for _ in range(questions) for system in range(systems)]
    pole = Pole("A", "systems", asked, FINGERPRINT, systems=numbers)
    means = [(random.normal(size=(LAYERS, WIDTH)) + shared[system]).astype(np.float32) for system in numbers]
    norms = [np.linalg.norm(mean, axis=-1) for mean in means]
    pole.add([Rollout(q, "", (), Average(*each, 3, each[0])) for q, *each in zip(asked, means, norms, strict=True)])
    return pole


def test_what_the_answers_to_a_system_prompt_share_does_not_pass_for_the_persona():
    """Were a system prompt on both sides, its own words would tell the poles apart."""
    pole, neutral = by_system_prompt(own=3.0, questions=24), random_pole("B", 1, questions=24, turns=2)
    held_out = quality_of(pole, neutral)
    pole.systems = [0] * len(pole)
    on_both_sides = quality_of(pole, neutral)
    assert np.mean(held_out.held_out_auc) < 0.7 < 0.95 < np.mean(on_both_sides.held_out_auc)


def test_one_answer_to_each_question_is_enough_to_find_a_faint_persona():
    """A part is held against all others: with half of 24 answers the reading would be mostly noise."""
    random = np.random.default_rng(4)
    shared, persona = random.normal(size=(2, 24, LAYERS, WIDTH))
    poles = []
    for name, amount in (("A", 0.6), ("B", 0.0)):
        pole = Pole(name, name, list(range(24)), FINGERPRINT, systems=[question % 5 for question in range(24)])
        means = [(2 * one + amount * persona[0] + random.normal(size=one.shape)).astype(np.float32) for one in shared]
        pole.add(
            [Rollout(q, "", (), Average(mean, np.linalg.norm(mean, axis=-1), 3, mean)) for q, mean in enumerate(means)]
        )
        poles.append(pole)
    assert min(quality_of(*poles).held_out_auc) > 0.75


def test_the_interval_holds_the_auc_and_narrows_with_more_questions():
    few, many = (
        quality_of(random_pole("A", 0, planted=0.15, questions=n), random_pole("B", 1, questions=n)) for n in (8, 48)
    )
    for quality in (few, many):
        low, high = quality.auc_interval
        assert low <= quality.held_out_auc[LAYERS * 3 // 4] <= high
    assert np.ptp(many.auc_interval) < 0.7 * np.ptp(few.auc_interval)


def test_a_half_is_projected_on_the_vector_of_the_other_half(monkeypatch):
    """Two questions whose vectors point against each other: each separates the other's answers the wrong way round."""
    across = [np.full((LAYERS, WIDTH), value, np.float32) for value in (1.0, -1.0)]
    positive = write_pole("A", [(0, across[0], 3), (1, across[1], 3)])
    neutral = write_pole("B", [(0, 0 * across[0], 3), (1, 0 * across[1], 3)])
    quality = quality_of(positive, neutral)
    assert quality.held_out_auc == (0.0,) * LAYERS
    assert quality.split_half_cosine == pytest.approx((-1.0,) * LAYERS)


def test_a_question_that_only_one_pole_answered_is_in_neither_half():
    positive, neutral = random_pole("A", 0, planted=1), random_pole("B", 1)
    without_first = [question != 0 for question in neutral.asked]
    quality = quality_of(positive, neutral, ([True] * 48, without_first))
    same = quality_of(positive, neutral, ([question != 0 for question in positive.asked], without_first))
    assert quality == same


@pytest.mark.parametrize("counts", [[True, True, True], [True, False, True]])
def test_the_residual_norm_is_a_mean_over_tokens_of_answers_that_count(counts):
    means = [np.eye(1, WIDTH) * value * np.ones((LAYERS, 1)) for value in (2.0, 100.0, 6.0)]
    pole = write_pole(
        "B",
        [(n, mean.astype(np.float32), tokens) for n, (mean, tokens) in enumerate(zip(means, (3, 2, 1), strict=True))],
    )
    expected = 212 / 6 if all(counts) else 12 / 4
    assert residual_norm(pole, counts) == pytest.approx([expected] * LAYERS)


def test_a_pole_of_which_nothing_counts_is_a_sentence():
    pole = random_pole("Noir", 0)
    with pytest.raises(VectorError, match=r"gave no answer for Noir; try another model, or more answers"):
        question_means(pole, [False] * len(pole))


def test_an_answer_that_does_not_count_changes_nothing():
    positive, neutral = random_pole("A", 0, planted=1), random_pole("B", 1)
    wild = [(0, np.full((LAYERS, WIDTH), 1e6, np.float32), 3)]
    answers = [(r.question, r.average.mean, r.average.tokens) for batch in positive for r in batch]
    more = write_pole("More", answers + wild)
    assert quality_of(more, neutral, ([True] * 48 + [False], [True] * 48)) == quality_of(positive, neutral)
    kept = question_means(more, [True] * 48 + [False])
    assert all(np.array_equal(mean, kept[q]) for q, mean in question_means(positive, [True] * 48).items())
