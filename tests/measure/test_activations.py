"""What the unsteered model makes of texts, in batches, against one forward pass for each; and running averages."""

import io
import math

import mlx.core as mx
import numpy as np
import pytest
from helpers.tiny_models import tiny_folder
from mlx_lm.models.cache import make_prompt_cache

from billy_mlx.measure.activations import (
    Average,
    Reading,
    ResponseAverages,
    Text,
    empty_average,
    mean_residuals,
    project,
    read,
    read_all,
    read_averages,
)
from billy_mlx.model import prefill
from billy_mlx.model.layers import record
from billy_mlx.model.load import load
from billy_mlx.steps import finish

eval_ = mx.eval

TEXTS = [
    Text((5, 9, 2, 7), (3, 8, 1, 4)),
    Text((5, 9, 2, 7), (3, 8)),  # a beginning of the one before
    Text((5, 9, 4), (6, 6, 6, 2, 11)),
    Text((5, 9, 4), ()),
    Text((5, 9, 2, 7, 3), (8,)),
    Text((5, 9, 2, 7), (3, 8, 1, 4)),
]


@pytest.fixture(params=["tiny", "hybrid"])
def model(request):
    return request.getfixturevalue(request.param)


def by_hand(model, text):
    """Return mean (layers, D), norm (layers,) and log-likelihood of a text from one forward pass over it."""
    tokens, first = text.prompt + text.response, len(text.prompt)
    with record(model.layers) as recording:
        logits = model.model(mx.array([tokens]), cache=make_prompt_cache(model.model))[0].astype(mx.float32)
    h = np.stack([np.array(recording.latest[layer][0, first:].astype(mx.float32)) for layer in range(4)])
    probabilities = np.array(mx.softmax(logits, axis=-1))
    likelihood = sum(math.log(probabilities[at - 1, tokens[at]]) for at in range(max(first, 1), len(tokens)))
    return h.mean(1), np.linalg.norm(h, axis=-1).mean(1), likelihood


def assert_read(model, texts, tolerance=1e-4):
    for text, reading in zip(texts, finish(read_all(model, texts)), strict=True):
        mean, norm, likelihood = by_hand(model, text)
        assert np.abs(reading.average.mean - mean).max() <= tolerance
        assert reading.average.norm == pytest.approx(norm, rel=tolerance)
        assert reading.average.tokens == len(text.response)
        assert reading.log_likelihood == pytest.approx(likelihood, rel=tolerance)


@pytest.mark.slow
def test_texts_are_read_as_each_is_alone(model):
    assert_read(model, [text for text in TEXTS if text.response])


def test_short_passes_change_nothing(model, monkeypatch):
    monkeypatch.setattr(prefill, "PREFILL_CHUNK", 2)
    assert_read(model, [text for text in TEXTS if text.response])


def test_one_text_is_read_as_many_are(model):
    assert_read(model, TEXTS[:1])
    mean, norm, _ = by_hand(model, TEXTS[0])
    average = read(model, list(TEXTS[0].prompt), list(TEXTS[0].response))
    assert np.abs(average.mean - mean).max() < 1e-5
    assert average.norm == pytest.approx(norm, rel=1e-5)


@pytest.mark.parametrize("layer", [0, 2, 3])
def test_one_layer_alone_is_read_as_with_all_others(model, layer):
    means = finish(mean_residuals(model, TEXTS, layer))
    whole = np.stack([reading.average.mean[layer] for reading in finish(read_all(model, TEXTS))])
    assert np.abs(means - whole).max() <= 1e-5
    assert not means[3].any()


def test_what_lies_above_the_layer_is_not_computed(tiny, monkeypatch):
    evaluated = []
    monkeypatch.setattr(prefill.mx, "eval", lambda *arrays: evaluated.append(arrays) or eval_(*arrays))
    finish(mean_residuals(tiny, [Text((5, 9), (3, 8))], 0))
    assert evaluated[-1][1] == []  # no cache of the last pass, which would want every layer


def test_averages_alone_are_those_of_a_whole_reading(model):
    whole = [reading.average for reading in finish(read_all(model, TEXTS))]
    for average, expected in zip(finish(read_averages(model, TEXTS)), whole, strict=True):
        assert average.tokens == expected.tokens
        for part in ("mean", "norm", "start"):
            assert np.allclose(getattr(average, part), getattr(expected, part), atol=1e-5)


@pytest.mark.parametrize(("reader", "worked_out"), [(read_all, True), (read_averages, False)])
def test_for_averages_alone_nobody_works_out_what_comes_next(tiny, monkeypatch, reader, worked_out):
    def evaluated(results, *others):
        graph = io.StringIO()
        mx.export_to_dot(graph, *results)
        operations.append(graph.getvalue())
        return eval_(results, *others)

    operations, head = [], mx.random.normal(tiny.model.model.embed_tokens.weight.shape)
    monkeypatch.setattr(type(tiny.model.model.embed_tokens), "as_linear", lambda _, h: mx.erf(h) @ head.T)
    monkeypatch.setattr(prefill.mx, "eval", evaluated)
    finish(reader(tiny, TEXTS[:2]))
    assert ('label ="Erf"' in operations[-1]) == worked_out


