"""Next tokens, and what steering and system prompts do to sentences, against one forward pass for each."""

import mlx.core as mx
import numpy as np
import pytest
from mlx_lm.models.cache import make_prompt_cache

from billy_mlx.errors import UnsteerableModel, UsageError
from billy_mlx.measure.activations import (
    Text,
    read_all,
    read_likelihoods,
)
from billy_mlx.measure.likelihood import likelihoods_per_token, next_token_probabilities, opening
from billy_mlx.model import prefill
from billy_mlx.model.decode import Decoding
from billy_mlx.model.layers import Directions, Steering, record, stack, steer
from billy_mlx.model.prefill import RowToRead, read_passages
from billy_mlx.model.rows import Row
from billy_mlx.model.sampling import Sampling
from billy_mlx.steps import finish

# Prompts that begin alike and differ in length, one of which is the beginning of another.
TEXTS = [
    Text((5, 9, 2, 7), (3, 8, 1, 4)),
    Text((5, 9, 2, 7, 6, 6, 10), (3, 8)),
    Text((5, 9, 4), (6, 6, 6, 2, 11, 3, 3)),
    Text((5, 9, 4), ()),
    Text((5, 9), (4, 8)),
    Text((5, 9, 2, 7), (3, 8, 1, 4)),
]
LONGER = (5, 9, 2, 7, 7, 3, 8, 8, 1)  # and then prompts that are read once for all rows up to their last tokens
SHARING = [Text(LONGER + text.prompt[2:], text.response) for text in TEXTS]
RNG = np.random.default_rng(0)
LAYERS = {1: RNG.normal(size=32).astype(np.float32), 3: RNG.normal(size=32).astype(np.float32)}
ADDED = {
    "response": Directions(LAYERS),
    "everywhere": Directions(LAYERS, everywhere=True),
    "norm-preserving": Directions(LAYERS, norm_preserving=True),
    "nothing": Directions(),
}
SENTENCES = ["Rain on the roof.", "He lit the stove. The clock said five.", "So be it."]


@pytest.fixture(params=["tiny", "hybrid"])
def model(request):
    return request.getfixturevalue(request.param)


def by_hand(model, prompt, response, added):
    """Return the log-likelihood of a response in nats from one forward pass over one row."""
    start = 0 if added.everywhere else len(prompt) - 1
    steering = Steering(stack([added]), start=start, norm_preserving=added.norm_preserving)
    tokens = [*prompt, *response]
    with steer(model.layers, steering):
        logits = model.model(mx.array([tokens]), cache=make_prompt_cache(model.model))[0]
    chances = np.log(np.array(mx.softmax(logits.astype(mx.float32), axis=-1)))
    return sum(chances[at - 1, tokens[at]] for at in range(len(prompt), len(tokens)))


@pytest.mark.parametrize("how", ADDED)
@pytest.mark.parametrize("chunk", [256, 2])
@pytest.mark.parametrize("texts", [TEXTS, SHARING], ids=["texts", "sharing"])
def test_texts_are_read_as_each_is_alone(model, how, chunk, texts, monkeypatch):
    monkeypatch.setattr(prefill, "PREFILL_CHUNK", chunk)
    found = finish(read_likelihoods(model, texts, ADDED[how]))
    expected = [by_hand(model, text.prompt, text.response, ADDED[how]) for text in texts]
    assert found == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize("how", ["response", "everywhere", "norm-preserving"])
def test_what_is_added_makes_a_difference(model, how):
    plain, steered = (finish(read_likelihoods(model, TEXTS, ADDED[name])) for name in ("nothing", how))
    assert (np.abs(steered - plain)[[0, 1, 2, 4, 5]] > 0.05).all()


def test_unsteered_likelihoods_are_those_of_a_reading(model):
    readings = finish(read_all(model, TEXTS))
    found = finish(read_likelihoods(model, TEXTS))
    assert found == pytest.approx([reading.log_likelihood for reading in readings], abs=1e-5)


def test_steering_is_that_of_writing(tiny):
    """What is drawn greedily is the likeliest of all tokens in its place, read under the same steering."""
    prompt = (5, 9, 2, 7, 7, 3)
    row = Row(prompt, ADDED["response"], Sampling(temperature=0.0), seed=0, max_tokens=6)
    drawn = [news.token for step in Decoding(tiny, [row]) for news in step.emitted if news.token is not None]
    for place in (0, 5):
        ends = [Text(prompt, (*drawn[:place], token)) for token in range(tiny.fingerprint.vocabulary)]
        assert int(np.argmax(finish(read_likelihoods(tiny, ends, ADDED["response"])))) == drawn[place]


