"""billy model: list, verify, import; get only as far as it goes without the network."""

import json

import pytest

from billy_mlx import paths


@pytest.fixture
def imported(extracted, billy_home):
    """A model as an import leaves it: among the models, with the sums of its files."""
    import hashlib
    import shutil

    folder = paths.models_folder() / "mine"
    shutil.copytree(extracted.model, folder)
    config = json.loads((folder / "config.json").read_text())
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    config["billy"] = {"files": {"model.safetensors": digest}}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_models_are_listed(billy, imported):
    assert "mine" in billy("model", "list").out
    assert [model["id"] for model in json.loads(billy("model", "list", "--json").out)] == ["mine"]


def test_a_good_model_is_verified(billy, imported):
    done = billy("model", "verify", "mine")
    assert done.code == 0
    assert "self-test    passed" in done.out
    assert "1 as imported" in done.out


def test_a_changed_file_is_found(billy, imported):
    weights = imported / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    done = billy("model", "verify", "mine")
    assert done.code == 1
    assert "is damaged: its SHA-256 is" in done.err


def test_no_model_is_said(billy):
    assert "run: billy model get starter" in billy("model", "list").err


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["get", "nobody/nothing"], 1, "HF_HUB_OFFLINE is set"),
        (["get", "starter", "--revision", "x"], 2, "has no revisions"),
        (["verify", "nobody/nothing"], 1, "run: billy model get nobody/nothing"),
        (["import", "nowhere.gguf"], 1, "nowhere.gguf"),
        (["import", "nowhere.gguf", "--name", "../x"], 2, "cannot be called"),
        (["import", "starter.gguf"], 2, "cannot be called 'starter'"),
    ],
)
def test_what_cannot_be_done_is_said(billy, arguments, code, sentence):
    done = billy("model", *arguments)
    assert (done.code, done.out) == (code, "")
    assert sentence in done.err
