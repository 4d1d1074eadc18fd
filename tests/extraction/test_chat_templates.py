"""An answer is read behind two prompts, whatever the template: exactly its tokens, and the last one before them."""

import mlx.core as mx
import numpy as np
import pytest
from helpers.chat_templates import TEMPLATES
from helpers.planted_persona import weights
from helpers.tiny_models import END_TURN, tiny_folder
from hypothesis import given, settings
from hypothesis import strategies as st
from mlx_lm.models.cache import make_prompt_cache

from billy_mlx.extraction.rollouts import RolloutSettings, begin_pole, roll_out, tokens_of
from billy_mlx.measure.activations import Text, read_averages
from billy_mlx.model.layers import record
from billy_mlx.model.load import load
from billy_mlx.model.prompt import chat_prompt
from billy_mlx.steps import finish

PERSONA = ("You are the tide.", "Be  salt ", "Speak as the sea would\nin two lines", "A", "Never be dry, and say so.")
QUESTIONS = ("Why?", " Who is at the door at this hour? ", "And then\n\nthe rain?")
SETTINGS = RolloutSettings(questions=3, rollouts=8, max_tokens=10, batch=7)


@pytest.fixture(scope="module")
def thinker(tmp_path_factory):
    """A model that knows every mark there is and ends an answer now and then."""
    model = load(tiny_folder(tmp_path_factory.mktemp("templates"), thinking=True))
    embedding, end = weights(model.model.model.embed_tokens), model.tokenizer.convert_tokens_to_ids(END_TURN)
    embedding[end] *= 2.6
    model.model.model.embed_tokens.weight = mx.array(embedding)
    assert model.batches
    return model


def with_template(model, name):
    model.tokenizer.chat_template = TEMPLATES[name]
    model.tokenizer.has_chat_template = TEMPLATES[name] is not None
    return model


def streams(model, prompt, answer):
    """(1 + tokens, layers, D) in a pass of its own, from the last token of the prompt on."""
    with record(model.layers) as recording:
        model.model(mx.array([[*prompt, *answer]]), cache=make_prompt_cache(model.model))
    return np.stack([np.array(h[0, len(prompt) - 1 :]) for h in recording.latest.values()], axis=1)


def covers(average, alone):
    """Whether an average is over exactly the tokens whose streams are `alone`."""
    means = ((average.start, alone[0]), (average.mean, alone[1:].mean(0)), (average.steered, alone.mean(0)))
    return average.tokens == len(alone) - 1 and all(np.allclose(a, b, atol=1e-4) for a, b in means)


@pytest.mark.parametrize("name", TEMPLATES)
def test_both_readings_of_what_was_written_cover_the_same_tokens_as_single_passes(thinker, name):
    model = with_template(thinker, name)
    asked = begin_pole(model, "tide", PERSONA, QUESTIONS, SETTINGS)[1]
    rollouts = [one for batch in finish(roll_out(model, "tide", PERSONA, QUESTIONS, SETTINGS)) for one in batch]
    lengths = [len(rollout.tokens) for rollout in rollouts]
    assert any(0 < length < SETTINGS.max_tokens for length in lengths)  # ended by the end token
    assert lengths.count(SETTINGS.max_tokens) > 0  # cut
    for rollout, one in zip(rollouts, asked, strict=True):
        assert tokens_of(one.recipe) != one.plain
        assert rollout.average.tokens == rollout.plain.tokens == len(rollout.tokens)
        if rollout.tokens:
            assert covers(rollout.average, streams(model, tokens_of(one.recipe), rollout.tokens))
            assert covers(rollout.plain, streams(model, one.plain, rollout.tokens))


answer = st.lists(st.integers(0, 255), min_size=1, max_size=20).map(tuple)


@settings(max_examples=40)
@given(
    st.sampled_from(sorted(TEMPLATES)),
    st.lists(st.tuples(st.sampled_from((None, *PERSONA)), answer), min_size=1, max_size=5),
)
def test_answers_of_any_lengths_are_read_as_each_is_alone(thinker, name, asked):
    model = with_template(thinker, name)
    texts = [
        Text(tuple(chat_prompt(model.tokenizer, QUESTIONS[n % 3], system=system)), answer)
        for n, (system, answer) in enumerate(asked)
    ]
    for text, average in zip(texts, finish(read_averages(model, texts)), strict=True):
        assert covers(average, streams(model, text.prompt, text.response))
