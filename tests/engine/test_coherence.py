"""The gauge of a running draft, on tiny models."""

import math

import mlx.core as mx
import pytest

from billy_mlx.blend.recipe import Prompt, Recipe
from billy_mlx.blend.writer import generate
from billy_mlx.engine.coherence import Gauge, expected_surprise
from billy_mlx.engine.messages import Job
from billy_mlx.measure.activations import Text, read_all
from billy_mlx.model.sampling import Sampling
from billy_mlx.steps import finish

PROMPT = [5, 6, 7, 8] * 10
DRAFT = [9, 10, 11, 12, 13] * 30
SAMPLING = Sampling()


def followed(model, prompt, draft, voice=0, sampling=SAMPLING):
    """What a gauge says of a draft, by the number of tokens written, and how often it read."""
    gauge, told, reads = Gauge(model, prompt, sampling, voice), {}, 0
    for written, token in enumerate(draft, 1):
        if gauge.take(token):
            reads += 1
            found = gauge.read(Job(1))
            if found is not None:
                told[written] = found
    return told, reads


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["tiny", "hybrid"])
def test_a_gauge_finds_what_a_fresh_reading_finds(request, kind):
    model = request.getfixturevalue(kind)
    told, _ = followed(model, PROMPT, DRAFT)
    judged = 4 * 24 + 1 - len(PROMPT)  # tokens of the draft that the first four chunks foretell
    [reading] = finish(read_all(model, [Text((*PROMPT, *DRAFT[: judged - 48]), tuple(DRAFT[judged - 48 : judged]))]))
    assert next(iter(told.values())).perplexity == pytest.approx(reading.perplexity, rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("penalty", [1.0, 1.3])
def test_what_the_model_itself_would_have_written_has_a_ratio_of_one(tiny, penalty):
    sampling = Sampling(temperature=0, repetition_penalty=penalty)
    take = generate(tiny, Recipe(Prompt(tokens=tuple(PROMPT)), sampling=sampling, max_tokens=120))
    told, _ = followed(tiny, PROMPT, take.text_tokens, sampling=sampling)
    assert [found.ratio for found in told.values()] == pytest.approx([1.0] * len(told), rel=1e-3)
    assert told


def test_what_it_would_not_have_written_has_a_higher_one(tiny):
    told, _ = followed(tiny, PROMPT, DRAFT, sampling=Sampling(temperature=0))
    assert all(found.ratio > 2 for found in told.values())


def test_every_24_tokens_it_tells_something_once_there_is_enough(tiny):
    told, reads = followed(tiny, PROMPT, DRAFT)
    assert {later - earlier for earlier, later in zip(list(told), list(told)[1:], strict=False)} == {24}
    assert min(told) >= 48
    assert reads <= (len(PROMPT) + len(DRAFT)) // 24


def test_voices_read_after_different_tokens(tiny):
    told = [set(followed(tiny, PROMPT, DRAFT, voice)[0]) for voice in (0, 1, 2)]
    assert not told[0] & told[1]
    assert not told[1] & told[2]


def test_of_a_long_prompt_only_the_end_is_read(tiny):
    assert followed(tiny, [7] * 500 + PROMPT * 3, DRAFT) == followed(tiny, [8] * 900 + PROMPT * 3, DRAFT)


def test_a_draw_without_a_filter_surprises_by_the_entropy():
    probabilities = mx.array([[0.5, 0.25, 0.25]])
    sampling = Sampling(temperature=1, min_p=0)
    found = expected_surprise(mx.log(probabilities) + 7, mx.array([[0]]), sampling)
    assert found.item() == pytest.approx(1.5 * math.log(2), rel=1e-5)


@pytest.mark.parametrize("sampling", [Sampling(temperature=0), Sampling(temperature=1, min_p=0.9)])
def test_where_only_the_likeliest_is_drawn_it_surprises_as_that_does(sampling):
    found = expected_surprise(mx.log(mx.array([[0.5, 0.25, 0.25]])), mx.array([[1]]), sampling)
    assert found.item() == pytest.approx(math.log(2), rel=1e-5)


def test_a_penalty_on_repetition_is_expected():
    sampling = Sampling(temperature=0, repetition_penalty=10)
    found = expected_surprise(mx.log(mx.array([[0.5, 0.3, 0.2]])), mx.array([[0, 0]]), sampling)
    assert found.item() == pytest.approx(-math.log(0.3), rel=1e-5)
