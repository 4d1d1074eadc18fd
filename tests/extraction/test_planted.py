"""A direction planted into a random model's weights is found, however its answers come about and are read.

One block is made by hand: two of its heads look at all tokens alike, see nothing but the mark "~", and write the
direction into the stream by how much of the text is marks. A persona whose system prompts hold marks is thereby
shifted along the direction in all it writes; the rest of the model is random.
"""

from dataclasses import replace

import mlx.core as mx
import numpy as np
import pytest
from helpers.planted_persona import (
    MARKED,
    NEUTRAL,
    PERSONA,
    QUESTIONS,
    SETTINGS,
    clear_the_way,
    cosine,
    look_for_marks,
    weights,
)
from helpers.tiny_models import END_TURN, tiny_folder

from billy_mlx.extraction.extract import extract
from billy_mlx.extraction.extraction import Extracted
from billy_mlx.extraction.methods import mean_difference
from billy_mlx.extraction.rollouts import roll_out
from billy_mlx.measure.activations import Text, read_all
from billy_mlx.model.load import load
from billy_mlx.model.prompt import chat_prompt
from billy_mlx.steps import finish

LAYER = 2
GAIN = 80.0  # makes a shift of 2.6 residual norms; what the prompts do to the stream besides comes to 0.2


@pytest.fixture(scope="module", params=["float32", "bfloat16"])
def planted(request, tmp_path_factory):
    """A model of this dtype and the direction in it."""
    dtype = getattr(mx, request.param)
    model = load(tiny_folder(tmp_path_factory.mktemp("planted"), dtype=dtype))
    direction = plant(model, GAIN)
    model.model.set_dtype(dtype)
    assert model.batches  # so that there is padding to get wrong
    return model, direction


def plant(model, gain):
    """Make the block by hand and return the direction (D,); up to there, the stream's first number is the mark's."""
    network = model.model.model
    embedding = weights(network.embed_tokens)
    end = model.tokenizer.convert_tokens_to_ids(END_TURN)
    direction = np.random.default_rng(7).normal(size=32)
    direction -= embedding[end] * (direction @ embedding[end]) / (embedding[end] @ embedding[end])
    embedding[end] *= 4  # answers end early now and then, and the direction has no say in it
    embedding[:, 0] = 0
    embedding[model.tokenizer.encode("~", add_special_tokens=False)] = np.eye(32)[0]
    network.embed_tokens.weight = mx.array(embedding)
    for layer, block in enumerate(network.layers[: LAYER + 1]):
        clear_the_way(block, everything=layer == LAYER)
    look_for_marks(network.layers[LAYER].self_attn, gain * direction / np.linalg.norm(direction))
    return direction


def extraction(model, batch=20):
    return extract(model, [PERSONA], questions=QUESTIONS, settings=replace(SETTINGS, batch=batch))


def extracted(model, batch=20):
    """The vector and, as long as there are any, the answers to it."""
    return next(step for step in extraction(model, batch) if isinstance(step, Extracted))


@pytest.mark.parametrize("batch", [7, 20])
def test_it_is_found_while_answers_are_written(planted, batch):
    model, direction = planted
    vector = extracted(model, batch).vector
    assert cosine(vector.directions[LAYER], direction) > 0.99
    assert vector.quality.split_half_cosine[LAYER] > 0.99


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.2, 0.7])
def test_it_is_found_by_a_run_that_was_stopped_and_goes_on(planted, share):
    model, direction = planted
    stopped = extraction(model, 8)
    reached = next(step.share for step in stopped if step.share >= share)
    stopped.close()
    resumed = extraction(model, 6)
    assert reached - 8 / 40 <= next(resumed).share
    vector = next(step.vector for step in resumed if isinstance(step, Extracted))
    assert cosine(vector.directions[LAYER], direction) > 0.99


@pytest.mark.slow
def test_it_is_found_in_the_finished_texts(planted):
    model, direction = planted
    positive = extracted(model).pole
    neutral = finish(roll_out(model, "neutral", NEUTRAL, QUESTIONS.questions, SETTINGS))
    found = mean_difference(read_again(model, positive, MARKED), read_again(model, neutral, NEUTRAL))
    assert cosine(found[LAYER], direction) > 0.99


def read_again(model, pole, system_prompts):
    """Read the answers of a pole in batches padded on the right, and find what was found while they were written."""
    rollouts = [rollout for batch in pole for rollout in batch]
    texts = texts_of(model, rollouts, system_prompts)
    averages = [reading.average for reading in finish(read_all(model, texts))]
    tolerance = 1e-3 if model.model.model.embed_tokens.weight.dtype == mx.float32 else 0.3
    for read, written in zip(averages, (rollout.average for rollout in rollouts), strict=True):
        assert read.tokens == written.tokens
        assert np.abs(read.mean - written.mean).max() < tolerance
    return np.stack([average.mean for average in averages if average.tokens])


def texts_of(model, rollouts, system_prompts):
    systems = sorted((question + turn) % 5 for turn, question in SETTINGS.order(len(QUESTIONS.questions)))
    texts = []
    for rollout, number in zip(rollouts, systems, strict=True):
        question, system = QUESTIONS.questions[rollout.question], system_prompts[number]
        texts.append(Text(tuple(chat_prompt(model.tokenizer, question, system=system)), rollout.tokens))
    assert len({len(text.prompt) for text in texts}) > 5
    assert len({len(text.response) for text in texts}) > 3
    return texts


def test_without_it_nothing_is_found_along_it(tmp_path):
    model = load(tiny_folder(tmp_path))
    direction = plant(model, gain=0.0)
    assert abs(cosine(extracted(model).vector.directions[LAYER], direction)) < 0.2
