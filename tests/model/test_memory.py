from dataclasses import replace

import mlx.core as mx
import numpy as np
import pytest
from helpers.tiny_models import CONFIGS, tiny_folder
from mlx.utils import tree_flatten
from mlx_lm.models.cache import make_prompt_cache

from billy_mlx.errors import ModelError
from billy_mlx.measure.activations import ResponseAverages
from billy_mlx.model import memory
from billy_mlx.model.cache import PromptStore
from billy_mlx.model.config import read_config
from billy_mlx.model.decode import Decoding
from billy_mlx.model.layers import Directions
from billy_mlx.model.load import load
from billy_mlx.model.rows import Row
from billy_mlx.model.thinking import Thinking


@pytest.fixture
def small_machine(monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: 2_000_000_000)


def test_the_machine_has_memory():
    assert memory.available_bytes() > 0


def test_a_job_that_does_not_fit_is_refused_with_both_numbers(small_machine):
    memory.require(2_000_000_000, "This", "wait")
    with pytest.raises(ModelError, match=r"^This needs 3\.5 GB of memory and 2\.0 GB are free; wait$"):
        memory.require(3_500_000_000, "This", "wait")


def test_the_weights_of_a_folder_are_counted_as_stored(tmp_path):
    folder = tiny_folder(tmp_path, dtype=mx.bfloat16)
    stored = sum(array.nbytes for array in mx.load(str(folder / "model.safetensors")).values())
    assert memory.weights_bytes(folder, read_config(folder), as_float32=False) == stored


@pytest.mark.parametrize("stored", [{}, {"dtype": mx.bfloat16}, {"bits": 4}, {"bits": 8}])
@pytest.mark.parametrize("architecture", CONFIGS)
def test_the_weights_are_counted_as_they_will_be_in_float32(tmp_path, architecture, stored):
    dense = tiny_folder(tmp_path / "dense", architecture)
    folder = tiny_folder(tmp_path / "stored", architecture, **stored)
    expected = memory.weights_bytes(dense, read_config(dense), as_float32=False)
    assert memory.weights_bytes(folder, read_config(folder), as_float32=True) == expected


def test_a_layer_with_its_own_group_size_is_counted_with_it(tmp_path):
    folder = tiny_folder(tmp_path, bits=4)
    config = read_config(folder)
    before = memory.weights_bytes(folder, config, as_float32=True)
    own = config["quantization"] | {"model.layers.0.mlp.up_proj": {"group_size": 64, "bits": 4}}
    assert memory.weights_bytes(folder, config | {"quantization": own}, as_float32=True) == before + 4 * 32 * 64


@pytest.mark.parametrize("tokens", [256, 512])
def test_the_cache_is_as_large_as_it_turns_out(tiny, hybrid, tokens):
    for model in (tiny.model, hybrid.model):
        cache = make_prompt_cache(model)
        mx.eval(model(mx.zeros((1, tokens), mx.int32), cache=cache))
        leaves = [leaf for layer in cache for _, leaf in tree_flatten(layer.state)]
        held = sum(leaf.nbytes for leaf in leaves if isinstance(leaf, mx.array))
        assert memory.cache_bytes(model, tokens) == held


def test_rows_that_do_not_fit_are_refused(tiny, small_machine):
    memory.check_rows(tiny, rows=1, tokens=100)
    with pytest.raises(ModelError, match=r"1000 × 100,000 tokens with .*; take fewer rows at once or a shorter text"):
        memory.check_rows(tiny, rows=1000, tokens=100_000)


@pytest.fixture
def wide_heads(tmp_path, monkeypatch):
    """A model whose caches are what counts, as those of real ones are: 32 KB a token."""
    monkeypatch.setitem(CONFIGS, "llama", CONFIGS["llama"] | {"head_dim": 256, "num_key_value_heads": 4})
    return load(tiny_folder(tmp_path))


def peak_bytes(model, rows, observer=None):
    before = mx.get_active_memory()
    mx.reset_peak_memory()
    for _ in Decoding(model, rows, store=PromptStore(), observer=observer):
        pass
    return mx.get_peak_memory() - before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rows", "prompts", "tokens"), [(1, 1, 200), (24, 24, 70), (6, 1, 70), (4, 4, 300), (16, 1, 20)]
)
def test_rows_need_no_more_than_is_asked_for_and_more_than_half(wide_heads, monkeypatch, rows, prompts, tokens):
    asked = []
    monkeypatch.setattr(memory, "require", lambda needed, *_: asked.append(needed))
    memory.check_rows(wide_heads, rows, tokens + 6, prompts=prompts)
    written = [
        Row((row % prompts, *(n % 200 for n in range(tokens - 1))), seed=row, max_tokens=6) for row in range(rows)
    ]
    real = peak_bytes(wide_heads, written)
    assert real <= asked[0] <= 2 * real


@pytest.fixture(params=["float32", "bfloat16"])
def many_layers(tmp_path, monkeypatch, request):
    """A model whose caches are next to nothing beside what a row has at every layer."""
    small = {"num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 8, "intermediate_size": 16}
    monkeypatch.setitem(CONFIGS, "llama", CONFIGS["llama"] | small | {"hidden_size": 1024, "num_hidden_layers": 12})
    model = load(tiny_folder(tmp_path))
    model.model.set_dtype(getattr(mx, request.param))
    mx.eval(model.model.parameters())
    assert (model.batches, len(model.blocks)) == (True, 12)  # their trials are over
    return model


def rows_of(model, count):
    return [Row(prompt=(row, *range(19)), seed=row, max_tokens=6 + row % 3) for row in range(count)]


def everywhere_steered(model, row):
    noise = np.random.default_rng(row.seed).normal(size=(12, 1024)).astype(np.float32)
    return replace(row, directions=Directions(dict(enumerate(noise))))


def thinking(row):
    return replace(row, thinking=Thinking(start=(999,), end=(998,), opened=True))


@pytest.mark.slow
@pytest.mark.parametrize("rows", [4, 32])
def test_what_rows_have_for_every_layer_is_counted(many_layers, monkeypatch, rows):
    asked = {}
    for averaged in (False, True):
        monkeypatch.setattr(memory, "require", lambda needed, *_, at=averaged: asked.update({at: needed}))
        memory.check_rows(many_layers, rows, 20 + 8, prompts=rows, averaged=averaged)
    plain = rows_of(many_layers, rows)
    steered = [everywhere_steered(many_layers, row) for row in plain]
    peak_bytes(many_layers, plain)
    assert peak_bytes(many_layers, steered) <= asked[False] <= 2 * peak_bytes(many_layers, steered)
    assert peak_bytes(many_layers, [thinking(row) for row in steered]) <= asked[False]
    assert peak_bytes(many_layers, plain, ResponseAverages()) <= asked[True]


def test_every_different_prompt_of_a_batch_has_a_cache_of_its_own_until_it_is_copied(tiny):
    one, two, three = (memory.rows_bytes(tiny, 3, 100, prompts=prompts) for prompts in (1, 2, 3))
    assert two - one == three - two == memory.cache_bytes(tiny.model, 256)
