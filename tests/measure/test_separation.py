"""The area under the ROC curve, against counting every pair."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.measure.separation import auc

# A few whole numbers, so that many of them are level.
GROUPS = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=12).map(np.array)


def by_pairs(positive, neutral):
    pairs = [(a > b) + (a == b) / 2 for a in positive for b in neutral]
    return sum(pairs) / len(pairs)


@given(GROUPS, GROUPS)
def test_it_is_the_share_of_pairs_in_order_with_ties_as_halves(positive, neutral):
    assert auc(positive, neutral) == pytest.approx(by_pairs(positive, neutral), abs=1e-12)


@given(GROUPS, GROUPS)
def test_the_groups_the_other_way_round_give_the_rest_to_one(positive, neutral):
    assert auc(positive, neutral) + auc(neutral, positive) == pytest.approx(1)


@given(GROUPS, GROUPS, st.floats(0.1, 10))
def test_only_the_order_counts(positive, neutral, factor):
    assert auc(positive, neutral) == pytest.approx(float(auc(np.exp(positive) * factor, np.exp(neutral) * factor)))


def test_groups_apart_level_and_the_wrong_way_round():
    low, high = np.array([1.0, 2.0]), np.array([3.0, 4.0, 5.0])
    assert (auc(high, low), auc(low, high), auc(low[:1], low[:1])) == (1, 0, 0.5)


def test_every_column_is_a_comparison_of_its_own():
    random = np.random.default_rng(0)
    positive, neutral = (random.integers(0, 4, size=(rows, 2, 3)).astype(np.float32) for rows in (5, 7))
    found = auc(positive, neutral)
    assert found.shape == (2, 3)
    for place in np.ndindex(2, 3):
        assert found[place] == pytest.approx(by_pairs(positive[:, *place], neutral[:, *place]))


def test_the_groups_are_left_as_they_were():
    positive, neutral = np.array([3.0, 1.0]), np.array([2.0, 0.0])
    auc(positive, neutral)
    assert (positive.tolist(), neutral.tolist()) == ([3.0, 1.0], [2.0, 0.0])
