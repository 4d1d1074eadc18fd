"""A blend as a file for llama.cpp: what it adds, layer by layer, or a sentence on why a file cannot say it."""

import numpy as np
import pytest
from helpers.random_vectors import persona_vector

import billy_mlx as billy
from billy_mlx.errors import UsageError
from billy_mlx.formats.vectors.control_vector import read_control_vector


@pytest.fixture
def vectors(tiny):
    return {name: persona_vector(name, seed=seed, fingerprint=tiny.fingerprint) for seed, name in enumerate("ab")}


@pytest.mark.parametrize("voice", ["a/raw/L1,3", "a:0.7+b:0.3@2a/raw/L2", billy.Blend((("a", 1.0),))], ids=str)
def test_the_file_holds_what_the_blend_adds(tiny, vectors, voice, tmp_path):
    layers = billy.export_control_vector(tiny, voice, tmp_path / "voice.gguf", vectors=vectors)
    added = billy.directions(billy.Blend.parse(str(voice)), vectors).by_layer
    stored = read_control_vector(tmp_path / "voice.gguf").by_layer
    assert sorted(stored) == list(layers) == sorted(layer for layer, own in added.items() if own.any())
    assert all(np.allclose(stored[layer], added[layer]) for layer in layers)


@pytest.mark.parametrize(
    ("voice", "said"),
    [("a/raw/np/L1", "/np"), ("a/raw/L0,1", "layer 0"), ("a@0/raw/L1", "steers nothing"), ("none", "steers nothing")],
    ids=["keeps norms", "the first layer", "no dose", "nobody"],
)
def test_what_a_control_vector_cannot_say_is_refused_and_nothing_is_written(tiny, vectors, voice, said, tmp_path):
    with pytest.raises(UsageError, match=said):
        billy.export_control_vector(tiny, voice, tmp_path / "voice.gguf", vectors=vectors)
    assert not [*tmp_path.iterdir()]
