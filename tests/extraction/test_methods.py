"""Directions from activations, against what they must be by hand."""

import numpy as np
import pytest
from numpy.random import default_rng

from billy_mlx.errors import UsageError
from billy_mlx.extraction.methods import (
    _PENALTY,
    _newton,
    checked,
    logistic,
    mean_difference,
    principal_component,
)

UP = np.array([0.0, 1.0, 0.0], np.float32)
ALONG = np.array([0.6, 0.8, 0.0], np.float32)


def stacked(*rows):
    """Rows (N, D) as the activations of two layers, the second twice the first."""
    values = np.array(rows, np.float32)
    return np.stack([values, 2 * values], axis=1)


def test_the_principal_component_is_the_line_of_the_differences_as_long_as_their_mean():
    neutral = stacked([1, 1, 1], [2, 0, 5], [0, 0, 3])
    positive = neutral + stacked(1 * ALONG, 2 * ALONG, 6 * ALONG)
    assert np.allclose(principal_component(positive, neutral), [3 * ALONG, 6 * ALONG], atol=1e-5)


def test_the_principal_component_is_of_the_differences_and_not_of_what_varies_in_both_poles():
    noise = default_rng(0).normal(size=(40, 1, 3)).astype(np.float32) * [100, 0, 0]
    positive, neutral = noise + UP, noise + 0 * UP
    assert np.allclose(principal_component(*(each.astype(np.float32) for each in (positive, neutral))), [UP], atol=1e-4)


@pytest.mark.parametrize("method", [principal_component, logistic])
def test_a_direction_points_from_the_neutral_pole_to_the_positive_one(method):
    random = default_rng(1)
    neutral = random.normal(size=(30, 2, 5)).astype(np.float32)
    positive = random.normal(size=(30, 2, 5)).astype(np.float32) + 4 * np.eye(5, dtype=np.float32)[2]
    there, back = method(positive, neutral), method(neutral, positive)
    assert np.allclose(there, -back, atol=1e-4)
    assert (there[:, 2] > 2).all()


def test_a_logistic_regression_ignores_what_varies_alike_in_both_poles():
    random = default_rng(2)
    shared = random.normal(size=(2, 400, 1, 1)) * [1.0, 2.0] + random.normal(size=(2, 400, 1, 2))
    positive, neutral = (np.asarray(rows, np.float32) for rows in (shared[0] + [2.0, 0.0], shared[1]))
    found = logistic(positive, neutral)[0]
    # By hand: for two normal poles of the same covariance, the best weights are its inverse times the difference.
    expected = np.linalg.solve([[2.0, 2.0], [2.0, 5.0]], [2.0, 0.0])
    assert found @ expected / np.linalg.norm(found) / np.linalg.norm(expected) > 0.97
    assert found[1] < -0.3 * found[0]  # the mean difference has nothing there


def test_the_weights_of_a_logistic_regression_have_no_slope_left():
    random = default_rng(3)
    design = np.concatenate([random.normal(size=(20, 4)), np.ones((20, 1))], axis=1)
    labels = (random.random(20) > 0.5).astype(float)
    weights = _newton(design, labels)

    def loss(at):
        margins = design @ at
        return np.mean(np.logaddexp(0, margins) - labels * margins) + _PENALTY / 2 * (at[:-1] ** 2).sum()

    steps = np.eye(5) * 1e-4
    slopes = [(loss(weights + step) - loss(weights - step)) / 2e-4 for step in steps]
    assert np.allclose(slopes, 0, atol=1e-7)


def test_a_direction_is_as_long_as_the_mean_difference_along_it():
    random = default_rng(4)
    positive, neutral = (random.normal(size=(12, 3, 6)).astype(np.float32) for _ in range(2))
    gap = mean_difference(positive, neutral)
    for method in (principal_component, logistic):
        found = method(positive, neutral)
        assert np.allclose((found * found).sum(-1), (found * gap).sum(-1), rtol=1e-3)


@pytest.mark.parametrize("method", [principal_component, logistic])
def test_too_few_rows_and_unequal_ones_are_refused(method):
    rows = np.ones((3, 2, 4), np.float32)
    for positive, neutral in ((rows[:1], rows[:1]), (rows, rows[:2])):
        with pytest.raises(UsageError, match="at least 2 of each"):
            method(positive, neutral)


def test_a_function_of_ones_own_is_held_to_its_shape():
    rows = np.ones((3, 2, 4), np.float32)
    assert checked(lambda a, b: (a - b).mean(0), rows, 0 * rows).shape == (2, 4)
    with pytest.raises(UsageError, match=r"of shape \(4,\); return \(2, 4\)"):
        checked(lambda a, b: a[0, 0], rows, rows)
    with pytest.raises(UsageError, match="cannot be used"):
        checked(lambda a, b: a + np.ones(7), rows, rows)
