"""Samplers: what they can draw, and that a row draws alone what it draws in company."""

import mlx.core as mx
import numpy as np
import pytest
from mlx_lm.sample_utils import make_repetition_penalty

from billy_mlx.errors import UsageError
from billy_mlx.model.sample import draw, repetition_penalty, row_keys
from billy_mlx.model.sampling import Sampling

LOGITS = mx.log(mx.array([[0.4, 0.3, 0.2, 0.06, 0.04]]))


def drawn(sampling, times=2000):
    """Return how often each token of LOGITS is drawn, over many seeds."""
    logits = mx.broadcast_to(LOGITS, (times, 5))
    return np.bincount(np.array(draw(logits, [sampling] * times, row_keys(range(times)))), minlength=5)


def plain(**settings):
    return Sampling(**({"temperature": 1.0, "min_p": 0.0} | settings))


def test_the_distribution_is_the_softmax():
    assert np.allclose(drawn(plain()) / 2000, [0.4, 0.3, 0.2, 0.06, 0.04], atol=0.04)


def test_temperature_is_applied_last():
    expected = np.array([0.4, 0.3, 0.2, 0.06, 0.04]) ** 2
    assert np.allclose(drawn(plain(temperature=0.5)) / 2000, expected / expected.sum(), atol=0.04)


@pytest.mark.parametrize(
    ("settings", "possible"),
    [
        ({"temperature": 0.0}, {0}),
        ({"top_k": 2}, {0, 1}),
        ({"top_p": 0.65}, {0, 1}),
        ({"min_p": 0.4}, {0, 1, 2}),
        ({"top_k": 500}, {0, 1, 2, 3, 4}),
        ({"xtc_probability": 1.0, "xtc_threshold": 0.15}, {2, 3, 4}),
        ({"xtc_probability": 1.0, "xtc_threshold": 0.35}, {0, 1, 2, 3, 4}),
    ],
)
def test_filters_leave_what_they_should(settings, possible):
    assert set(np.flatnonzero(drawn(plain(**settings)))) == possible


def test_xtc_acts_in_the_given_share_of_the_steps():
    first = drawn(plain(xtc_probability=0.5, xtc_threshold=0.15))[0] / 2000
    assert abs(first - 0.2) < 0.04


def test_xtc_counts_probabilities_after_the_filters_before_it():
    logits = mx.log(mx.array([[0.3, 0.12, 0.11, 0.1, 0.09, 0.09, 0.09, 0.1]]))
    settings = plain(top_p=0.5, xtc_probability=1.0, xtc_threshold=0.15)
    assert draw(logits, [settings], row_keys([1])).item() == 2


def test_xtc_leaves_alone_what_must_never_be_excluded():
    logits = mx.broadcast_to(LOGITS, (200, 5))
    settings = [plain(xtc_probability=1.0, xtc_threshold=0.15)] * 200
    tokens = draw(logits, settings, row_keys(range(200)), mx.array([0])).tolist()
    assert set(tokens) == {0, 2, 3, 4}


@pytest.mark.parametrize("settings", [{}, {"top_p": 0.9, "xtc_probability": 0.5}, {"temperature": 0.0}])
def test_a_row_draws_alone_what_it_draws_in_company(settings):
    logits = mx.random.normal((6, 50))
    samplings = [plain(**settings), plain(top_k=5), Sampling(), plain(**settings), plain(min_p=0.1), plain()]
    keys = row_keys([7, 8, 9, 7, 7, 1])
    together = draw(logits, samplings, keys).tolist()
    assert together == [draw(logits[r : r + 1], [samplings[r]], keys[r : r + 1]).item() for r in range(6)]


def test_the_same_seed_draws_the_same_and_another_step_something_else():
    logits = mx.zeros((2, 10_000))
    first, second = draw(logits, [plain()] * 2, row_keys([5, 5])).tolist()
    later = draw(logits[:1], [plain()], row_keys([5]) + mx.array([1, 0], mx.uint32)).item()
    assert first == second != later


def test_the_repetition_penalty_is_mlx_lms():
    logits, context = mx.random.normal((1, 30)), mx.array([3, 5, 3, 9])
    expected = make_repetition_penalty(1.3)(context, mx.array(logits))
    assert mx.allclose(repetition_penalty(logits, context, 1.3), expected)


@pytest.mark.parametrize("settings", [{"temperature": -1}, {"top_p": 1.5}, {"min_p": float("nan")}, {"top_k": -1}])
def test_a_setting_out_of_range_is_named_with_its_range(settings):
    with pytest.raises(UsageError, match=f"{next(iter(settings))} is .* it goes from"):
        Sampling(**settings)
