import json
import os
import socket

import mlx.core as mx
import pytest
from helpers.tiny_adapter import adapter_folder
from helpers.tiny_models import tiny_folder
from helpers.zoo import TINY, zoo_folder

import billy_mlx
from billy_mlx import paths
from billy_mlx.blend.recipe import Recipe
from billy_mlx.blend.writer import generate
from billy_mlx.errors import ModelError, UnsteerableModel, UsageError
from billy_mlx.model import load as load_module
from billy_mlx.model import memory
from billy_mlx.model.config import read_config
from billy_mlx.model.layers import shape_of
from billy_mlx.model.load import default_name, find, load
from billy_mlx.model.model import Model
from billy_mlx.paths import config_file


@pytest.fixture(autouse=True)
def no_model_is_named(monkeypatch):
    monkeypatch.delenv("BILLY_MODEL", raising=False)


@pytest.fixture
def folder(tmp_path):
    return tiny_folder(tmp_path / "model")


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def edit(folder, **changes):
    config = json.loads((folder / "config.json").read_text()) | changes
    (folder / "config.json").write_text(json.dumps(config))


def test_a_folder_becomes_a_model_that_runs(tiny):
    assert (len(tiny.layers), tiny.width, tiny.context_length) == (4, 32, 512)
    logits = tiny.model(mx.array([tiny.tokenizer.encode("the and")]))
    assert logits.shape == (1, 3, tiny.fingerprint.vocabulary)
    assert tiny.id == str(tiny.path)


