"""A blend added layer by layer on many kinds of models: experts, hybrids, sliding windows, narrow floats.

What is decoded is held against one plain forward pass over prompt and answer, in which the test itself adds at every
block what the layers below have not added yet.
"""

import io
import re
from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import mlx.core as mx
import numpy as np
import pytest
from helpers.decoded_rows import GREEDY, alone, tokens
from helpers.random_vectors import persona_vector
from helpers.zoo import build
from mlx_lm.models.cache import make_prompt_cache

from billy_mlx.blend.blend import Blend
from billy_mlx.blend.directions import directions
from billy_mlx.model.cache import PromptStore
from billy_mlx.model.decode import Decoding
from billy_mlx.model.fingerprint import Fingerprint
from billy_mlx.model.layers import UNSTEERED, Patch, Steering, stack, steer
from billy_mlx.model.rows import Row

LAYERS, WIDTH, VOCABULARY = 4, 32, 96
KINDS = {
    "experts": ("mixtral", mx.float32),
    "experts, one for all": ("qwen2_moe", mx.float32),
    "experts, a sliding window": ("gpt_oss", mx.float32),
    "convolutions, attention": ("lfm2", mx.float32),
    "state spaces beside attention": ("falcon_h1", mx.float32),
    "state spaces, attention, experts": ("granitemoehybrid", mx.float32),
    "delta nets, attention, experts": ("qwen3_next", mx.float32),
    "a sliding window": ("gemma3_text", mx.float32),
    "float16": ("llama", mx.float16),
    "bfloat16": ("llama", mx.bfloat16),
    "a sliding window in bfloat16": ("gemma3_text", mx.bfloat16),
}
GATES = {"mixtral": "block_sparse_moe", "qwen3_moe": "mlp"}  # whose `gate` picks the experts
TOLERANCE = {mx.float32: 1e-3, mx.float16: 0.05, mx.bfloat16: 0.3}
PROMPT = tuple(5 + (7 * n) % 80 for n in range(21))  # longer than a window, which is 8

pytestmark = pytest.mark.usefixtures("bfloat16_experts")


def whole(seed):
    """Directions (layers, D) like those of real models: each is what the one below it is, and some more."""
    steps = np.random.default_rng(seed).normal(size=(LAYERS, WIDTH))
    return np.cumsum(0.5 * steps, axis=0)


VECTORS = {persona_id: persona_vector(persona_id, whole(seed)) for seed, persona_id in enumerate(("gothic", "noir"))}
NOIR, BOTH = (directions(Blend.parse(f"{text}/layered"), VECTORS) for text in ("noir@0.8", "noir:0.7+gothic:-0.4"))


def noir_by_hand():
    """What noir adds at 0.8: at the second layer all of it, at the third what is new there, elsewhere nothing."""
    at = VECTORS["noir"].directions.astype(np.float64)
    return {1: 0.8 * at[1], 2: 0.8 * (at[2] - at[1])}


@cache
def network(name, dtype):
    return build(name, dtype)


def model_of(tiny, name, dtype=mx.float32):
    ours = Fingerprint(name, LAYERS, WIDTH, VOCABULARY, base="b" * 16, weights="w" * 16)
    model = replace(tiny, id=name, model=network(name, dtype), config={}, fingerprint=ours)
    assert model.shape.layers == LAYERS  # looks at the model, which is over before a test does
    return model


@pytest.fixture(params=KINDS)
def model(request, tiny):
    return model_of(tiny, *KINDS[request.param])


def row(directions=UNSTEERED, prompt=PROMPT, max_tokens=12, **settings):
    return Row(prompt, directions, max_tokens=max_tokens, **settings)


def plain_pass(model, text, added, start):
    """Return the logits (T, V) of one pass over `text`, with what is `added` from the token at `start` on."""

    def add(layer, h):
        if layer not in added:
            return h
        steered = mx.arange(len(text))[None, :, None] >= start
        return h + mx.where(steered, mx.array(added[layer].astype(np.float32)).astype(h.dtype), 0)

    with Patch(list(model.layers), add):
        return model.model(mx.array([text]), cache=make_prompt_cache(model.model))[0]


def decoded(model, one):
    """Return the tokens of a row, and the logits (tokens, V) that each was drawn from."""
    seen = []
    with Patch([model.model], lambda _, logits: seen.append(logits) or logits):
        written = alone(model, one)
    return written, mx.concatenate([logits[0] for logits in seen if logits.shape[1] == 1])


@pytest.mark.parametrize("everywhere", [False, True])
def test_what_is_decoded_is_what_a_plain_pass_with_the_sum_added_by_hand_says(model, everywhere):
    one = row(replace(NOIR, everywhere=everywhere), sampling=GREEDY)
    written, logits = decoded(model, one)
    first = len(PROMPT) - 1
    expected = plain_pass(model, [*PROMPT, *written], noir_by_hand(), 0 if everywhere else first)[first:-1]
    assert mx.argmax(expected, axis=-1).tolist() == written != alone(model, row(sampling=GREEDY))
    assert logits.dtype == expected.dtype
    assert mx.abs(logits - expected).max() < TOLERANCE[logits.dtype]


