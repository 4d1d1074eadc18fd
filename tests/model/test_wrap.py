"""A model that mlx-lm has loaded already: the same text, its vectors, an adapter, and what is no model."""

from dataclasses import replace

import mlx.core as mx
import mlx.nn as nn
import mlx_lm
import pytest
from helpers.random_vectors import persona_vector
from helpers.tiny_models import tiny_folder
from mlx_lm.tuner.utils import linear_to_lora_layers

import billy_mlx
from billy_mlx.blend.recipe import Recipe
from billy_mlx.blend.writer import generate
from billy_mlx.errors import UsageError
from billy_mlx.model.load import load
from billy_mlx.model.wrap import wrap
from billy_mlx.vectors.library import store_vector

RECIPE = Recipe.of("Write about the sea.", max_tokens=10, seed=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_folder(tmp_path_factory.mktemp("wrapped"))


@pytest.fixture
def loaded(folder):
    """What mlx-lm itself makes of a folder."""
    return mlx_lm.load(str(folder))


def test_it_writes_and_is_steered_as_one_that_was_loaded_here(folder, loaded, billy_home):
    ours, theirs = load(folder), wrap(*loaded)
    mine = {"mine": persona_vector("mine", seed=1, fingerprint=ours.fingerprint)}
    for voice in ("none", "mine@5"):
        written = [generate(model, RECIPE, voice, vectors=mine) for model in (ours, theirs)]
        assert written[0].tokens == written[1].tokens
    assert billy_mlx.wrap is wrap


def test_vectors_of_its_base_are_its_own_but_for_the_weights(folder, loaded, billy_home):
    ours, theirs = load(folder), wrap(*loaded, id="mine")
    store_vector(persona_vector("noir", fingerprint=ours.fingerprint))
    assert (ours.fingerprint.base, ours.fingerprint.weights != theirs.fingerprint.weights) == (
        theirs.fingerprint.base,
        True,
    )
    assert generate(theirs, RECIPE, "noir@5").made_with.model == "mine"
    assert wrap(*loaded, folder=folder).fingerprint == ours.fingerprint


def test_an_adapter_is_part_of_what_it_is(loaded):
    model, tokenizer = loaded
    before = wrap(model, tokenizer).fingerprint
    assert wrap(model, tokenizer).fingerprint == before
    linear_to_lora_layers(model, 2, {"rank": 2, "scale": 1.0, "dropout": 0.0})
    with_adapter = wrap(model, tokenizer)
    assert replace(with_adapter.fingerprint, weights=before.weights) == before != with_adapter.fingerprint
    assert generate(with_adapter, RECIPE).tokens


def test_a_tokenizer_of_transformers_is_wrapped(loaded):
    model, tokenizer = loaded
    theirs = wrap(model, tokenizer._tokenizer)
    assert generate(theirs, RECIPE).tokens == generate(wrap(model, tokenizer), RECIPE).tokens


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (lambda model, tokenizer: ("folder", tokenizer), "a str is no model of mlx-lm"),
        (lambda model, tokenizer: (nn.Linear(2, 2), tokenizer), "a Linear is no model of mlx-lm"),
        (lambda model, tokenizer: (model, "tokenizer"), "a str is no tokenizer"),
        (lambda model, tokenizer: (tokenizer, model), "is no model of mlx-lm"),
    ],
    ids=["a path", "a layer", "no tokenizer", "the wrong way round"],
)
def test_what_is_no_model_is_refused_in_a_sentence(loaded, arguments, said):
    with pytest.raises(UsageError, match=said):
        wrap(*arguments(*loaded))


def test_a_model_that_does_not_say_what_it_is_needs_its_config(loaded):
    class Bare(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = [nn.Linear(2, 2)]

        def __call__(self, tokens, cache=None):
            return mx.zeros((1, 2, 3))

    with pytest.raises(UsageError, match="give its config"):
        wrap(Bare(), loaded[1])
    with pytest.raises(UsageError, match=r"cannot be run|pass on no residual stream"):
        wrap(Bare(), loaded[1], config={"model_type": "bare"})
