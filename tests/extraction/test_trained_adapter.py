"""Voices on top of an adapter that mlx-lm has trained: it still does what it was trained for, and is steered."""

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optimizers
import numpy as np
import pytest
from helpers.tiny_adapter import adapter_folder
from helpers.tiny_models import tiny_folder
from mlx_lm.tuner.trainer import default_loss

from billy_mlx.blend.recipe import Recipe
from billy_mlx.blend.writer import generate
from billy_mlx.extraction.extract import extract
from billy_mlx.extraction.extraction import Extracted
from billy_mlx.extraction.rollouts import RolloutSettings
from billy_mlx.model.load import load
from billy_mlx.vectors.card import get_persona
from billy_mlx.vectors.library import find_all, load_vectors, store_vector

SENTENCES = ["The sea is grey and the wind is cold.", "And then the rain went on and on.", "The harbour had no light."]
SETTINGS = RolloutSettings(questions=4, rollouts=1, max_tokens=8, batch=8)
RECIPE = Recipe.of("Write about the sea.", max_tokens=12, seed=3)
STEPS = 30


def loss_of(network, tokenizer):
    """Return the mean loss of `SENTENCES`, each read whole, by mlx-lm's own measure."""
    return sum(_loss(network, tokenizer, sentence) for sentence in SENTENCES) / len(SENTENCES)


def _loss(network, tokenizer, sentence):
    tokens = tokenizer.encode(sentence)
    return default_loss(network, mx.array([tokens]), mx.array([[1, len(tokens)]]))[0]


def train(network, tokenizer):
    optimizer = optimizers.Adam(learning_rate=1e-2)
    step = nn.value_and_grad(network, lambda network: loss_of(network, tokenizer))
    network.train()
    for _ in range(STEPS):
        _, gradients = step(network)
        optimizer.update(network, gradients)
        mx.eval(network.parameters(), optimizer.state)


def extracted(model, persona_id):
    steps = extract(model, [get_persona(persona_id)], judge=None, settings=SETTINGS)
    return next(news.vector for news in steps if isinstance(news, Extracted))


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "bits"), [("lora", None), ("dora", 4)])
def test_voices_are_blended_on_top_of_what_an_adapter_has_learnt(tmp_path, billy_home, kind, bits):
    folder = tiny_folder(tmp_path / "model", bits=bits)
    adapter = adapter_folder(tmp_path / "adapter", folder, kind, train=train)
    bare, trained = load(folder), load(folder, adapter_path=adapter)
    before, after = (loss_of(model.model, model.tokenizer).item() for model in (bare, trained))
    assert after < 0.9 * before

    store_vector(extracted(bare, "noir"))
    lent = load_vectors(trained, ["noir"])["noir"]
    assert lent.is_transferred_to(trained.fingerprint)
    texts = {voice: generate(trained, RECIPE, voice).tokens for voice in ("none", "noir@4")}
    assert texts["none"] != texts["noir@4"]

    store_vector(extracted(trained, "noir"))
    own = load_vectors(trained, ["noir"])["noir"]
    assert not own.is_transferred_to(trained.fingerprint)
    assert not np.allclose(own.directions, lent.directions, rtol=0.01)
    assert find_all(bare.fingerprint)["noir"] != find_all(trained.fingerprint)["noir"]
    assert not load_vectors(bare, ["noir"])["noir"].is_transferred_to(bare.fingerprint)
    assert generate(trained, RECIPE, "noir@4").made_with.model == trained.id
