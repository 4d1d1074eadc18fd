import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from huggingface_hub import constants
from huggingface_hub.utils import close_session
from tiny import tiny_folder

from billy_mlx import paths
from billy_mlx.errors import ModelError
from billy_mlx.model import hub
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
            self.answer(200, json.dumps({"id": repo, "sha": COMMIT, "siblings": []}).encode())
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


@pytest.fixture
def online(cache, tmp_path, monkeypatch):
    """A hub on the loopback device with one repository; gives the folder behind it."""
    folder = tiny_folder(tmp_path / "repository")
    (folder / "modeling_evil.py").write_text("raise SystemExit")
    with ThreadingHTTPServer(("127.0.0.1", 0), FakeHub) as server:
        server.folder = folder
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        go_online(monkeypatch, f"http://127.0.0.1:{server.server_port}")
        yield folder
        close_session()
        server.shutdown()


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
    (hub.get("org/tiny") / "model.safetensors").unlink()
    assert hub.find("org/tiny") is None


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
    (model,) = hub.list_models()
    assert (model.id, model.path, model.commit) == ("mine", folder, None)
    assert model.bytes_on_disk > (folder / "model.safetensors").stat().st_size
