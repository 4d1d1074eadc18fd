"""A sum planted over the layers of a random model is taken apart again: what each layer adds is found at that layer.

Four blocks are made by hand as in `test_planted`, each with a direction and a sign of its own, and none of them reads
what the others have written. A persona whose system prompts hold marks is thereby shifted along one more direction
at every layer: its vector at a layer is the sum of all up to there.
"""

from dataclasses import replace

import mlx.core as mx
import numpy as np
import pytest
from helpers.planted_persona import PERSONA, QUESTIONS, SETTINGS, clear_the_way, cosine, look_for_marks, weights
from helpers.tiny_models import CONFIGS, END_TURN, tiny_folder

from billy_mlx.blend.blend import Blend
from billy_mlx.blend.directions import directions
from billy_mlx.extraction.extract import extract
from billy_mlx.extraction.extraction import Extracted
from billy_mlx.model.load import load

GAINS = {1: 20.0, 2: -60.0, 3: 80.0, 4: 120.0}  # of six layers, all but the first and the last


@pytest.fixture(scope="module", params=["float32", "bfloat16"])
def planted(request, tmp_path_factory):
    """A model of this dtype, and layer to what its block adds for marks (D,), as far as its direction goes."""
    dtype = getattr(mx, request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CONFIGS, "llama", CONFIGS["llama"] | {"num_hidden_layers": 6})
        model = load(tiny_folder(tmp_path_factory.mktemp("planted"), dtype=dtype))
    written = plant_sum(model)
    model.model.set_dtype(dtype)
    assert model.batches  # so that there is padding to get wrong
    return model, written


def plant_sum(model):
    """Make the blocks by hand; up to the last of them the stream's first number is the mark's."""
    network = model.model.model
    embedding = weights(network.embed_tokens)
    end = model.tokenizer.convert_tokens_to_ids(END_TURN)
    apart = apart_from(np.stack([np.eye(32)[0], embedding[end] - embedding[end][0] * np.eye(32)[0]]), len(GAINS))
    embedding[end] *= 7  # answers end early now and then, and no direction has a say in it
    embedding[:, 0] = 0
    embedding[model.tokenizer.encode("~", add_special_tokens=False)] = np.eye(32)[0]
    network.embed_tokens.weight = mx.array(embedding)
    clear_the_way(network.layers[0], everything=False)
    written = dict(zip(GAINS, (gain * each for gain, each in zip(GAINS.values(), apart, strict=True)), strict=True))
    for layer, write in written.items():
        clear_the_way(network.layers[layer], everything=True)
        look_for_marks(network.layers[layer].self_attn, write)
        be_blind_to(network.layers[layer], apart)
    return written


def apart_from(others, count):
    """Orthonormal rows (count, D), orthogonal to `others`."""
    random = np.random.default_rng(7).normal(size=(count, 32))
    basis = np.linalg.qr(np.concatenate([others, random]).T)[0].T
    return basis[len(others) :]


def be_blind_to(block, apart):
    """Keep the rows of `apart` out of what a block's heads look at; its MLP does nothing."""
    scale = np.array(block.input_layernorm.weight.astype(mx.float32))
    for part in (block.self_attn.q_proj, block.self_attn.k_proj, block.self_attn.v_proj):
        looked_at = weights(part) * scale
        part.weight = mx.array((looked_at - looked_at @ apart.T @ apart) / scale)


def vector_of(model, batch=20):
    """The vector of the marked persona; its answers are of unequal length, and so are its prompts."""
    steps = extract(model, [PERSONA], questions=QUESTIONS, settings=replace(SETTINGS, batch=batch))
    found = next(step for step in steps if isinstance(step, Extracted))
    assert len({len(rollout.tokens) for answers in found.pole for rollout in answers}) > 3
    return found.vector


@pytest.mark.parametrize("batch", [7, 20])
def test_what_each_layer_adds_is_found_at_that_layer(planted, batch):
    model, written = planted
    vector = vector_of(model, batch)
    added = directions(Blend.parse("marked/layered"), {"marked": vector}).by_layer
    assert list(added) == [1, 2, 3, 4]
    found = [vector.directions[layer] - vector.directions[layer - 1] for layer in (2, 3, 4)]
    assert all(np.allclose(added[layer], each, atol=1e-5) for layer, each in zip((2, 3, 4), found, strict=True))
    for layer, write in written.items():
        assert cosine(added[layer], write) > 0.98
        assert all(abs(cosine(added[layer], other)) < 0.1 for other in written.values() if other is not write)


def test_the_vector_itself_is_the_sum_of_what_the_layers_add_up_to_there(planted):
    model, written = planted
    whole = vector_of(model).directions
    axes = np.stack([write / np.linalg.norm(write) for write in written.values()])
    parts = (whole[4] - whole[0]) @ axes.T  # how much of each direction
    assert (np.sign(parts) == 1).all()
    assert np.linalg.norm(whole[4] - whole[0] - parts @ axes) < 0.1 * np.linalg.norm(parts)
    assert max(cosine(whole[4], write) for write in written.values()) < 0.9
