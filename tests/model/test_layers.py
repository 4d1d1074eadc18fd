"""The patch itself: what it adds, where, and that nothing of it stays."""

import copy
import io
import re
from types import SimpleNamespace

import mlx.core as mx
import numpy as np
import pytest
from helpers.tiny_models import CONFIGS, tiny_network
from mlx_lm.models.cache import make_prompt_cache
from mlx_lm.utils import quantize_model

from billy_mlx.model.layers import UNSTEERED, Directions, Patch, Steering, record, stack, steer

TOKENS = mx.array([[3, 7, 11, 2, 9, 4]])
ONES = {1: mx.ones(32), 2: mx.ones(32)}


def streams(model, tokens=TOKENS, steering=None, chunks=None):
    """Return (layers, B, T, D) of one prefill, in `chunks`."""
    cache, seen = make_prompt_cache(model.model), []
    with steer(model.layers, steering or Steering({})), record(model.layers) as recording:
        for chunk in mx.split(tokens, chunks or [], axis=1):
            model.model(chunk, cache=cache)
            seen.append(mx.stack([recording.latest[layer] for layer in range(len(model.layers))]))
    return mx.concatenate(seen, axis=2)


def test_the_direction_is_what_the_steered_block_gains_and_nothing_before_it_changes(tiny):
    direction = mx.random.normal((32,))
    plain, steered = streams(tiny), streams(tiny, steering=Steering({2: direction}))
    assert mx.array_equal(steered[:2], plain[:2])
    assert mx.allclose(steered[2] - plain[2], mx.broadcast_to(direction, plain[2].shape), atol=1e-5)
    assert not mx.allclose(steered[3], plain[3])


@pytest.mark.parametrize("chunks", [[], [2], [3], [4], [1, 2, 3, 4, 5]])
def test_response_positions_are_absolute_whatever_the_chunks(tiny, chunks):
    # Held against the same chunks: how many rows a matrix has may change the last bit of each.
    steered = streams(tiny, steering=Steering({0: mx.ones(32)}, start=3), chunks=chunks)
    gained = steered[0] - streams(tiny, chunks=chunks)[0]
    assert mx.allclose(gained[:, 3:], mx.ones((1, 3, 32)), atol=1e-5)
    assert not gained[:, :3].any()


def test_tokens_that_the_cache_holds_already_count(tiny):
    h = mx.zeros((1, 2, 32))
    steering = Steering({0: mx.ones(32)}, start=6, first=5)
    assert steering.add(0, h)[0, :, 0].tolist() == [0, 1]
    assert steering.add(0, h)[0, :, 0].tolist() == [1, 1]
    steering.rewind()
    assert steering.add(0, h)[0, :, 0].tolist() == [0, 1]


def test_every_row_has_its_own_direction_and_start(tiny):
    tokens = mx.concatenate([TOKENS, TOKENS])
    directions = mx.stack([mx.full((1, 32), 1.0), mx.full((1, 32), -2.0)])
    gained = streams(tiny, tokens, Steering({0: directions}, start=[2, 5]))[0] - streams(tiny, tokens)[0]
    expected = np.zeros((2, 6, 32), np.float32)
    expected[0, 2:], expected[1, 5:] = 1.0, -2.0
    assert mx.allclose(gained, mx.array(expected), atol=1e-5)


def test_directions_for_another_number_of_rows_are_refused(tiny):
    with pytest.raises(ValueError, match="2 directions of width 32 and 1 starts for 1 rows"):
        streams(tiny, steering=Steering({0: mx.ones((2, 1, 32))}))


def test_directions_switch_between_two_steps(tiny):
    steering, cache = Steering(ONES), make_prompt_cache(tiny.model)
    with steer(tiny.layers, steering), record(tiny.layers) as recording:
        tiny.model(TOKENS, cache=cache)
        steering.switch({3: mx.full((32,), 5.0)})
        before = recording.latest[3]
        tiny.model(mx.array([[5]]), cache=cache)
    with record(tiny.layers) as unsteered:
        tiny.model(mx.array([[5]]), cache=steered_prompt_cache(tiny))
    assert before.shape == (1, 6, 32)
    assert mx.allclose(recording.latest[2], unsteered.latest[2], atol=1e-5)
    assert mx.allclose(recording.latest[3], unsteered.latest[3] + 5, atol=1e-4)


