"""Whether a model fits: what is found without its weights is what loading it and writing with it count."""

import json
import shutil

import mlx.core as mx
import pytest
from helpers.tiny_models import tiny_folder
from helpers.zoo import TINY, zoo_folder
from mlx.utils import tree_flatten

from billy_mlx.cli import run
from billy_mlx.errors import ModelError, UsageError
from billy_mlx.model import backend, fits, memory
from billy_mlx.model.fits import Needs, needs_of
from billy_mlx.model.load import load

KINDS = {
    "plain": lambda path: tiny_folder(path),
    "in bfloat16": lambda path: tiny_folder(path, dtype=mx.bfloat16),
    "in 4 bits": lambda path: tiny_folder(path, bits=4),
    "in 8 bits, of bfloat16": lambda path: tiny_folder(path, bits=8, dtype=mx.bfloat16),
    "hybrid": lambda path: tiny_folder(path, "lfm2"),
    "hybrid in 4 bits": lambda path: tiny_folder(path, "lfm2", bits=4),
    "sliding window": lambda path: zoo_folder(path, "gemma3_text"),
    "experts": lambda path: zoo_folder(path, "mixtral"),
    "states alone": lambda path: zoo_folder(path, "mamba2"),
}


@pytest.fixture(params=KINDS)
def folder(tmp_path, request):
    return KINDS[request.param](tmp_path / "model")


def config_of(folder):
    """Return the config.json of a model alone, in a folder of its own."""
    alone = folder.parent / "alone"
    alone.mkdir()
    return shutil.copy(folder / "config.json", alone / "config.json")


def the_truth(folder, tokens, rows, monkeypatch):
    """Return the bytes of the weights of a model once it is loaded, of its caches, and of all that rows take."""
    model = load(folder)
    asked = []
    monkeypatch.setattr(memory, "require", lambda needed, *_: asked.append(needed))
    memory.check_rows(model, rows, tokens)
    weights = sum(array.nbytes for _, array in tree_flatten(model.model.parameters()))
    return weights, rows * memory.cache_bytes(model.model, tokens), asked[0]


@pytest.mark.slow
@pytest.mark.parametrize(("tokens", "rows"), [(100, 1), (250, 3)])
def test_what_a_model_takes_is_what_it_takes_once_it_is_loaded(folder, monkeypatch, tokens, rows):
    needs = needs_of(str(folder), tokens=tokens, least=0, rows=rows)
    weights, caches, all_rows = the_truth(folder, tokens, rows, monkeypatch)
    assert (needs.caches, needs.caches + needs.working) == (caches, all_rows)
    assert needs.weights == weights


@pytest.mark.slow
def test_a_config_alone_tells_as_much_as_the_whole_folder(folder):
    whole, alone = (needs_of(str(name), tokens=250, least=0, rows=2) for name in (folder, config_of(folder)))
    assert (alone.caches, alone.working, alone.weights) == (whole.caches, whole.working, whole.weights)
    assert alone.download is None


@pytest.mark.slow
@pytest.mark.parametrize("bits", [4, 8])
def test_where_nothing_becomes_float32_quantised_weights_are_counted_as_they_are_stored(tmp_path, monkeypatch, bits):
    monkeypatch.setattr(backend, "on_cpu", lambda: False)
    folder = tiny_folder(tmp_path / "model", bits=bits, dtype=mx.bfloat16)
    config = config_of(folder)
    stored = sum(array.nbytes for array in mx.load(str(folder / "model.safetensors")).values())
    whole, alone = (needs_of(str(name), tokens=300, least=0, rows=1) for name in (folder, config))
    assert whole.weights == alone.weights == whole.loading == stored
    assert whole.caches == alone.caches == 300 * 2 * 2 * 8 * 4 * 2  # keys and values, heads, width, layers, bytes


@pytest.mark.slow
def test_every_architecture_is_built_of_its_config_alone_as_it_is_of_its_folder(tmp_path):
    from billy_mlx.model.load import build, imagined

    for name in TINY:
        folder = zoo_folder(tmp_path / name / "model", name)
        config = config_of(folder)
        real, alone = (tree_flatten(network.parameters()) for network in (build(folder)[0], imagined(config.parent)))
        assert {path: array.shape for path, array in alone} == {path: array.shape for path, array in real}, name


