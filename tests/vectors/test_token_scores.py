"""Scores token by token: what a plain pass gives, where the letters of each token are, and the page of it."""

import mlx.core as mx
import numpy as np
import pytest
from helpers.random_vectors import persona_vector
from mlx_lm.models.cache import make_prompt_cache

from billy_mlx.blend.recipe import Recipe
from billy_mlx.blend.writer import generate
from billy_mlx.errors import UsageError, VectorMismatch
from billy_mlx.model.layers import record
from billy_mlx.vectors import token_scores as module
from billy_mlx.vectors.token_scores import token_scores

TEXT = "The sea was <b>wide</b> & näive, 海."


@pytest.fixture
def vectors(tiny):
    return {name: persona_vector("x", seed=seed, fingerprint=tiny.fingerprint) for seed, name in enumerate("ab")}


@pytest.mark.parametrize("chunk", [256, 5, 1])
def test_scores_and_likelihoods_are_those_of_a_plain_pass(tiny, vectors, monkeypatch, chunk):
    monkeypatch.setattr(module, "_CHUNK", chunk)
    prompt, tokens = [5, 6, 7], tiny.tokenizer.encode(TEXT, add_special_tokens=False)
    read = token_scores(tiny, TEXT, vectors, prompt=prompt)
    with record(tiny.blocks) as seen:
        logits = tiny.model(mx.array([prompt + tokens]), cache=make_prompt_cache(tiny.model))
    for name, vector in vectors.items():
        assert read.scores[name].shape == (len(tokens), 4)
        for layer in range(4):
            h = np.array(seen.latest[layer][0])[len(prompt) :] - vector.neutral_mean[layer]
            unit = vector.reading[layer] / np.linalg.norm(vector.reading[layer])
            assert np.allclose(read.scores[name][:, layer], h @ unit / vector.projection_scale[layer], atol=1e-4)
    nats = np.array(logits[0] - mx.logsumexp(logits[0], axis=-1, keepdims=True))
    expected = [nats[len(prompt) - 1 + at, token] for at, token in enumerate(tokens)]
    assert np.allclose(read.log_likelihoods, expected, atol=1e-3)


def test_the_first_token_of_all_follows_nothing(tiny, vectors):
    read = token_scores(tiny, TEXT, vectors)
    assert np.isnan(read.log_likelihoods[0])
    assert np.isfinite(read.log_likelihoods[1:]).all()


def test_every_letter_belongs_to_one_token(tiny, vectors):
    read = token_scores(tiny, TEXT, vectors)
    assert read.text == TEXT
    assert read.starts[0] == 0
    assert read.starts[1:] == read.ends[:-1]
    assert read.ends[-1] == len(TEXT)


def test_a_take_is_read_by_its_tokens_behind_its_prompt(tiny, vectors):
    take = generate(tiny, Recipe.of("Write about the sea.", max_tokens=8, seed=3))
    read = token_scores(tiny, take.text_tokens, vectors, prompt=take.prompt)
    assert read.tokens == take.text_tokens
    assert read.text == take.text


def test_the_page_shows_the_text_and_nothing_it_could_do(tiny, vectors):
    page = token_scores(tiny, TEXT, vectors).to_html("a")
    assert "<b>" not in page
    assert "&amp;" in page
    assert page.count("rgba") == page.count("<span")
    assert token_scores(tiny, TEXT, vectors).to_html("a", layer=0) != page


def test_what_cannot_be_read_is_refused(tiny, hybrid, vectors):
    with pytest.raises(UsageError, match="The text is empty"):
        token_scores(tiny, "", vectors)
    with pytest.raises(UsageError, match="holds 512"):
        token_scores(tiny, "sea " * 1000, vectors)
    with pytest.raises(VectorMismatch):
        token_scores(hybrid, TEXT, vectors)
