"""Smoothing to a rising sequence, and where it passes a level."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.measure.rising import crossing, smoothed

VALUES = st.lists(st.floats(-100, 100), max_size=12)


@given(VALUES)
def test_what_is_smoothed_rises_and_keeps_length_and_sum(values):
    found = smoothed(values)
    assert found == sorted(found)
    assert len(found) == len(values)
    assert sum(found) == pytest.approx(sum(values), abs=1e-6)


@given(VALUES.map(sorted))
def test_what_rises_already_is_left_alone(values):
    assert smoothed(values) == values


@given(VALUES, st.lists(st.floats(-100, 100), min_size=12, max_size=12).map(sorted))
def test_no_rising_sequence_is_nearer(values, other):
    nearest, there = np.array(smoothed(values)), np.array(values)
    assert np.sum((nearest - there) ** 2) <= np.sum((np.array(other[: len(values)]) - there) ** 2) + 1e-6


def test_neighbours_that_fall_share_their_mean():
    assert smoothed([1, 3, 2, 4]) == [1, 2.5, 2.5, 4]
    assert smoothed([3, 2, 1]) == [2, 2, 2]
    assert smoothed([1, 5, 2, 2, 6]) == [1, 3, 3, 3, 6]


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
    line = [0.0, *smoothed(values)]
    assert (found is None) == (line[-1] < level)
    if found is not None:
        assert np.interp(found, [0, *places], line) == pytest.approx(level, abs=1e-6)
