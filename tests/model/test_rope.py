"""A config in the words of transformers 5 makes the same model as one in the older words, or is refused by name."""

import importlib
import inspect
import json
from copy import deepcopy

import mlx.core as mx
import pytest
from helpers.tiny_models import tiny_folder, tiny_network
from helpers.zoo import TINY

from billy_mlx.errors import ModelError
from billy_mlx.model.load import build
from billy_mlx.model.rope import older_words, require_read

LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
# Older words, and what transformers 5 writes in their place.
SAME = {
    "another speed": ({"rope_theta": 500000.0}, {"rope_theta": 500000.0, "rope_type": "default"}),
    "no kind": ({"rope_theta": 2e6}, {"rope_theta": 2e6}),
    "linear": (
        {"rope_theta": 1e5, "rope_scaling": {"rope_type": "linear", "factor": 4.0}},
        {"rope_theta": 1e5, "rope_type": "linear", "factor": 4.0},
    ),
    "llama3": ({"rope_theta": 5e5, "rope_scaling": LLAMA3}, {"rope_theta": 5e5, **LLAMA3}),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_folder(tmp_path_factory.mktemp("rope") / "llama")


def logits(folder, **settings):
    config = json.loads((folder / "config.json").read_text())
    plain = {name: value for name, value in config.items() if not name.startswith("rope")}
    (folder / "config.json").write_text(json.dumps(plain | settings))
    network, _ = build(folder)
    return network(mx.array([[*range(3, 60)]]))


@pytest.mark.parametrize(("older", "newer"), SAME.values(), ids=SAME.keys())
def test_both_ways_of_saying_it_make_the_same_model(folder, older, newer):
    expected = logits(folder, **older)
    assert mx.array_equal(logits(folder, rope_parameters=newer), expected)
    assert not mx.allclose(logits(folder), expected, atol=1e-3)


def test_older_words_come_before_the_newer_ones(folder):
    both = logits(folder, rope_theta=5e5, rope_parameters={"rope_theta": 3.0})
    assert mx.array_equal(both, logits(folder, rope_theta=5e5))


BY_LAYER = {
    "full_attention": {"rope_theta": 1e6, "rope_type": "linear", "factor": 8.0},
    "sliding_attention": {"rope_theta": 1e4, "rope_type": "default"},
}


def test_speeds_by_kind_of_layer_are_said_as_gemma_has_them():
    assert older_words({"rope_parameters": BY_LAYER}) == {
        "rope_theta": 1e6,
        "rope_scaling": {"rope_type": "linear", "factor": 8.0},
        "rope_local_base_freq": 1e4,
    }


def test_the_part_about_text_is_completed_and_keeps_the_rest():
    config = {"text_config": {"hidden_size": 8, "rope_parameters": {"rope_theta": 7.0}}}
    assert older_words(config)["text_config"] == {**config["text_config"], "rope_theta": 7.0}


@pytest.mark.parametrize("odd", [None, [], "fast", {}, {"full_attention": 3}, {"rope_type": "default"}], ids=repr)
def test_what_says_nothing_adds_nothing(odd):
    assert older_words({"rope_parameters": odd, "hidden_size": 8}) == {}


def test_speeds_that_differ_are_refused_where_mlx_lm_knows_one(folder):
    with pytest.raises(ModelError, match="turn positions at different speeds, which mlx-lm does not know of it"):
        logits(folder, rope_parameters=BY_LAYER)


def test_speeds_that_differ_are_taken_where_mlx_lm_knows_them():
    config = {name: value for name, value in TINY["gemma3_text"].items() if "rope" not in name}
    config["model_type"] = "gemma3_text"
    older = {"rope_theta": 1e6, "rope_local_base_freq": 1e4, "rope_scaling": {"rope_type": "linear", "factor": 8.0}}
    newer = config | {"rope_parameters": BY_LAYER}
    network = tiny_network(deepcopy(newer | older_words(newer)))
    require_read(network, newer)
    tokens = mx.array([[*range(3, 60)]])
    assert mx.array_equal(network(tokens), tiny_network(config | older)(tokens))


def knows(name):
    """Whether mlx-lm's file of an architecture reads the newer words."""
    module = importlib.import_module(f"mlx_lm.models.{name}")
    return "rope_parameters" in inspect.getsource(module)


@pytest.mark.parametrize("name", [name for name in TINY if knows(name)])
def test_an_architecture_that_knows_the_newer_words_is_the_same_with_the_older_ones_beside_them(name):
    config = {"model_type": name, **TINY[name]}
    tokens = mx.array([[*range(3, 30)]])
    said = []
    for each in (config, config | older_words(config)):
        mx.random.seed(0)  # some draw what is no parameter
        network = tiny_network(deepcopy(each))
        require_read(network, config)
        said.append(network(tokens))
    assert mx.array_equal(*said)
