"""Intervals against closed forms."""

import math

import numpy as np
import pytest

from billy_mlx.measure.bootstrap import item_means, mean_interval, stretch


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
