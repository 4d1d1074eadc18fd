"""Diversity of embeddings, at its extremes and by hand."""

import math

import numpy as np
import pytest

from billy_mlx.measure.diversity import mean_distance, vendi_score

SAME = np.tile(np.array([[3, 4]], np.float32), (5, 1))
UNRELATED = 2 * np.eye(4, dtype=np.float32)
OPPOSED = np.array([[1, 0], [-1, 0]], np.float32)


def test_identical_rows_have_no_distance_and_count_as_one():
    assert mean_distance(SAME) == pytest.approx(0, abs=1e-12)
    assert vendi_score(SAME) == pytest.approx(1)


def test_orthonormal_rows_are_at_distance_1_and_count_as_many():
    assert mean_distance(UNRELATED) == pytest.approx(1)
    assert vendi_score(UNRELATED) == pytest.approx(4)


def test_opposed_rows_are_at_distance_2_and_count_as_one_axis():
    assert mean_distance(OPPOSED) == pytest.approx(2)
    assert vendi_score(OPPOSED) == pytest.approx(1)


def test_a_mean_distance_is_that_of_all_pairs():
    rows = np.random.default_rng(1).normal(size=(7, 5)).astype(np.float32)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    pairs = [1 - float(unit[i] @ unit[j]) for i in range(7) for j in range(i)]
    assert mean_distance(rows) == pytest.approx(sum(pairs) / 21, abs=1e-6)


def test_two_rows_at_60_degrees_have_the_entropy_of_three_quarters():
    rows = np.array([[1, 0], [0.5, math.sqrt(0.75)]], np.float32)  # eigenvalues of K/2: (1 ± cos 60°) / 2
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert vendi_score(rows) == pytest.approx(math.exp(entropy), rel=1e-6)


def test_a_group_of_copies_counts_by_its_share():
    rows = np.eye(2, dtype=np.float32)[[0, 0, 0, 1]]
    assert vendi_score(rows) == pytest.approx(math.exp(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25))))


def test_rows_of_zeros_do_not_count():
    rows = np.concatenate([UNRELATED, np.zeros((3, 4), np.float32)])
    assert (mean_distance(rows), vendi_score(rows)) == pytest.approx((1, 4))


def test_too_few_rows_have_no_diversity():
    assert mean_distance(SAME[:1]) is None
    assert mean_distance(SAME[:0]) is None
    assert vendi_score(SAME[:0]) is None
    assert vendi_score(SAME[:1]) == pytest.approx(1)
