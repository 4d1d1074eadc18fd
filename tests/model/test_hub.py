import hashlib
import json
import os
import re
import shutil
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import mlx.core as mx
import pytest
from helpers.tiny_models import tiny_folder
from huggingface_hub import constants
from huggingface_hub.utils import close_session

from billy_mlx import paths
from billy_mlx.cli import run
from billy_mlx.errors import ModelError
from billy_mlx.model import fits, hub
from billy_mlx.model.load import load

COMMIT = "c" * 40
NOBODY = "http://127.0.0.1:9"
REFUSALS = {
    "org/none": (401, "RepoNotFound"),
    "org/gated": (403, "GatedRepo"),
    "org/broken": (400, "Odd"),
    "gone": (404, "RevisionNotFound"),
    "agent-harnesses": (404, "NotAsked"),
}


class FakeHub(BaseHTTPRequestHandler):
    """What the client asks of a hub to fetch the one repository org/tiny, whose files are in `server.folder`."""

    def do_GET(self):
        path = self.path.partition("?")[0].removeprefix("/").removeprefix("api/models/")
        repo, rest = "/".join(path.split("/")[:2]), path.split("/")[2:]
        refusal = REFUSALS.get(repo) or REFUSALS.get(path.split("/")[-1])
        if refusal is not None:
            self.answer(refusal[0], b"", **{"X-Error-Code": refusal[1]})
        elif rest[0] == "revision":
            files = [{"rfilename": file.name, "size": file.stat().st_size} for file in self.server.folder.iterdir()]
            self.answer(200, json.dumps({"id": repo, "sha": COMMIT, "siblings": files}).encode())
        elif rest[0] == "tree":
            self.answer(200, json.dumps([self.entry(file) for file in self.server.folder.iterdir()]).encode())
        else:
            file = self.server.folder / rest[2]
            self.answer(200, file.read_bytes(), ETag=f'"{self.entry(file)["oid"]}"', **{"X-Repo-Commit": COMMIT})

    do_HEAD = do_GET  # noqa: N815

    def entry(self, file):
        content = file.read_bytes()
        return {"type": "file", "path": file.name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}

    def answer(self, status, content, **headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_):
        pass


