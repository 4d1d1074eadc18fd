"""Samplers: what they can draw, and that a row draws alone what it draws in company."""

import json
from dataclasses import fields

import mlx.core as mx
import numpy as np
import pytest
from mlx_lm.sample_utils import make_logits_processors

from billy_mlx.errors import UsageError
from billy_mlx.model.sample import biased, draw, less_repeated, row_keys
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
    tokens = draw(logits, settings, row_keys(range(200)), [(0,)] * 200).tolist()
    assert set(tokens) == {0, 2, 3, 4}


def test_what_xtc_leaves_alone_is_a_rows_own():
    logits, kept = mx.broadcast_to(LOGITS, (200, 5)), [(0,), (1,)] * 100
    settings = [plain(xtc_probability=1.0, xtc_threshold=0.15)] * 200
    tokens = draw(logits, settings, row_keys(range(200)), kept).tolist()
    assert (set(tokens[::2]), set(tokens[1::2])) == ({0, 2, 3, 4}, {1, 2, 3, 4})


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


PENALTIES = [
    {"repetition_penalty": 1.3},
    {"presence_penalty": 0.7},
    {"frequency_penalty": 0.3},
    {"presence_penalty": -1.5, "presence_context": 3},
    {"frequency_penalty": -0.4, "frequency_context": 1},
    {"logit_bias": {7: -5, 0: 2.5, 29: 100}},
    {"repetition_penalty": 1.2, "repetition_context": 4, "presence_penalty": 0.5, "frequency_penalty": 1.1},
    {"repetition_penalty": 0.9, "frequency_penalty": 0.2, "frequency_context": 9, "logit_bias": {3: 1.7}},
]


@pytest.mark.parametrize("dtype", [mx.float32, mx.float16, mx.bfloat16])
@pytest.mark.parametrize("settings", PENALTIES)
def test_penalties_and_biases_are_mlx_lms_to_the_last_bit(settings, dtype):
    for seed, length in enumerate([1, 2, 7, 40]):
        logits = mx.random.normal((1, 30), key=mx.random.key(seed)).astype(dtype) * 8
        tokens = mx.random.randint(0, 6, (length,), key=mx.random.key(seed))
        names = {name.replace("context", "context_size"): value for name, value in settings.items()}
        expected = mx.array(logits)
        for processor in make_logits_processors(**names):
            expected = processor(tokens, expected)
        sampling = plain(**settings)
        ours = less_repeated(biased(logits, sampling), tokens[-sampling.recent :], sampling)
        assert ours.dtype == dtype
        assert mx.array_equal(ours, expected.astype(dtype))


def test_a_bias_is_a_sorted_tuple_whatever_it_is_given_as():
    one, other = plain(logit_bias={9: 1, 2: -3}), plain(logit_bias=((9, 1.0), (2, -3.0)))
    assert one == other
    assert hash(one) == hash(other)
    assert one.logit_bias == ((2, -3.0), (9, 1.0))


@pytest.mark.parametrize("bias", [{-1: 1}, {2**31: 1}, {5: float("nan")}, {5: float("inf")}, {5: 1e10}])
def test_a_bias_that_cannot_be_is_refused(bias):
    with pytest.raises(UsageError, match="logit_bias"):
        Sampling(logit_bias=bias)


@pytest.mark.parametrize("settings", [{}, *PENALTIES])
def test_a_sampling_comes_back_from_its_record(settings):
    numbers = plain(**settings).as_numbers()
    assert Sampling.of_numbers(json.loads(json.dumps(numbers))) == plain(**settings)
    assert all(type(number) in (int, float) for number in numbers.values())


def test_a_record_has_what_earlier_versions_do_not_know_only_where_it_is_used():
    names = {field.name for field in fields(Sampling)}
    later = {name for name in names if name.startswith(("presence", "frequency", "logit"))}
    assert Sampling().as_numbers().keys() == names - later
    used = Sampling(presence_penalty=0.5, logit_bias={3: 1}).as_numbers()
    assert used.keys() == names - later | {"presence_penalty", "logit_bias.3"}


@pytest.mark.parametrize("numbers", [{"heat": 1}, {"top_k": 0.5}, {"logit_bias.x": 1}, {"logit_bias": 1}])
def test_a_record_of_another_kind_is_refused(numbers):
    with pytest.raises(UsageError, match="does not know"):
        Sampling.of_numbers(numbers)


@pytest.mark.parametrize(
    "settings", [{"temperature": -1}, {"top_p": 1.5}, {"min_p": float("nan")}, {"top_k": -1}, {"presence_penalty": 101}]
)
def test_a_setting_out_of_range_is_named_with_its_range(settings):
    with pytest.raises(UsageError, match=f"{next(iter(settings))} is .* it goes from"):
        Sampling(**settings)