def steered_prompt_cache(model):
    """Return the cache of TOKENS read under ONES."""
    cache = make_prompt_cache(model.model)
    with steer(model.layers, Steering(ONES)):
        model.model(TOKENS, cache=cache)
    return cache


def test_the_norm_is_kept_where_asked(tiny):
    plain = streams(tiny)[1]
    kept = streams(tiny, steering=Steering({1: mx.ones(32)}, norm_preserving=True))[1]
    assert mx.allclose(mx.linalg.norm(kept, axis=-1), mx.linalg.norm(plain, axis=-1), rtol=1e-5)
    assert not mx.allclose(kept, plain)


def test_norm_preservation_is_per_row(tiny):
    tokens = mx.concatenate([TOKENS, TOKENS])
    flags = mx.array([True, False])[:, None, None]
    mixed = streams(tiny, tokens, Steering({1: mx.ones(32)}, norm_preserving=flags))[1]
    preserved = streams(tiny, steering=Steering({1: mx.ones(32)}, norm_preserving=True))
    assert mx.allclose(mixed[:1], preserved[1], atol=1e-5)
    assert mx.allclose(mixed[1:], streams(tiny, steering=Steering({1: mx.ones(32)}))[1], atol=1e-5)


def test_blocks_come_back_after_an_error(tiny):
    before = [type(block) for block in tiny.layers]
    with pytest.raises(KeyboardInterrupt), steer(tiny.layers, Steering(ONES)):
        raise KeyboardInterrupt
    assert [type(block) for block in tiny.layers] == before


def test_blocks_come_back_when_a_block_cannot_be_patched(tiny):
    before = [type(block) for block in tiny.layers]
    with pytest.raises(TypeError), Patch([*tiny.layers, 7], lambda layer, h: h):
        pass
    assert [type(block) for block in tiny.layers] == before


def test_a_patch_entered_later_sees_what_an_earlier_one_did(tiny):
    plain = streams(tiny)[1]
    with record(tiny.layers) as below, steer(tiny.layers, Steering({1: mx.ones(32)})), record(tiny.layers) as above:
        tiny.model(TOKENS, cache=make_prompt_cache(tiny.model))
    assert mx.array_equal(below.latest[1], plain)
    assert mx.allclose(above.latest[1], plain + 1, atol=1e-5)


def test_nested_steering_adds_up(tiny):
    with steer(tiny.layers, Steering(ONES)):
        twice = streams(tiny, steering=Steering({1: mx.ones(32)}))[1]
    assert mx.allclose(twice, streams(tiny)[1] + 2, atol=1e-5)


def test_a_patch_may_be_entered_again(tiny):
    patch, before = steer(tiny.layers, Steering({})), type(tiny.layers[0])
    with patch, patch:
        assert type(tiny.layers[0]) is not before
    assert type(tiny.layers[0]) is before


def test_parameters_attributes_and_copies_survive(tiny):
    names = [name for name, _ in tiny.model.named_modules()]
    with steer(tiny.layers, Steering(ONES)):
        assert [name for name, _ in tiny.model.named_modules()] == names
        assert tiny.layers[1].use_sliding is False
        assert mx.array_equal(copy.deepcopy(tiny.layers[1]).mlp.up_proj.weight, tiny.layers[1].mlp.up_proj.weight)


def test_quantised_blocks_are_steered_exactly(tiny):
    model = copy.deepcopy(tiny.model)
    model, _ = quantize_model(model, {}, group_size=32, bits=4)
    with record(model.layers) as recording:
        model(TOKENS, cache=make_prompt_cache(model))
        plain = recording.latest[1]
    with steer(model.layers, Steering({1: mx.ones(32)})), record(model.layers) as recording:
        model(TOKENS, cache=make_prompt_cache(model))
    assert mx.allclose(recording.latest[1], plain + 1, atol=1e-5)


def test_bfloat16_stays_bfloat16(tiny):
    model = copy.deepcopy(tiny.model)
    model.set_dtype(mx.bfloat16)
    steering = Steering({0: mx.ones(32), 1: mx.ones((1, 1, 32))}, start=2, norm_preserving=True)
    with steer(model.layers, steering), record(model.layers) as recording:
        logits = model(TOKENS, cache=make_prompt_cache(model))
    assert {h.dtype for h in [logits, *recording.latest.values()]} == {mx.bfloat16}


