"""What is done to the residual stream, held against the same by hand, and where it is done."""

import mlx.core as mx
import numpy as np
import pytest
from helpers.random_vectors import persona_vector
from mlx_lm.models.cache import make_prompt_cache

from billy_mlx.blend.recipe import Prompt, Recipe
from billy_mlx.blend.writer import generate
from billy_mlx.errors import UsageError
from billy_mlx.model.hooks import ablate, add, clamp, gate, hook
from billy_mlx.model.layers import Directions, Steering, record, stack, steer
from billy_mlx.model.load import load

RNG = np.random.default_rng(0)
D = RNG.normal(size=32).astype(np.float32)
U = D / np.linalg.norm(D)
PROBE = RNG.normal(size=32).astype(np.float32)
TOKENS = tuple(range(5, 15))
RECIPE = Recipe(Prompt(tokens=TOKENS), seed=3, max_tokens=8)


def stream(model, edit=None, layer=1, chunks=(10,), **where):
    """Return what a layer hands on for all of TOKENS, read in chunks."""
    patch = hook(model.blocks, edit or add(np.zeros(32)), layers=[layer], **where)
    cache, parts, at = make_prompt_cache(model.model), [], 0
    with patch, record(model.blocks) as recording:
        for size in chunks:
            model.model(mx.array([TOKENS[at : at + size]]), cache=cache)
            parts.append(np.array(recording.latest[layer][0]))
            at += size
    return np.concatenate(parts)


def by_hand(h, name):
    along = h @ U
    if name == "add":
        return h + D
    if name == "ablate":
        return h - along[:, None] * U
    if name == "clamp":
        return h - np.maximum(along + 1.0, 0)[:, None] * U
    gated = h @ (PROBE / np.linalg.norm(PROBE)) > 0
    return np.where(gated[:, None], h + D, h)


EDITS = {
    "add": add(D),
    "ablate": ablate(3 * D),
    "clamp": clamp(D, most=-1.0),
    "gate": gate(add(D), PROBE, above=0.0),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_what_it_is_by_hand(tiny, name):
    before, after = stream(tiny), stream(tiny, EDITS[name])
    assert np.allclose(after, by_hand(before, name), atol=1e-5)
    assert not np.allclose(after, before, atol=1e-3)


@pytest.mark.parametrize("chunks", [(10,), (4, 6), (1,) * 10])
@pytest.mark.parametrize(("start", "stop"), [(0, None), (3, None), (2, 7), (9, None), (0, 1)])
def test_it_is_done_at_the_positions_asked_for_however_the_prompt_is_cut(tiny, chunks, start, stop):
    before, after = stream(tiny), stream(tiny, add(D), chunks=chunks, start=start, stop=stop)
    expected = before.copy()
    expected[start:stop] += D
    assert np.allclose(after, expected, atol=1e-5)


def test_directions_may_differ_from_layer_to_layer(tiny):
    many = RNG.normal(size=(4, 32)).astype(np.float32)
    plain = stream(tiny, layer=2)
    for given in (many, {2: many[2]}):
        assert np.allclose(stream(tiny, add(given), layer=2), plain + many[2], atol=1e-5)
    assert np.array_equal(stream(tiny, add({1: many[1]}), layer=2), plain)


def test_adding_from_the_last_prompt_token_on_is_steering_token_for_token(tiny, billy_home):
    vector = {"mine": persona_vector("mine", seed=4, fingerprint=tiny.fingerprint)}
    steered = generate(tiny, RECIPE, "mine@1a/raw/L1", vectors=vector)
    with hook(tiny.blocks, add(vector["mine"].directions), layers=[1], start=len(TOKENS) - 1):
        hooked = generate(tiny, RECIPE)
    assert hooked.tokens == steered.tokens != generate(tiny, RECIPE).tokens


def test_what_is_steered_comes_on_top_of_a_hook(tiny):
    direction = Directions({1: D})
    with (
        hook(tiny.blocks, ablate(D), layers=[1]),
        steer(tiny.blocks, Steering(stack([direction]))),
        record(tiny.blocks) as seen,
    ):
        tiny.model(mx.array([TOKENS]), cache=make_prompt_cache(tiny.model))
    assert np.allclose(np.array(seen.latest[1][0]) @ U, np.linalg.norm(D), atol=1e-4)


@pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16])
def test_the_stream_keeps_its_dtype(dtype):
    h = mx.random.normal((2, 3, 32)).astype(dtype)
    assert {edit(0, h).dtype for edit in EDITS.values()} == {dtype}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"layers": [4]}, "they go from 0 to 3"),
        ({"layers": []}, "they go from 0 to 3"),
        ({"start": -1}, "count from 0"),
        ({"start": 5, "stop": 4}, "go upwards"),
    ],
)
def test_layers_and_positions_that_are_not_there_are_refused(tiny, given, said):
    with pytest.raises(UsageError, match=said):
        hook(tiny.blocks, add(D), **given)