def test_a_text_is_no_longer_than_what_the_model_was_made_for(tmp_path):
    folder = tiny_folder(tmp_path)
    assert needs_of(str(folder), tokens=None, least=2048, rows=1).tokens == 512
    assert needs_of(str(folder), tokens=None, least=100, rows=1).tokens == 100
    with pytest.raises(UsageError, match="was made for 512 tokens, fewer than 513; ask for no more than that"):
        needs_of(str(folder), tokens=513, least=0, rows=1)


@pytest.mark.parametrize(
    ("available", "fit"), [(1000, "yes"), (800, "yes"), (799, "just"), (600, "just"), (599, "no"), (0, "no")]
)
def test_a_model_fits_just_where_less_than_a_quarter_is_left(available, fit):
    needs = Needs("x", 1, 1, None, weights=400, loading=500, caches=150, working=50)
    assert needs.together == 600
    assert needs.fit(available) == fit


REFUSED = {
    "unknown": ({"model_type": "nonesuch"}, "Model type nonesuch not supported"),
    "own code": ({"model_type": "llama", "model_file": "x.py"}, "wants to run its own code"),
    "no type": ({}, "names no model_type"),
    "no size": ({"model_type": "llama", "hidden_size": 0}, "hidden_size is 0; that fits no model"),
    "too deep": ({"model_type": "llama", "num_hidden_layers": 10**6}, "1,000,000 layers"),
    "incomplete": ({"model_type": "llama"}, "mlx-lm .* cannot load"),
}


@pytest.mark.parametrize("config", REFUSED)
def test_a_config_that_mlx_lm_cannot_run_is_refused_by_its_own_name(tmp_path, capfd, config):
    settings, sentence = REFUSED[config]
    (tmp_path / "config.json").write_text(json.dumps(settings))
    with pytest.raises(ModelError, match=sentence) as refusal:
        needs_of(str(tmp_path / "config.json"), tokens=None, least=1, rows=1)
    assert "billy-" not in str(refusal.value).replace(str(tmp_path), "")
    assert str(tmp_path) in str(refusal.value) or "config.json says" in str(refusal.value)


def test_a_folder_without_weights_is_refused(tmp_path):
    folder = tiny_folder(tmp_path)
    (folder / "model.safetensors").rename(folder / "tiny.gguf")
    with pytest.raises(ModelError, match=r"has no model\*\.safetensors"):
        needs_of(str(folder), tokens=None, least=1, rows=1)


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(fits, "TemporaryDirectory", lambda prefix: fits_folder(tmp_path / "made", prefix))
    config = config_of(tiny_folder(tmp_path / "model"))
    needs_of(str(config), tokens=10, least=1, rows=1)
    assert list((tmp_path / "made").iterdir()) == []


def fits_folder(place, prefix):
    from tempfile import TemporaryDirectory

    place.mkdir()
    return TemporaryDirectory(dir=place, prefix=prefix)


def test_the_command_says_it_in_lines_and_by_its_exit_code(tmp_path, capfd):
    folder = tiny_folder(tmp_path)
    assert run(["model", "fits", str(folder), "--over", "100", "--rows", "2", "--memory", "1"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line[:12].rstrip() for line in lines] == [
        *("model", "weights", "caches", "working", "together", "there is", "fits")
    ]
    assert "2 × 100 tokens" in lines[2]
    assert lines[-1] == "fits         yes"


def test_what_does_not_fit_ends_with_1(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(memory, "available_bytes", lambda: 1000)
    assert run(["model", "fits", str(tiny_folder(tmp_path)), "--json"]) == 1
    said = json.loads(capfd.readouterr().out)
    assert (said["fits"], said["available"], said["tokens"], said["rows"]) == ("no", 1000, 512, 1)
    assert said["together"] == max(said["loading"], said["weights"] + said["caches"] + said["working"])