def test_one_operation_is_added_per_steered_block(tiny):
    directions = {1: mx.ones((1, 1, 32)), 2: mx.ones((1, 1, 32))}
    mx.eval(directions)
    plain, steered = (decoding_operations(tiny, steering) for steering in (Steering({}), Steering(directions)))
    assert len(steered) - len(plain) == 2
    assert steered.count("Add") - plain.count("Add") == 2


def decoding_operations(model, steering):
    """Return the operations of the graph of one decoding step."""
    cache, graph = make_prompt_cache(model.model), io.StringIO()
    model.model(TOKENS, cache=cache)
    mx.eval([part.state for part in cache])
    with steer(model.layers, steering):
        mx.export_to_dot(graph, model.model(mx.array([[5]]), cache=cache))
    return re.findall(r'label ="(\w+)", shape=rectangle', graph.getvalue())


def test_rows_are_stacked_with_zeros_where_they_add_nothing():
    one, two = Directions({1: np.ones(3, np.float32)}), Directions({2: np.full(3, 2, np.float32)})
    stacked = stack([one, UNSTEERED, two])
    assert {layer: array[:, 0, 0].tolist() for layer, array in stacked.items()} == {1: [1, 0, 0], 2: [0, 0, 2]}


def test_the_key_tells_directions_apart_by_what_they_do():
    ones = np.ones(3, np.float32)
    same = [Directions({1: ones}), Directions({1: ones.copy()}, everywhere=True)]
    other = [Directions({2: ones}), Directions({1: 2 * ones}), Directions({1: ones}, norm_preserving=True), UNSTEERED]
    assert len({directions.key for directions in same}) == 1
    assert len({directions.key for directions in [*same, *other]}) == 5
    assert UNSTEERED.key == ""


# In float16, whose largest number is 65504: Gemma's streams come near it.


@pytest.fixture(scope="module")
def loud():
    """A float16 model whose streams have numbers of about 60,000."""
    config = {"model_type": "llama", "vocab_size": 96, **CONFIGS["llama"], "tie_word_embeddings": False}
    network = tiny_network(config, mx.float16)
    planted = mx.array(network.model.embed_tokens.weight)
    planted[:, :2] = mx.array([60000.0, -60000.0], mx.float16)
    network.model.embed_tokens.weight = planted
    return SimpleNamespace(model=network, layers=network.layers)


FAR = {2: mx.zeros(32).at[mx.array([0, 1, 5])].add(mx.array([20000.0, -20000.0, 3.0]))}


def test_a_sum_beyond_float16_is_clipped_and_nothing_becomes_infinite(loud):
    plain, steered = streams(loud), streams(loud, steering=Steering(FAR))
    assert steered.dtype == mx.float16
    assert mx.isfinite(plain).all()
    assert mx.isfinite(steered).all()
    assert (mx.abs(steered[2, ..., :2]) == 65504).all()
    assert mx.allclose(steered[2, ..., 5] - plain[2, ..., 5], mx.array(3.0, mx.float16), atol=0.05)


def test_adding_nothing_in_float16_changes_nothing(loud):
    assert mx.array_equal(streams(loud, steering=Steering({2: mx.zeros(32)})), streams(loud))


@pytest.mark.parametrize("scale", [1.0, 10.0])  # the second is beyond float16 by itself
def test_norms_are_kept_in_float16_whatever_is_added(loud, scale):
    far = {2: scale * FAR[2]}
    plain, steered = streams(loud), streams(loud, steering=Steering(far, norm_preserving=True))
    assert mx.isfinite(steered).all()
    wide = plain[2].astype(mx.float32)
    total = wide + far[2]
    expected = total * mx.linalg.norm(wide, axis=-1, keepdims=True) / mx.linalg.norm(total, axis=-1, keepdims=True)
    assert mx.allclose(steered[2].astype(mx.float32), mx.clip(expected, -65504, 65504), rtol=2e-3)


@pytest.mark.parametrize(("size", "layer"), [(70_000.0, 1), (np.inf, 2), (np.nan, 3)])
def test_a_direction_that_the_stream_cannot_hold_is_found(size, layer):
    far = np.zeros(32, np.float32)
    far[3] = size
    directions = Directions({0: np.ones(32, np.float32), layer: far})
    assert directions.excess("float16")[0] == layer
    assert (directions.excess("bfloat16") is None) == (directions.excess("float32") is None) == bool(np.isfinite(size))
    preserved = Directions(directions.by_layer, norm_preserving=True)
    assert (preserved.excess("float16") is None) == bool(np.isfinite(size))
