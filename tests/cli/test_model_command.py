"""billy model: list, verify, import; get only as far as it goes without the network."""

import hashlib
import json
import shutil

import pytest

from billy_mlx import paths
from billy_mlx.model import gguf
from billy_mlx.model.gguf import ImportReport


@pytest.fixture
def imported(extracted, billy_home):
    """A model as an import leaves it: among the models, with the sums of its files."""
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


@pytest.mark.slow
def test_a_good_model_is_verified(billy, imported):
    done = billy("model", "verify", "mine")
    assert done.code == 0
    assert "self-test    passed" in done.out
    assert "1 as imported" in done.out


@pytest.mark.slow
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


def test_an_imported_file_is_a_model_to_write_with(billy, extracted, monkeypatch):
    def copy(source, folder, *, progress):
        progress(10, 10)
        shutil.copytree(extracted.model, folder)
        return ImportReport(folder, source.name, "", "llama", {}, ("1 Q4_K tensors are quantised again",))

    monkeypatch.setattr(gguf, "import_gguf", copy)
    done = billy("model", "import", "my tiny.gguf")
    assert (done.code, done.out) == (0, "my-tiny\n")
    assert "billy: 1 Q4_K tensors are quantised again" in done.err
    assert billy("generate", "-p", "Once", "-m", "2", "--model", "my-tiny").code == 0
