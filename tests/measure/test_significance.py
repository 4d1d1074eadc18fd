"""Tests of differences against counts by hand and published tables."""

import itertools

import numpy as np
import pytest

from billy_mlx.measure import significance
from billy_mlx.measure.significance import holm, sign_flip_p, smallest_effect


@pytest.mark.parametrize(
    ("differences", "p"),
    [
        ([1.0, 2.0, 3.0], 2 / 8),  # +++ and ---
        ([1.0, 2.0, -3.0], 8 / 8),  # the sum is 0
        ([-1.0, 2.0, 3.0], 4 / 8),  # as far as 4: 6, 4, -4, -6
        ([4.0], 1.0),
        ([1.0, 1.0, 1.0, 1.0, 1.0, -1.0], 14 / 64),  # two ways for 6 and 12 for 4
        ([0.1] * 6, 2 / 64),
        ([0.0, 0.0, 0.0], 1.0),
        ([], 1.0),
    ],
)
def test_few_differences_are_counted_out(differences, p):
    assert sign_flip_p(differences) == pytest.approx(p)


def test_signs_and_order_do_not_matter_but_to_each_other():
    values = list(np.random.default_rng(1).normal(0.4, 1, 11))
    ways = itertools.product((1, -1), repeat=11)
    by_hand = np.mean([abs(np.dot(way, values)) >= abs(sum(values)) - 1e-12 for way in ways])
    assert sign_flip_p(values) == pytest.approx(by_hand)
    assert sign_flip_p([-value for value in values[::-1]]) == pytest.approx(by_hand)


def test_many_differences_are_drawn_near_the_exact_count(monkeypatch):
    values = list(np.random.default_rng(2).normal(0.45, 1, 16))
    exact = sign_flip_p(values)
    monkeypatch.setattr(significance, "_EXACT", 0)
    assert sign_flip_p(values, rounds=40_000) == pytest.approx(exact, abs=0.006)
    assert sign_flip_p(values, seed=3) == sign_flip_p(values, seed=3) != sign_flip_p(values, seed=4)


def test_what_was_seen_counts_as_one_more_way():
    assert sign_flip_p([1.0] * 60, rounds=999) == pytest.approx(1 / 1000)


def test_chance_is_taken_for_a_difference_one_time_in_twenty():
    samples = np.random.default_rng(5).normal(0, 1, (2000, 10))
    assert np.mean([sign_flip_p(list(sample)) <= 0.05 for sample in samples]) == pytest.approx(0.05, abs=0.012)


@pytest.mark.parametrize(
    ("p_values", "corrected"),
    [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.04, 0.01], [0.04, 0.02]),
        ([0.5, 0.6, 0.4], [1.0, 1.0, 1.0]),
        ([0.02, 0.02], [0.04, 0.04]),
        ([0.3], [0.3]),
        ([], []),
    ],
)
def test_holm_multiplies_by_how_many_are_left(p_values, corrected):
    assert holm(p_values) == pytest.approx(corrected)


# By 20-digit quadrature of the noncentral t with mpmath; 20 differences are the 0.6604 of R's power.t.test as well.
@pytest.mark.parametrize(
    ("count", "level", "effect"),
    [
        (5, 0.05, 1.681997),
        (10, 0.05, 0.99600137),
        (20, 0.05, 0.66044165),
        (48, 0.05, 0.412874),
        (48, 0.05 / 24, 0.5959531),
        (200, 0.05, 0.19906418),
    ],
)
def test_the_smallest_effect_is_that_of_tables(count, level, effect):
    assert smallest_effect(1, count, level=level) == pytest.approx(effect, rel=1e-5)
    assert smallest_effect(2.5, count, level=level) == pytest.approx(2.5 * effect, rel=1e-5)


def test_two_differences_are_told_by_the_very_small_spreads():
    # With one degree of freedom t is Cauchy's, beyond tan(0.475 pi) = 12.706 one time in twenty.
    spreads, weights = significance._spreads(1)
    beyond = 2 * weights @ significance._below(-np.tan(0.475 * np.pi) * spreads)
    assert beyond == pytest.approx(0.05, rel=1e-4)


def test_the_smallest_effect_is_found_four_times_in_five():
    effect = smallest_effect(1, 14)
    samples = np.random.default_rng(7).normal(effect, 1, (1500, 14))
    assert np.mean([sign_flip_p(list(sample)) <= 0.05 for sample in samples]) == pytest.approx(0.8, abs=0.035)


@pytest.mark.parametrize(("count", "power", "level"), [(1, 0.8, 0.05), (9, 0.04, 0.05), (9, 1.0, 0.05), (9, 0.8, 0.0)])
def test_what_has_no_answer_is_refused(count, power, level):
    with pytest.raises(ValueError, match="no effect of"):
        smallest_effect(1, count, power=power, level=level)
