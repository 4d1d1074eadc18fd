"""Numbers about text, against values worked out by hand."""

import mlx.core as mx
import numpy as np
import pytest
from mlx_lm.models.cache import make_prompt_cache

from billy_mlx.measure.averages import ResponseAverages
from billy_mlx.measure.projection import project
from billy_mlx.measure.reading import read
from billy_mlx.measure.vocabulary import distinct_share, repeated_share, share_of_words, words
from billy_mlx.model.layers import record


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


def test_words_are_counted_by_their_beginnings():
    assert words("The sea's edge, sea-green — 3 SEAS!") == ["the", "sea's", "edge", "sea-green", "seas"]
    assert share_of_words("The forest and the forester ran.", ["forest"]) == pytest.approx(100 * 2 / 6)
    assert share_of_words("The FOREST ran.", ["Forest", "RAN"]) == pytest.approx(100 * 2 / 3)
    assert share_of_words("", ["forest"]) == share_of_words("a forest", []) == 0


def test_distinct_runs():
    assert distinct_share("a b c d") == 1
    assert distinct_share("a b a b a") == pytest.approx(2 / 4)
    assert distinct_share("one") == 1


def test_repetition_is_the_share_of_runs_that_have_come_before():
    assert repeated_share("one two three four five") == 0
    assert repeated_share("a b c d a b c d") == pytest.approx(1 / 5)  # of five runs of four, the last is the first
    assert repeated_share("la la la la la la la", n=2) == pytest.approx(5 / 6)


def test_a_text_too_short_to_repeat_itself_does_not():
    assert repeated_share("") == repeated_share("la la la") == 0


def test_a_loop_comes_near_to_one():
    assert repeated_share("the rain, the rain, " * 200) > 0.99