def go_online(monkeypatch, endpoint):
    """Undo what HF_HUB_OFFLINE and HF_ENDPOINT said when the client was imported."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE.partition("/{")[2]
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", f"{endpoint}/{{{template}")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of the hub's client, which stays offline."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def in_shards(folder):
    """Spread the weights of a model folder over three files with an index, and return it."""
    tensors = sorted(mx.load(str(folder / "model.safetensors")).items())
    (folder / "model.safetensors").unlink()
    names = [f"model-{number:05d}-of-00003.safetensors" for number in (1, 2, 3)]
    for at, name in enumerate(names):
        mx.save_safetensors(str(folder / name), dict(tensors[at::3]))
    index = {name: names[at % 3] for at, (name, _) in enumerate(tensors)}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    return folder


@pytest.fixture
def stored(cache, tmp_path):
    """A model as older clients stored one, of whose files nothing is noted; gives its folder of links to blobs."""
    repo = cache / "models--org--tiny"
    folder = repo / "snapshots" / COMMIT
    for place in (folder, repo / "blobs", repo / "refs"):
        place.mkdir(parents=True)
    (repo / "refs" / "main").write_text(COMMIT)
    for file in in_shards(tiny_folder(tmp_path / "repository")).iterdir():
        (folder / file.name).symlink_to(shutil.move(file, repo / "blobs" / f"of-{file.name}"))
    return folder


@pytest.fixture
def online(cache, tmp_path, monkeypatch):
    """A hub on the loopback device with one repository; gives the folder behind it."""
    folder = in_shards(tiny_folder(tmp_path / "repository"))
    (folder / "modeling_evil.py").write_text("raise SystemExit")
    with ThreadingHTTPServer(("127.0.0.1", 0), FakeHub) as server:
        server.folder = folder
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        go_online(monkeypatch, f"http://127.0.0.1:{server.server_port}")
        yield folder
        close_session()
        server.shutdown()


@pytest.mark.slow
def test_what_was_fetched_is_found_and_loaded_without_the_network(online, monkeypatch):
    folder = hub.get("org/tiny")
    go_online(monkeypatch, NOBODY)
    assert hub.find("org/tiny") == hub.find("org/tiny", COMMIT) == folder
    assert folder.name == COMMIT
    assert load("org/tiny").id == "org/tiny"
    assert [(model.id, model.path, model.commit) for model in hub.list_models()] == [("org/tiny", folder, COMMIT)]


def test_code_is_not_fetched(online):
    assert {path.name for path in hub.get("org/tiny").iterdir()} == {path.name for path in online.glob("*[!y]")}


def test_a_model_that_is_only_partly_there_is_not_found(online):
    (hub.get("org/tiny") / "model-00002-of-00003.safetensors").unlink()
    assert hub.find("org/tiny") is None
    assert hub.cached_in_part("org/tiny") == "it lacks 1 of its 3 weight files, model-00002-of-00003.safetensors first"


@pytest.mark.parametrize(
    ("repo", "revision", "words"),
    [
        ("org/none", None, "The hub has no model org/none"),
        ("org/gated", None, "wants its terms accepted"),
        ("org/broken", None, "org/broken was not fetched: .*run the same command again"),
        ("org/tiny", "gone", "org/tiny has no revision 'gone'"),
        ("no repo", None, "'no repo' is no hub id"),
    ],
)
def test_what_the_hub_refuses_is_said_in_words(online, repo, revision, words):
    with pytest.raises(ModelError, match=words):
        hub.get(repo, revision)


def test_without_a_network_it_says_so(cache, monkeypatch):
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE is set"):
        hub.get("org/tiny")
    go_online(monkeypatch, NOBODY)
    with pytest.raises(ModelError, match="the hub does not answer"):
        hub.get("org/tiny")


def test_a_full_disk_is_said_in_words(cache, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(hub, "snapshot_download", full)
    with pytest.raises(ModelError, match="No space left on device"):
        hub.get("org/tiny")


def test_nothing_is_found_in_an_empty_cache(cache):
    assert hub.find("org/tiny") is None
    assert hub.find("no repo") is None
    assert hub.list_models() == []


def test_imported_models_are_listed_by_their_name(cache):
    folder = tiny_folder(paths.models_folder() / "mine")
    (paths.models_folder() / "half-made").mkdir()
    tiny_folder(paths.models_folder() / ".being-made.partial")
    (model,) = hub.list_models()
    assert (model.id, model.path, model.commit) == ("mine", folder, None)
    assert model.bytes_on_disk > (folder / "model.safetensors").stat().st_size
    assert model.shortfall is None


def test_an_imported_model_that_is_damaged_is_listed_as_that(cache, capfd):
    folder = tiny_folder(paths.models_folder() / "mine")
    os.truncate(folder / "model.safetensors", 100)
    assert run(["model", "list"]) == 0
    out, err = capfd.readouterr()
    assert "GB, not complete" in out
    assert (
        f"mine is not complete: model.safetensors is damaged, 100 bytes cannot hold its header; remove {folder}" in err
    )


def remove(*names):
    return lambda folder: [(folder / name).unlink() for name in names]


def truncate(name, size):
    return lambda folder: os.truncate(folder / name, size)


def interrupt(*names):
    """Leave off in the midst of fetching some files."""

    def do(folder):
        for name in names:
            blob = (folder / name).resolve()
            blob.rename(f"{blob}.incomplete")
            (folder / name).unlink()

    return do


SHARDS = [f"model-{number:05d}-of-00003.safetensors" for number in (1, 2, 3)]
INDEX = "model.safetensors.index.json"
HALVES = {
    "some weights missing": (remove(*SHARDS[1:]), "it lacks 2 of its 3 weight files, model-00002"),
    "some weights missing, and the index": (
        remove(INDEX, *SHARDS[:2]),
        "it lacks 2 of its 3 weight files, model-00001",
    ),
    "all weights missing": (remove(*SHARDS), "it lacks 3 of its 3 weight files, model-00001"),
    "weights being fetched": (interrupt(*SHARDS), "it lacks 3 of its 3 weight files"),
    "weights and index being fetched": (interrupt(INDEX, *SHARDS), r"it lacks model\*\.safetensors"),
    "a link to no weights": (
        lambda folder: (folder / SHARDS[0]).resolve().unlink(),
        "it lacks 1 of its 3 weight files, model-00001",
    ),
    "a link to no template": (lambda folder: (folder / "chat.jinja").symlink_to("nothing"), "it lacks chat.jinja"),
    "no config": (remove("config.json"), "it lacks config.json"),
    "no tokenizer": (remove("tokenizer.json"), "it lacks a tokenizer"),
    "an empty tokenizer": (truncate("tokenizer.json", 0), "tokenizer.json is damaged, it is empty"),
    "an empty index": (truncate(INDEX, 0), "model.safetensors.index.json is damaged, it is empty"),
    "empty weights": (truncate(SHARDS[1], 0), "model-00002-of-00003.safetensors is damaged, 0 bytes"),
    "weights cut short": (truncate(SHARDS[2], 6000), "model-00003-of-00003.safetensors is damaged, it is cut short"),
}


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("offline", [True, False])
def test_half_a_model_is_not_complete_and_is_to_be_fetched_again(stored, monkeypatch, half, offline):
    halve, lacking = HALVES[half]
    halve(stored)
    if not offline:
        go_online(monkeypatch, NOBODY)
    way = "unset HF_HUB_OFFLINE and get it again" if offline else "get it again when there is a network"
    with pytest.raises(ModelError, match=f"^org/tiny is not complete: .*{lacking}.*; {way}$"):
        hub.get("org/tiny")
    with pytest.raises(
        ModelError, match=f"not complete: {lacking}.*get the model again run: billy model get org/tiny$"
    ):
        load("org/tiny")
    assert hub.find("org/tiny") is None


@pytest.mark.parametrize("half", HALVES)
def test_half_a_model_is_listed_as_that(stored, capfd, half):
    halve, lacking = HALVES[half]
    halve(stored)
    assert run(["model", "list"]) == 0
    out, err = capfd.readouterr()
    assert "GB, not complete" in out
    assert re.search(
        f"^billy: org/tiny is not complete: {lacking}.*again run: billy model get org/tiny$", err, re.MULTILINE
    )


@pytest.mark.parametrize("half", [half for half in HALVES if "link to no template" not in half])
def test_half_a_model_is_made_whole_by_getting_it_again(online, half):
    folder = hub.get("org/tiny")
    HALVES[half][0](folder)
    assert hub.find("org/tiny") is None
    assert hub.get("org/tiny") == hub.find("org/tiny") == folder
    assert load("org/tiny").id == "org/tiny"


def test_only_what_is_damaged_is_fetched_again(online, monkeypatch):
    folder = hub.get("org/tiny")
    os.truncate(folder / SHARDS[1], 100)
    fetched = []
    own = hub.hf_hub_download
    monkeypatch.setattr(
        hub, "hf_hub_download", lambda repo, name, **how: fetched.append(name) or own(repo, name, **how)
    )
    hub.get("org/tiny")
    assert fetched == [SHARDS[1]]


def test_a_whole_model_of_an_older_client_is_whole(stored):
    assert hub.get("org/tiny") == hub.find("org/tiny") == stored
    assert [(model.id, model.commit, model.shortfall) for model in hub.list_models()] == [("org/tiny", COMMIT, None)]


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"gone": "config.json", "new": "tiny-Q4_K.gguf"}, "holds GGUF, no MLX model; .*billy model import FILE.gguf"),
        (
            {"gone": "config.json", "new": "adapter_config.json"},
            "is not complete on the hub either: it lacks config.json, being a LoRA adapter",
        ),
        ({"gone": "tokenizer.json", "new": "x.bin"}, "is not complete on the hub either: it lacks a tokenizer; choose"),
    ],
)
def test_a_repository_that_is_no_model_is_not_to_be_fetched_again(online, files, sentence):
    (online / files["gone"]).unlink()
    (online / files["new"]).write_text("{}")
    with pytest.raises(ModelError, match=sentence):
        hub.get("org/tiny")


def test_an_older_version_that_was_given_up_is_not_listed(stored):
    older = stored.with_name("a" * 40)
    shutil.copytree(stored, older, symlinks=True)
    (older / SHARDS[0]).unlink()
    assert [model.commit for model in hub.list_models()] == [COMMIT]
    (older.parents[1] / "refs" / "main").write_text(older.name)
    assert [model.commit for model in hub.list_models()] == [older.name, COMMIT]


@pytest.mark.parametrize("kept", [["config.json", "tokenizer.json"], ["chat.jinja"], [SHARDS[0]], []])
def test_what_other_programs_keep_in_the_cache_is_not_listed(stored, kept):
    for file in stored.iterdir():
        if file.name not in kept:
            file.unlink()
    assert hub.list_models() == []


@pytest.mark.slow
def test_what_a_model_on_the_hub_takes_is_found_without_its_weights(online, cache, monkeypatch):
    found = fits.needs_of("org/tiny", tokens=100, least=1, rows=2)
    assert list(cache.glob("*")) == []  # nothing that would look like a model begun
    files = [file for file in online.iterdir() if file.suffix != ".py"]
    assert found.download == sum(file.stat().st_size for file in files)
    hub.get("org/tiny")
    go_online(monkeypatch, NOBODY)
    here = fits.needs_of("org/tiny", tokens=100, least=1, rows=2)
    assert replace(found, download=None) == here


def test_of_the_weights_only_the_headers_are_asked_for(online, monkeypatch):
    asked = []
    own = FakeHub.do_GET

    def look(self):
        asked.append((self.path, self.headers.get("Range")))
        own(self)

    monkeypatch.setattr(FakeHub, "do_GET", look)
    fits.needs_of("org/tiny", tokens=100, least=1, rows=1)
    ranges = {path.split("/")[-1]: wanted for path, wanted in asked if path.endswith(".safetensors")}
    assert set(ranges) == set(SHARDS)
    assert all(wanted is not None for wanted in ranges.values())


@pytest.mark.parametrize(
    ("repo", "words"),
    [
        ("org/none", "The hub has no model org/none"),
        ("org/gated", "wants its terms accepted"),
        ("org/broken", "org/broken was not fetched: .*run the same command again"),
    ],
)
def test_what_the_hub_refuses_to_tell_is_said_in_words(online, repo, words):
    with pytest.raises(ModelError, match=words):
        fits.needs_of(repo, tokens=None, least=1, rows=1)


def test_without_a_network_it_cannot_be_said_whether_a_model_fits(cache, monkeypatch):
    with pytest.raises(ModelError, match=r"^org/tiny was not fetched: HF_HUB_OFFLINE is set; unset it and run"):
        fits.needs_of("org/tiny", tokens=None, least=1, rows=1)
    go_online(monkeypatch, NOBODY)
    with pytest.raises(ModelError, match=r"^org/tiny was not fetched: the hub does not answer; run the same command"):
        fits.needs_of("org/tiny", tokens=None, least=1, rows=1)


def change_config(**settings):
    def do(folder):
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | settings))

    return do


def only_gguf(folder):
    for name in SHARDS:
        (folder / name).unlink()
    (folder / "tiny-Q4_K.gguf").write_bytes(b"GGUF")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (only_gguf, "^org/tiny holds GGUF, no MLX model; .*billy model import FILE.gguf"),
        (remove(*SHARDS), r"^org/tiny is not complete on the hub either: model\*\.safetensors"),
        (remove("config.json"), "^org/tiny is not complete on the hub either: config.json"),
        (remove(SHARDS[1]), "^org/tiny lacks 1 of its 3 weight files, model-00002"),
        (truncate(SHARDS[1], 30), "^org/tiny is damaged on the hub: the header of model-00002"),
        (change_config(model_type="nonesuch"), "cannot load org/tiny: Model type nonesuch not supported"),
        (change_config(model_file="evil.py"), r"^org/tiny wants to run its own code"),
        (change_config(num_hidden_layers=10**9), "config.json says 1,000,000,000 layers, and there are 38 tensors"),
        (change_config(vocab_size=99), "cannot load org/tiny: "),
    ],
)
def test_what_is_no_model_on_the_hub_is_said_in_words(online, change, sentence):
    change(online)
    with pytest.raises(ModelError, match=sentence):
        fits.needs_of("org/tiny", tokens=None, least=1, rows=1)


TENSOR = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
HEADERS = {
    "a list": [],
    "a number in the place of a tensor": {"a": 1},
    "a number in the place of a shape": {"a": TENSOR | {"shape": 3}},
    "a number in the place of offsets": {"a": TENSOR | {"data_offsets": 4}},
    "an offset that is text": {"a": TENSOR | {"data_offsets": [0, "b"]}},
    "a negative offset": {"a": TENSOR | {"data_offsets": [0, -4]}},
    "an offset that is no whole number": {"a": TENSOR | {"dtype": "X9", "data_offsets": [0, 1e99]}},
    "offsets that fit no shape": {"a": TENSOR | {"data_offsets": [0, 8]}},
    "more bytes than a file can have": {"a": TENSOR | {"dtype": "X9", "data_offsets": [0, (1 << 63) - 1]}},
}


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_on_the_hub_that_makes_no_sense_is_said_in_words(online, header):
    text = json.dumps(HEADERS[header]).encode()
    (online / SHARDS[1]).write_bytes(len(text).to_bytes(8, "little") + text)
    with pytest.raises(ModelError, match=r"^org/tiny(/model-00002-of-00003.safetensors)? (is damaged|was not fetched)"):
        fits.needs_of("org/tiny", tokens=None, least=1, rows=1)