def test_a_hook_that_changes_the_shape_is_told_so(tiny):
    with pytest.raises(UsageError, match="return the same shape and dtype"):
        stream(tiny, lambda layer, h: h[:, :1])
    with pytest.raises(UsageError, match="shape"):
        add(np.zeros((2, 2, 2)))


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 3), (3, None), (2, 5), (0, None)], ids=["first 3", "after 3", "2 to 5", "all"]
)
def test_a_window_counts_tokens_of_the_answer(tiny, start, stop):
    """By hand: the answer's token number n is drawn at position len(prompt) - 1 + n."""
    seen = []

    def note(layer, h):
        seen.append(h.shape[1])
        return h + 5 * mx.array(D).astype(h.dtype)

    with hook(tiny.blocks, note, layers=[1], prompt=len(TOKENS), start=start, stop=stop), record(tiny.blocks) as kept:
        streams = []
        plain = prompt_then_steps(tiny, streams, kept)
    bare = []
    with record(tiny.blocks) as kept:
        prompt_then_steps(tiny, bare, kept, plain)
    moved = [not np.allclose(own, other, atol=1e-3) for own, other in zip(streams, bare, strict=True)]
    before = len(TOKENS) - 1
    inside = [start <= at - before and (stop is None or at - before < stop) for at in range(len(moved))]
    assert moved == inside


def prompt_then_steps(model, streams, recording, tokens=(7, 8, 9, 10, 11, 12)):
    """Read TOKENS and then one token after another, keeping what layer 1 hands on at every position."""
    cache = make_prompt_cache(model.model)
    for piece in (TOKENS, *([each] for each in tokens)):
        model.model(mx.array([list(piece)]), cache=cache)
        streams.extend(np.array(recording.latest[1][0]))
    return tokens


def test_a_window_of_the_answer_decides_from_which_token_a_text_changes(tiny):
    def written(**where):
        with hook(tiny.blocks, add(20 * D), layers=[1], prompt=len(TOKENS), **where):
            return generate(tiny, RECIPE).tokens

    plain = generate(tiny, RECIPE).tokens
    assert written(start=8) == plain
    late = written(start=4)
    assert late[:4] == plain[:4]
    assert late != plain
    assert written(stop=1)[0] == written()[0]


def test_a_prompt_without_a_token_is_refused(tiny):
    with pytest.raises(UsageError, match="positions"):
        hook(tiny.blocks, add(D), prompt=0)


def test_passes_that_measure_the_model_are_no_tokens_of_a_text(tiny):
    """A model that is freshly loaded is measured when it first writes; a hook counts the tokens of the text alone."""
    model, seen = load(tiny.id), []

    def note(layer, h):
        seen.append(h.shape[:2])
        return h

    with hook(model.blocks, note, layers=[1]):
        generate(model, RECIPE)
        assert (model.batches, model.reading_speed > 0, model.shape.layers) == (True, True, 4)
    assert seen == [(1, len(TOKENS) - 1), *[(1, 1)] * RECIPE.max_tokens]
