"""Intervals, p-values, areas under ROC curves and rising sequences, against closed forms, counts and tables."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.measure import statistics
from billy_mlx.measure.statistics import (
    auc,
    crossing,
    decisions_needed,
    differences_needed,
    holm,
    isotonic,
    item_means,
    mean_interval,
    sign_flip_p,
    sign_test_p,
    smallest_effect,
    stretch,
    wilson_interval,
)


def test_the_interval_of_many_normal_values_is_the_normal_one():
    values = np.random.default_rng(4).normal(10, 3, size=400)
    found = mean_interval(list(values))
    width = 2 * 1.96 * values.std() / math.sqrt(400)
    assert found.mean == pytest.approx(values.mean())
    assert found.high - found.low == pytest.approx(width, rel=0.03)
    assert (found.high + found.low) / 2 == pytest.approx(found.mean, abs=0.03 * width)


@pytest.mark.parametrize("items", [2, 5, 10, 30])
def test_19_intervals_in_20_hold_the_true_mean(items):
    samples = np.random.default_rng(items).normal(2, 1, size=(2000, items))
    found = [mean_interval(list(sample), rounds=2000) for sample in samples]
    assert np.mean([each.low <= 2 <= each.high for each in found]) == pytest.approx(0.95, abs=0.02)


def test_heads_and_tails_have_the_quantiles_of_the_binomial():
    found = mean_interval([0.0, 1.0] * 10)
    below = np.cumsum([math.comb(20, heads) / 2**20 for heads in range(21)])
    heads = int(np.searchsorted(below, 0.025))
    reach = (0.5 - heads / 20) * stretch(20)
    assert tuple(found) == pytest.approx((0.5, 0.5 - reach, 0.5 + reach, 20))


def test_two_items_leave_nearly_everything_open():
    reach = 2 * 12.706 / 1.95996 * math.sqrt(2)
    assert tuple(mean_interval([3.0, 7.0])) == pytest.approx((5.0, 5 - reach, 5 + reach, 2), rel=1e-5)


@pytest.mark.parametrize("values", [[], [0.3]])
def test_fewer_than_two_items_have_no_interval(values):
    assert mean_interval(values) is None


def test_equal_values_leave_no_doubt_and_hold_their_mean():
    found = mean_interval([0.1] * 7)
    assert found.low == pytest.approx(0.1)
    assert found.high == pytest.approx(0.1)
    assert found.low <= found.mean <= found.high


def test_the_same_seed_draws_the_same_samples():
    values = list(np.random.default_rng(0).normal(size=25))
    assert mean_interval(values, seed=3) == mean_interval(values, seed=3)
    assert mean_interval(values, seed=3) != mean_interval(values, seed=4)


def test_seeds_of_an_item_are_one_value():
    values = [("a", 1.0), ("b", 4.0), ("a", 3.0), ("b", None), ("c", None)]
    assert item_means(values) == {"a": 2.0, "b": 4.0}


@pytest.mark.parametrize("items", [2, 3, 5, 10, 11, 30, 150])
def test_percentiles_arestretched_to_students_t(items):
    free = items - 1
    t = 1.95996 * stretch(items) / math.sqrt(items / free)
    x = np.linspace(-t, t, 20_001)
    scale = math.exp(math.lgamma(items / 2) - math.lgamma(free / 2)) / math.sqrt(free * math.pi)
    inside = np.trapezoid(scale * (1 + x**2 / free) ** (-items / 2), x)
    assert inside == pytest.approx(0.95, abs=3e-4)


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
    monkeypatch.setattr(statistics, "_EXACT", 0)
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
    spreads, weights = statistics._spreads(1)
    beyond = 2 * weights @ statistics._below(-np.tan(0.475 * np.pi) * spreads)
    assert beyond == pytest.approx(0.05, rel=1e-4)


@pytest.mark.slow
def test_the_smallest_effect_is_found_four_times_in_five():
    effect = smallest_effect(1, 14)
    samples = np.random.default_rng(7).normal(effect, 1, (1500, 14))
    assert np.mean([sign_flip_p(list(sample)) <= 0.05 for sample in samples]) == pytest.approx(0.8, abs=0.035)


@pytest.mark.parametrize(("count", "power", "level"), [(1, 0.8, 0.05), (9, 0.04, 0.05), (9, 1.0, 0.05), (9, 0.8, 0.0)])
def test_what_has_no_answer_is_refused(count, power, level):
    with pytest.raises(ValueError, match="no effect of"):
        smallest_effect(1, count, power=power, level=level)


# G*Power's t-test of matched pairs, and tables of it.
@pytest.mark.parametrize(("effect", "count"), [(0.3, 90), (0.4, 52), (0.5, 34), (0.8, 15), (1.0, 10)])
def test_the_differences_that_are_needed_are_those_of_tables(effect, count):
    assert differences_needed(effect) == count
    assert smallest_effect(1, count) <= effect < smallest_effect(1, count - 1)


def test_a_stricter_level_needs_more_and_no_effect_is_never_found():
    assert differences_needed(0.5, level=0.01) > differences_needed(0.5)
    assert differences_needed(0.5, power=0.9) > differences_needed(0.5)
    with pytest.raises(ValueError, match="found by no number"):
        differences_needed(0)


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


VALUES = st.lists(st.floats(-100, 100), max_size=12)


@given(VALUES)
def test_what_is_smoothed_rises_and_keeps_length_and_sum(values):
    found = isotonic(values)
    assert found == sorted(found)
    assert len(found) == len(values)
    assert sum(found) == pytest.approx(sum(values), abs=1e-6)


@given(VALUES.map(sorted))
def test_what_rises_already_is_left_alone(values):
    assert isotonic(values) == values


@given(VALUES, st.lists(st.floats(-100, 100), min_size=12, max_size=12).map(sorted))
def test_no_rising_sequence_is_nearer(values, other):
    nearest, there = np.array(isotonic(values)), np.array(values)
    assert np.sum((nearest - there) ** 2) <= np.sum((np.array(other[: len(values)]) - there) ** 2) + 1e-6


def test_neighbours_that_fall_share_their_mean():
    assert isotonic([1, 3, 2, 4]) == [1, 2.5, 2.5, 4]
    assert isotonic([3, 2, 1]) == [2, 2, 2]
    assert isotonic([1, 5, 2, 2, 6]) == [1, 3, 3, 3, 6]


def test_a_crossing_lies_on_the_line_between_two_places():
    assert crossing([1, 2, 4], [1, 2, 6], 4) == pytest.approx(3)
    assert crossing([1, 2, 4], [1, 2, 6], 2) == pytest.approx(2)
    assert crossing([1, 2, 4], [1, 2, 6], 6) == pytest.approx(4)


def test_before_the_first_place_the_line_comes_from_nothing():
    assert crossing([2, 4], [8, 9], 2) == pytest.approx(0.5)


def test_a_level_that_is_not_reached_has_no_crossing():
    assert crossing([1, 2], [1, 2], 2.1) is None
    assert crossing([], [], 1) is None


def test_noise_is_smoothed_before_it_is_crossed():
    """One lucky value does not count: 3 and 1 are two of 2."""
    assert crossing([1, 2, 3], [3, 1, 4], 3) == pytest.approx(2.5)


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=8), st.floats(0.01, 2))
def test_a_crossing_is_where_the_smoothed_line_stands_at_the_level(values, level):
    places = list(range(1, len(values) + 1))
    found = crossing(places, values, level)
    line = [0.0, *isotonic(values)]
    assert (found is None) == (line[-1] < level)
    if found is not None:
        assert np.interp(found, [0, *places], line) == pytest.approx(level, abs=1e-6)


@pytest.mark.parametrize(
    ("kept", "decided", "low", "high"),
    [
        (0, 0, 0.0, 1.0),
        (0, 1, 0.0, 3.8415 / 4.8415),  # z²/(1 + z²)
        (1, 1, 1 / 4.8415, 1.0),
        (2, 4, 0.5 - 0.35, 0.5 + 0.35),  # ± z/2 · √(1/(4 + z²)) = 0.98 / √7.8415
        (8, 10, 0.4902, 0.9433),
        (50, 100, 0.4038, 0.5962),
    ],
)
def test_the_interval_of_a_share_is_wilsons(kept, decided, low, high):
    assert wilson_interval(kept, decided) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(
    ("kept", "decided", "p"),
    [(0, 0, 1), (1, 1, 1), (2, 4, 1), (5, 5, 2 / 32), (6, 6, 2 / 64), (0, 6, 2 / 64), (8, 10, 112 / 1024)],
)
def test_a_sign_test_is_exact(kept, decided, p):
    assert sign_test_p(kept, decided) == pytest.approx(p, rel=1e-9)


def test_a_sign_test_of_many_choices_is_quick_and_near_the_normal():
    assert sign_test_p(10_141, 20_000) == pytest.approx(0.047, abs=0.001)  # (141 - 0.5) / √5000 = 1.987


@pytest.mark.parametrize(
    ("kept", "decided", "needed"),
    [(0, 0, None), (5, 10, None), (1, 1, 6), (0, 3, 6), (8, 10, 11), (2, 10, 11), (6, 10, 97)],
)
def test_more_choices_are_needed_the_nearer_a_share_is_to_a_half(kept, decided, needed):
    assert decisions_needed(kept, decided) == needed  # 0.9604 / (share - 0.5)²