@pytest.mark.slow
def test_rows_of_unequal_length_are_in_one_batch_what_each_is_alone(model):
    rows = [
        row(),
        row(NOIR, PROMPT[:9], seed=1),
        row(BOTH, seed=2, max_tokens=5),
        row(NOIR, PROMPT[3:17], sampling=GREEDY, max_tokens=20),
        row(replace(BOTH, everywhere=True), (7, *PROMPT), seed=3),
        row(BOTH, PROMPT[:2], seed=4),
    ]
    assert model.batches
    assert tokens(Decoding(model, rows), len(rows)) == [alone(model, one) for one in rows]


@pytest.mark.slow
def test_a_prompt_is_used_again_under_another_blend_and_never_what_was_read_steered(model):
    store, written = PromptStore(), {}

    def again(one):
        decoding = Decoding(model, [one], store=store)
        written[one] = tokens(decoding)[0]
        assert written[one] == alone(model, one)
        return decoding.reused

    first = row(NOIR, seed=1)
    assert [again(first), again(row(BOTH, seed=1))] == [0, len(PROMPT) - 1]
    assert again(row(BOTH, (*PROMPT, *written[first]))) == len(PROMPT) - 1  # what was written steered is read again
    assert again(row(seed=2)) == len(PROMPT) - 1
    everywhere = [replace(added, everywhere=True) for added in (NOIR, BOTH)]
    assert [again(row(added)) for added in (*everywhere, everywhere[0])] == [0, 0, len(PROMPT) - 1]


def test_a_steered_block_costs_one_addition_a_step_in_whatever_width(model):
    plain, steered = (operations(model, steering) for steering in (Steering({}), Steering(stack([NOIR]))))
    # Of a sum in float16 what is beyond it is cut: twice two operations, which Metal fuses with the addition.
    each = 5 if steered.dtype == mx.float16 else 1
    assert len(steered.names) - len(plain.names) == each * len(NOIR.by_layer)
    assert steered.names.count("Add") - plain.names.count("Add") == len(NOIR.by_layer)


def operations(model, steering):
    """The operations of a step of decoding, after the first one."""
    prompt_cache, graph = make_prompt_cache(model.model), io.StringIO()
    with steer(model.layers, steering):
        mx.eval(model.model(mx.array([PROMPT]), cache=prompt_cache), [part.state for part in prompt_cache])
        logits = model.model(mx.array([[5]]), cache=prompt_cache)
        mx.export_to_dot(graph, logits)
    return SimpleNamespace(names=re.findall(r'label ="(\w+)", shape=rectangle', graph.getvalue()), dtype=logits.dtype)


@pytest.mark.parametrize("name", GATES)
def test_experts_are_picked_anew_above_what_was_added_and_the_sum_is_still_the_one_by_hand(tiny, name):
    model, one = model_of(tiny, name), row(NOIR, sampling=GREEDY, max_tokens=40)
    assert model.blocks  # its self-test is over
    with Picks(model) as while_decoding:
        written = alone(model, one)
    text, first = [*PROMPT, *written][:-1], len(PROMPT) - 1
    by_hand, plain = (picks_of(model, text, added, first) for added in (noir_by_hand(), {}))
    for layer, picks in by_hand.items():
        assert np.array_equal(while_decoding.by_layer()[layer], picks)
        changed = (picks != plain[layer]).any(axis=-1)
        assert not changed[:first].any()
        # The second block has picked before anything is added to what it hands on.
        assert changed[first:].mean() > 0.1 if layer > 1 else not changed.any()


class Picks(Patch):
    """Notes which two of four experts every token gets in every block that has experts."""

    def __init__(self, model):
        gates = {layer: getattr(block, GATES[model.id]) for layer, block in enumerate(model.layers)}
        self._layers = [layer for layer, experts in gates.items() if hasattr(experts, "gate")]
        self._seen = {layer: [] for layer in self._layers}
        super().__init__([gates[layer].gate for layer in self._layers], self._note)

    def _note(self, number, scores):
        self._seen[self._layers[number]].append(scores)
        return scores

    def by_layer(self):
        scores = {layer: np.array(mx.concatenate(parts, axis=1)[0]) for layer, parts in self._seen.items()}
        return {layer: np.sort(np.argsort(-each, axis=-1)[..., :2], axis=-1) for layer, each in scores.items()}


def picks_of(model, text, added, start):
    with Picks(model) as picks:
        mx.eval(plain_pass(model, text, added, start))
    return picks.by_layer()