def test_the_package_hands_out_its_names_when_they_are_asked_for():
    assert (billy_mlx.load, billy_mlx.Model) == (load, Model)
    assert dir(billy_mlx) == sorted(billy_mlx.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = billy_mlx.nothing


def test_a_hybrid_loads_too(hybrid):
    assert [block.is_attention_layer for block in hybrid.layers] == [False, True, False, True]


def test_loading_touches_no_network(folder, no_network):
    assert load(folder).tokenizer.eos_token_ids


def test_the_end_of_a_turn_ends_an_answer(tiny):
    assert tiny.tokenizer.eos_token_ids == {tiny.tokenizer.convert_tokens_to_ids("<|im_end|>")}


@pytest.mark.slow
@pytest.mark.skipif(mx.default_device() != mx.cpu, reason="Metal keeps the bits")
@pytest.mark.parametrize("stored", [{"dtype": mx.bfloat16}, {"bits": 4}, {"dtype": mx.float16, "bits": 8}])
def test_on_a_cpu_everything_becomes_float32(tmp_path, stored):
    model = load(tiny_folder(tmp_path, **stored))
    assert model.model(mx.array([[1, 2]])).dtype == mx.float32
    assert {array.dtype for layer in model.layers for array in leaves(layer.parameters())} == {mx.float32}


def leaves(tree):
    return [array for branch in tree.values() for array in (leaves(branch) if isinstance(branch, dict) else [branch])]


@pytest.mark.slow
def test_dequantising_at_load_does_not_change_the_fingerprint(tmp_path):
    from billy_mlx.model.fingerprint import weights_hash

    folder = tiny_folder(tmp_path, bits=4)
    assert load(folder).fingerprint.weights == weights_hash(folder)


def test_the_environment_wins_over_the_configuration_and_that_over_the_starter(monkeypatch):
    assert default_name() == "starter"
    paths.config_file().parent.mkdir(parents=True)
    paths.config_file().write_text('model = "mine"')
    assert default_name() == "mine"
    monkeypatch.setenv("BILLY_MODEL", "org/name")
    assert default_name() == "org/name"


@pytest.mark.parametrize("text", ["model = ", "model = 1", "x = " + "[" * 100_000])
def test_a_broken_configuration_names_the_file(text):
    paths.config_file().parent.mkdir(parents=True)
    paths.config_file().write_text(text)
    with pytest.raises(UsageError, match=r"config\.toml"):
        default_name()


def test_an_imported_model_goes_by_its_name():
    folder = tiny_folder(paths.models_folder() / "mine")
    assert find("mine") == ("mine", folder)


def test_a_folder_is_found_from_where_one_stands(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    assert find("model") == (str(folder), folder)


def test_a_hub_id_that_is_not_stored_gives_the_command_that_gets_it(no_network):
    with pytest.raises(ModelError, match=r"run: billy model get org/name$"):
        load("org/name")
    with pytest.raises(ModelError, match="run: billy model get org/name --revision v2"):
        load("org/name", revision="v2")


@pytest.mark.parametrize("name", ["nothing", "../nothing", "a/b/c", "mo\0del", "~nobody/model"])
def test_a_name_that_leads_nowhere_is_said_in_words(name):
    with pytest.raises(ModelError, match="No model is called"):
        find(name)


def test_a_file_is_not_a_model(tmp_path):
    (tmp_path / "model.gguf").touch()
    with pytest.raises(ModelError, match="billy model import"):
        find(str(tmp_path / "model.gguf"))


def test_only_hub_models_have_revisions(folder):
    with pytest.raises(UsageError, match="has no revisions"):
        load(folder, revision="main")


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [{"model_type": "nonesuch"}, {"hidden_size": 64}, {"num_hidden_layers": 5}, {"num_attention_heads": None}],
)
def test_a_model_that_mlx_lm_cannot_build_is_said_in_words(folder, changes):
    edit(folder, **changes)
    with pytest.raises(ModelError, match=r"cannot (load|be read)"):
        load(folder)


@pytest.mark.slow
@pytest.mark.parametrize("text", [None, "", '{"model": ', "{}"])
def test_a_tokenizer_that_cannot_be_read_is_said_in_words(folder, text):
    (folder / "tokenizer.json").unlink()
    if text is not None:
        (folder / "tokenizer.json").write_text(text)
    with pytest.raises(ModelError, match=r"tokenizer in .* cannot be read"):
        load(folder)


@pytest.mark.slow
def test_a_strangers_tokenizer_code_is_not_run(folder):
    (folder / "tokenization_evil.py").write_text("raise SystemExit('it ran')")
    settings = {"auto_map": {"AutoTokenizer": ["tokenization_evil.Evil", None]}, "tokenizer_class": "Evil"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    with pytest.raises(ModelError, match=r"tokenizer in .* cannot be read"):
        load(folder)


def test_a_model_too_large_for_the_machine_is_refused_before_it_is_read(folder, monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: 1000)
    os.truncate(folder / "tokenizer.json", 0)
    with pytest.raises(ModelError, match=r"Loading .* needs 0\.2 GB of memory and 0\.0 GB are free; close other"):
        load(folder)


NAMED = [
    {"name": "brief", "template": "{{ messages[-1].content }}"},
    {"name": "loud", "template": "{{ 'A: ' + messages[-1].content }}"},
]


@pytest.mark.slow
def test_the_configured_chat_template_is_that_of_the_configured_model(folder, billy_home):
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"chat_template": NAMED}))
    config_file().parent.mkdir(parents=True)
    config_file().write_text(f'model = "{folder}"\nchat-template-name = "loud"\n')
    assert load().tokenizer.chat_template == load(folder).tokenizer.chat_template == NAMED[1]["template"]
    assert load(folder, chat_template_name="brief").tokenizer.chat_template == NAMED[0]["template"]
    with pytest.raises(UsageError, match="chat templates called brief, loud; there is none called 'quiet'"):
        load(folder, chat_template_name="quiet")
    adapter = adapter_folder(folder.with_name("adapter"), folder)
    config_file().write_text(f'model = "{folder} --adapter-path {adapter}"\nchat-template-name = "loud"\n')
    assert load().tokenizer.chat_template == NAMED[1]["template"]
    config_file().write_text('chat-template-name = "loud"\n')
    assert isinstance(load(folder).tokenizer.chat_template, dict)
    config_file().write_text(f'model = "{folder}"\nchat-template-name = 3\n')
    with pytest.raises(UsageError, match="chat-template-name is 3; write it in quotes"):
        load()


@pytest.mark.slow
def test_a_model_that_cannot_be_steered_writes_all_the_same(tmp_path):
    model = load(zoo_folder(tmp_path / "loops", "iquestloopcoder"))
    assert len(generate(model, Recipe.of("sea", max_tokens=3, chat=False)).tokens) == 3
    with pytest.raises(UnsteerableModel, match="it never calls its blocks"):
        _ = model.blocks


@pytest.mark.parametrize("name", sorted(TINY))
def test_every_model_of_the_zoo_is_loaded_from_a_folder_as_it_is(name, tmp_path, monkeypatch):
    monkeypatch.setattr(load_module, "require_harmless", lambda folder: shape_of(load_module.build(folder)[0]))
    model = load(zoo_folder(tmp_path, name))
    assert model.fingerprint.layers == len(model.layers) == model.shape.layers
    assert model.shape.width in (None, model.fingerprint.width)
    assert model.shape.width is None or model.width == model.shape.width


@pytest.mark.slow
def test_a_width_that_the_config_tells_wrongly_is_the_models(tmp_path):
    model = load(zoo_folder(tmp_path, "lille-130m"))
    assert read_config(model.path)["hidden_size"] != model.width == model.shape.width