@pytest.mark.slow
def test_a_bfloat16_model_is_read_in_float32(tmp_path):
    model = load(tiny_folder(tmp_path, dtype=mx.bfloat16))
    model.model.set_dtype(mx.bfloat16)
    assert_read(model, [text for text in TEXTS if text.response], tolerance=0.05)


def test_reading_says_how_many_texts_are_read(tiny, monkeypatch):
    monkeypatch.setattr(prefill, "_PASS_TOKENS", 8)
    done = list(read_all(tiny, TEXTS))
    assert done == sorted(set(done))
    assert len(done) > 1
    assert done[-1] == len(TEXTS)


def test_an_empty_response_is_no_text_at_all(tiny):
    readings = finish(read_all(tiny, TEXTS))
    assert (readings[3].average.tokens, readings[3].log_likelihood, readings[3].perplexity) == (0, 0.0, 1.0)
    assert not readings[3].average.mean.any()
    assert finish(read_all(tiny, [Text((), ()), Text((4,), ())]))[1].perplexity == 1.0
    assert finish(read_all(tiny, [])) == []


def test_without_a_prompt_the_first_token_counts_as_certain(model):
    assert_read(model, [Text((), (3, 8, 1))])
    assert finish(read_all(model, [Text((), (3,))]))[0].perplexity == 1.0


def test_perplexity_is_the_inverse_of_the_geometric_mean():
    average = Average(np.zeros((1, 1), np.float32), np.zeros(1, np.float32), 2, np.zeros((1, 1), np.float32))
    assert Reading(average, math.log(0.5) + math.log(0.125)).perplexity == pytest.approx(4.0)
    assert math.isfinite(Reading(average, -1e9).perplexity)


def test_nothing_read_has_the_models_shape(tiny):
    assert empty_average(tiny).mean.shape == (4, 32)


def test_a_projection_is_0_at_the_neutral_pole_and_1_at_the_persona():
    neutral, direction = np.array([[1.0, 2.0]], np.float32), np.array([[3.0, 4.0]], np.float32)
    activations = np.stack([neutral, neutral + direction, neutral + 0.5 * direction, neutral + np.array([[-4.0, 3.0]])])
    projected = project(activations, vector=direction, neutral_mean=neutral, scale=np.array([5.0], np.float32))
    assert projected[:, 0].tolist() == pytest.approx([0.0, 1.0, 0.5, 0.0], abs=1e-6)


def test_reading_averages_over_the_response_alone(tiny):
    prompt, response = [3, 4, 5], [6, 7]
    average = read(tiny, prompt, response)
    with record(tiny.layers) as recording:
        tiny.model(mx.array([[*prompt, *response]]), cache=make_prompt_cache(tiny.model))
    h = np.array(recording.latest[2][0, 3:])
    assert average.tokens == 2
    assert np.allclose(average.mean[2], h.mean(0), atol=1e-5)
    assert np.allclose(average.norm[2], np.linalg.norm(h, axis=-1).mean(), rtol=1e-5)


def test_reading_nothing_gives_zeros_and_no_nan(tiny):
    for prompt in ([3, 4], []):
        average = read(tiny, prompt, [])
        assert (average.tokens, average.mean.shape, average.norm.shape) == (0, (4, 32), (4,))
        assert not average.mean.any()
        assert not average.norm.any()


def test_running_averages_are_per_row_and_leave_out_what_does_not_count():
    averages = ResponseAverages()
    stream = {layer: mx.array([[[1.0, 0.0]], [[0.0, 2.0]]]) * (layer + 1) for layer in range(2)}
    averages([0, 1], {layer: 5 * h for layer, h in stream.items()}, None)
    averages([0, 1], stream, mx.array([True, True]))
    averages([0, 1], {layer: 3 * h for layer, h in stream.items()}, mx.array([True, False]))
    averages([1], {layer: h[1:] for layer, h in stream.items()}, mx.array([True]))
    done = averages.averages()
    assert [done[row].tokens for row in (0, 1)] == [2, 2]
    assert done[0].mean.tolist() == [[2.0, 0.0], [4.0, 0.0]]
    assert done[1].norm.tolist() == [2.0, 4.0]
    assert done[0].start.tolist() == [[5.0, 0.0], [10.0, 0.0]]
    assert done[0].steered[0].tolist() == pytest.approx([3.0, 0.0])  # of 5 at the start, then 1 and 3


def test_rows_that_give_way_to_others_altogether_are_kept():
    averages = ResponseAverages()
    for row in (0, 1):
        averages([row], {0: mx.full((1, 1, 2), row + 7.0)}, None)
        averages([row], {0: mx.full((1, 1, 2), row + 1.0)}, mx.array([True]))
    assert [average.mean[0, 0] for average in averages.averages().values()] == [1.0, 2.0]


def test_a_row_without_a_counted_token_has_no_average_and_no_nan():
    averages = ResponseAverages()
    averages([0], {0: mx.ones((1, 1, 2))}, None)
    averages([0], {0: mx.ones((1, 1, 2))}, mx.array([False]))
    assert averages.averages()[0].tokens == 0
    assert not averages.averages()[0].mean.any()
