import pytest

from billy_mlx.errors import ModelError
from billy_mlx.model.config import context_length, layer_count, read_config, residual_width


@pytest.mark.parametrize(
    "config",
    [
        {"num_hidden_layers": 4, "hidden_size": 32, "max_position_embeddings": 64},
        {"n_layer": 4, "n_embd": 32, "n_positions": 64},
        {"text_config": {"num_hidden_layers": 4, "hidden_size": 32, "max_position_embeddings": 64}},
    ],
)
def test_shapes_are_found_under_every_name(config):
    assert (layer_count(config), residual_width(config), context_length(config)) == (4, 32, 64)


def test_a_model_without_a_bound_has_no_context_length():
    assert context_length({"model_type": "mamba"}) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"model_type": 1}', "[" * 100_000, '{"model_type": "\udcff"'])
def test_a_damaged_config_is_said_in_words(tmp_path, text):
    (tmp_path / "config.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ModelError, match=r"config\.json (is damaged|names no model_type)"):
        read_config(tmp_path)


def test_code_in_a_model_folder_is_never_run(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "llama", "model_file": "evil.py"}')
    with pytest.raises(ModelError, match="wants to run its own code"):
        read_config(tmp_path)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("notes.txt", "no config.json"),
        ("adapter_config.json", "name its model with --model, and it with --adapter-path"),
        ("a.gguf", "billy model import"),
    ],
)
def test_a_folder_that_is_no_model_says_what_it_is(tmp_path, file, words):
    (tmp_path / file).touch()
    with pytest.raises(ModelError, match=words):
        read_config(tmp_path)