def test_a_recording_sees_the_steered_stream(tiny):
    recording, sums = record(tiny.blocks), {}

    def measure(piece):
        return [recording.latest.pop(3).sum(axis=(1, 2))]

    for how in ("nothing", "response"):
        (batch,) = read_passages(tiny, [RowToRead((5, 9, 2), 0)], measure, patch=recording, added=ADDED[how])
        sums[how] = batch.sums[0][0]
    assert abs(sums["nothing"] - sums["response"]) > 0.1


def test_the_model_is_unsteered_between_two_batches(tiny, monkeypatch):
    monkeypatch.setattr(prefill, "_PASS_TOKENS", 4)
    before = [type(block) for block in tiny.layers]
    steps = read_likelihoods(tiny, TEXTS, ADDED["response"])
    next(steps)
    assert [type(block) for block in tiny.layers] == before
    steps.close()


def test_a_model_that_cannot_be_steered_is_still_read_without(tiny, monkeypatch):
    def refuse(_):
        raise UnsteerableModel("no")

    monkeypatch.setattr(type(tiny), "blocks", property(refuse))
    assert finish(read_likelihoods(tiny, TEXTS[:1]))[0] < 0
    with pytest.raises(UnsteerableModel):
        finish(read_likelihoods(tiny, TEXTS, ADDED["response"]))


def test_a_sentence_is_told_in_nats_a_token(tiny):
    begun = opening(tiny, "Write a passage.")
    found = finish(likelihoods_per_token(tiny, SENTENCES, begun, ADDED["response"]))
    before = begun("")
    for value, sentence in zip(found, SENTENCES, strict=True):
        response = tiny.tokenizer.encode(sentence, add_special_tokens=False)
        assert value == pytest.approx(by_hand(tiny, before, response, ADDED["response"]) / len(response), abs=1e-4)


def test_a_planted_direction_makes_its_own_token_likelier(tiny):
    head = np.array(tiny.model.model.embed_tokens.weight if "lm_head" not in tiny.model else tiny.model.lm_head.weight)
    token = tiny.tokenizer.encode("R", add_special_tokens=False)[0]
    added = Directions({3: (5 * head[token] / np.linalg.norm(head[token])).astype(np.float32)})
    before, after = (
        finish(likelihoods_per_token(tiny, ["R", "H"], opening(tiny, "Go on."), steering))
        for steering in (Directions(), added)
    )
    gains = after - before
    assert gains[0] > 1
    assert gains[0] > gains[1] + 1


@pytest.mark.parametrize(("sentence", "said"), [("  ", "no words"), ("word " * 400, "holds 512")])
def test_what_cannot_be_read_is_refused(tiny, sentence, said):
    with pytest.raises(UsageError, match=said):
        finish(likelihoods_per_token(tiny, ["So be it.", sentence], opening(tiny, "Go on.")))


def test_no_sentences_have_no_likelihoods(tiny):
    assert finish(likelihoods_per_token(tiny, [], opening(tiny, "Go on."), ADDED["response"])).shape == (0,)


def test_next_tokens_are_as_probable_as_after_each_prompt_alone(model):
    prompts, asked = [(5, 9, 2), (5, 9, 2, 7, 7), (5,), (5, 9, 2)], (0, 7, 200)
    found = finish(next_token_probabilities(model, prompts, asked))
    assert (found.shape, found.dtype) == ((4, 3), np.float32)
    for row, prompt in zip(found, prompts, strict=True):
        logits = model.model(mx.array([prompt]), cache=make_prompt_cache(model.model))[0, -1]
        assert row == pytest.approx(np.array(mx.softmax(logits))[list(asked)], abs=1e-5, rel=1e-4)


def test_next_tokens_survive_short_passes(model, monkeypatch):
    prompts = [(5, 9, 2), (5, 9, 2, 7, 7), (5,), (5, 9, 2)]
    whole = finish(next_token_probabilities(model, prompts, (0, 7)))
    monkeypatch.setattr(prefill, "PREFILL_CHUNK", 1)
    assert finish(next_token_probabilities(model, prompts, (0, 7))) == pytest.approx(whole, rel=1e-4)


def test_all_tokens_together_are_certain(tiny):
    every = range(tiny.fingerprint.vocabulary)
    assert finish(next_token_probabilities(tiny, [(1, 2)], every)).sum() == pytest.approx(1.0, abs=1e-5)


def test_no_prompts_have_no_probabilities_and_an_empty_one_is_refused(tiny):
    assert finish(next_token_probabilities(tiny, [], (0, 7))).shape == (0, 2)
    with pytest.raises(UsageError, match="empty"):
        finish(next_token_probabilities(tiny, [(1,), ()], (0,)))
