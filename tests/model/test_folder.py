"""What stands in the place of a model's files is looked at before any of it is read."""

import errno
import json
import os
import shutil
import stat
from pathlib import Path

import pytest
from helpers.folder_mutations import SPECIAL
from helpers.refusals import refusal
from helpers.tiny_models import tiny_folder

from billy_mlx.errors import BillyError
from billy_mlx.model import folder as folders
from billy_mlx.model import trial
from billy_mlx.model.config import read_config
from billy_mlx.model.folder import described_by, parsed
from billy_mlx.model.load import identify, load
from billy_mlx.model.weights import damage, stored_tensors
from billy_mlx.text import quoted

FILES = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "chat_template.json",
    "generation_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "hf_quant_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "video_preprocessor_config.json",
    "adapter_config.json",
    "additional_chat_templates/x.jinja",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "tekken.json",
    "tokenizer.model",
    "spiece.model",
    "qwen.tiktoken",
    "model.safetensors",
    "model.safetensors.index.json",
    "bpe.codes",
)
KINDS = {
    "a pipe": ("pipe",),
    "a socket": ("socket",),
    "zeros": ("link", "/dev/zero"),
    "noise": ("link", "/dev/urandom"),
    "a terminal": ("link", "/dev/tty"),
    "a folder": ("folder",),
    "a link to nothing": ("link", "nowhere"),
    "a link to itself": ("link", None),
    "a huge file": ("sparse", 3 << 30),
}
HARMLESS = {  # what nobody reads may be anything that does not hang
    ("bpe.codes", kind) for kind in ("a folder", "a link to nothing", "a link to itself", "a huge file")
} | {("model.safetensors.index.json", kind) for kind in ("a link to nothing", "a link to itself")}


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return tiny_folder(tmp_path_factory.mktemp("good"))


@pytest.fixture
def folder(good, tmp_path, monkeypatch, no_verdicts):
    def start(*_):
        raise AssertionError("a process was started")

    monkeypatch.setattr(trial, "_Trial", start)
    return shutil.copytree(good, tmp_path / "model")


def put(folder, name, kind):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    what, *rest = KINDS[kind]
    SPECIAL[what](path, *(path.name if each is None else each for each in rest))
    return path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FILES)
def test_what_is_no_plain_file_is_refused_by_name_before_it_is_read(folder, name, kind):
    path = put(folder, name, kind)
    if (name, kind) in HARMLESS:
        with pytest.raises(AssertionError, match="a process was started"):
            load(folder)
        return
    said = refusal(lambda: load(folder))
    assert path.name in said
    assert refusal(lambda: identify(folder)) == said


@pytest.mark.parametrize("name", [name for name in FILES if name != "bpe.codes"])
@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused_by_name(folder, name):
    path = put(folder, name, "a huge file")
    os.truncate(path, 10)
    path.chmod(0)
    assert path.name in refusal(lambda: load(folder))


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_file_that_the_system_does_not_give_is_refused_by_name(folder, name, monkeypatch):
    own = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != name and own(path, mode))
    assert f"{name} cannot be read: Permission denied; get the model again" in refusal(lambda: load(folder))


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors", "model.safetensors.index.json"])
def test_a_disk_that_fails_while_a_file_is_read_is_said(folder, name, monkeypatch):
    if name.endswith("index.json"):
        (folder / name).write_text('{"weight_map": {}}')

    def failing(own):
        def read(path, *rest, **more):
            if path.name == name:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return own(path, *rest, **more)

        return read

    for method in ("open", "read_bytes"):
        monkeypatch.setattr(Path, method, failing(getattr(Path, method)))
    said = refusal(lambda: load(folder))
    assert name in said
    assert "nput/output error" in said


def test_a_folder_with_thousands_of_files_or_gigabytes_of_settings_is_none(folder, monkeypatch):
    for number in range(3):
        (folder / f"{number}.json").touch()
        os.truncate(folder / f"{number}.json", 60 << 20)
    assert "bytes of settings and vocabulary" in refusal(lambda: described_by(folder))
    monkeypatch.setattr(folders, "_MOST_FILES", 5)
    assert "more than 5 files" in refusal(lambda: described_by(folder))


def test_what_describes_a_model_is_found_by_name_with_the_further_templates(folder):
    (folder / "additional_chat_templates").mkdir()
    for name in ("additional_chat_templates/rag.jinja", "README.md", "notes.txt", "modeling.py"):
        (folder / name).write_text("x")
    names = [str(file.relative_to(folder)) for file in described_by(folder)]
    assert names == [
        "additional_chat_templates/rag.jinja",
        "config.json",
        "notes.txt",
        "tokenizer.json",
        "tokenizer_config.json",
    ]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe\x00",
        b'"\xff"',
        b"1" * 5000,
        b"[" + b"0," * 2_000_001 + b"0]",
        b"[" + b"[]," * 1_000_001 + b"0]",
    ],
)
def test_what_is_no_json_or_too_much_of_it_is_a_value_error(text):
    with pytest.raises(ValueError, match=r"."):
        parsed(text)


CONFIGS = {
    "not UTF-8": b'{"model_type": "llama\xff"}',
    "cut": b'{"model_type": "lla',
    "nested": b'{"model_type": ' + b"[" * 100_000,
    "a list": b"[]",
    "no kind": b"{}",
    "a kind that is no text": b'{"model_type": ["llama"]}',
    "an endless number": b'{"model_type": "llama", "hidden_size": ' + b"9" * 5000 + b"}",
    "code of its own": json.dumps({"model_type": "llama", "model_file": "evil\n\x1b[2J" * 10_000}).encode(),
    "millions of values": b'{"model_type": "llama", "x": [' + b"[]," * 1_100_000 + b"0]}",
}


@pytest.mark.parametrize("content", CONFIGS.values(), ids=CONFIGS)
def test_a_config_that_is_none_is_refused(folder, content):
    (folder / "config.json").write_bytes(content)
    assert "config.json" in refusal(lambda: load(folder))


def test_of_a_key_that_comes_twice_the_last_counts_as_it_does_for_mlx_lm(folder):
    (folder / "config.json").write_text('{"model_type": "a", "model_type": "b"}')
    assert read_config(folder)["model_type"] == "b"


SIZES = ("num_hidden_layers", "hidden_size", "vocab_size", "num_attention_heads", "num_key_value_heads", "head_dim")


@pytest.mark.parametrize("value", ["0", "-1", "10000000000", "1" + "0" * 4000, "NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("nested", [False, True])
def test_a_size_that_fits_no_model_is_refused_by_name(folder, name, value, nested):
    config = json.loads((folder / "config.json").read_text())
    (config.setdefault("text_config", {}) if nested else config)[name] = "VALUE"
    (folder / "config.json").write_text(json.dumps(config).replace('"VALUE"', value))
    assert f"config.json says that {name} is " in refusal(lambda: load(folder))


def test_more_layers_than_tensors_are_refused(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 10**9}))
    assert "says 1,000,000,000 layers, and there are 38 tensors" in refusal(lambda: load(folder))


HEADERS = {
    "infinite": '{"w": {"dtype": "F32", "shape": [Infinity], "data_offsets": [0, 4]}}',
    "no number": '{"w": {"dtype": "F32", "shape": [NaN], "data_offsets": [0, 4]}}',
    "a fraction": '{"w": {"dtype": "F32", "shape": [1.5], "data_offsets": [0, 6]}}',
    "an endless offset": '{"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, Infinity]}}',
    "negative": '{"w": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}',
    "beyond the end": '{"w": {"dtype": "F32", "shape": [1000000000000], "data_offsets": [0, 4000000000000]}}',
    "beyond 64 bits": '{"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 99999999999999999999]}}',
    "another size": '{"w": {"dtype": "F16", "shape": [1], "data_offsets": [0, 4]}}',
    "a boolean": '{"w": {"dtype": "F32", "shape": [true], "data_offsets": [0, 4]}}',
    "a name as shape": '{"w": {"dtype": "F32", "shape": "x", "data_offsets": [0, 4]}}',
    "a list as entry": '{"w": []}',
    "nested": '{"w": ' + "[" * 50_000,
    "long names": json.dumps({"w\n\x1b" * 100_000: {"dtype": "F32", "shape": [9], "data_offsets": [0, 36]}}),
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_header_that_cannot_be_is_refused(folder, header):
    store(folder, header)
    assert "model.safetensors is damaged" in refusal(lambda: load(folder))
    assert len(damage(folder)[folder / "model.safetensors"]) < 400


def store(folder, header, name="model.safetensors"):
    raw = header.encode()
    (folder / name).write_bytes(len(raw).to_bytes(8, "little") + raw + bytes(8))


def test_a_header_of_millions_of_values_or_forty_megabytes_is_not_read(folder):
    store(folder, "[" + "[]," * 1_100_000 + "0]")
    assert "more than 2,000,000 values" in refusal(lambda: load(folder))
    store(folder, " " * (40 << 20) + "{}")
    assert "the largest that is read has" in refusal(lambda: load(folder))


def test_tensors_without_number_are_refused(folder, monkeypatch):
    monkeypatch.setattr("billy_mlx.model.weights._MOST_TENSORS", 30)
    assert "more than 30 tensors" in refusal(lambda: stored_tensors(folder))


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "\ud800", "../../nowhere", "/", "", 5, None, ["a"], {"\n": "\n"}])
def test_an_index_may_name_anything(folder, name):
    shards = {"u": "model.safetensors", "v": "nowhere", "w": name}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    assert "lacks" in refusal(lambda: load(folder))


@pytest.mark.parametrize("text", ["[]", "5", '{"weight_map": []}', '{"weight_map": "x"}', "[" * 100_000, "NaN", ""])
def test_an_index_that_is_none_is_refused(folder, text):
    (folder / "model.safetensors.index.json").write_text(text)
    assert "model.safetensors.index.json is damaged" in refusal(lambda: load(folder))


def test_a_folder_whose_name_is_hostile_is_told_in_one_line(folder):
    worse = folder.rename(folder.parent / ("a\n\x1b[2J\u202e" * 5))
    (worse / "config.json").write_text("{")
    assert "config.json is damaged" in refusal(lambda: load(worse))


def test_what_is_quoted_stands_on_one_short_line():
    assert quoted("a\r\n\tb\x1b[31m\u2028c\ud800") == "a b␛[31m c\ufffd"
    assert len(quoted("é" * 1_000_000)) == 200
    assert quoted(["x"], 4) == "['x…"


def test_a_plain_file_behind_a_link_is_read_as_the_hub_stores_it(folder):
    blob = folder.parent / "blob"
    (folder / "config.json").rename(blob)
    (folder / "config.json").symlink_to(blob)
    assert stat.S_ISREG((folder / "config.json").stat().st_mode)
    assert read_config(folder)["model_type"] == "llama"
    assert folder / "config.json" in described_by(folder)


def test_a_folder_that_may_not_be_entered_is_no_traceback(folder, monkeypatch):
    def closed(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(BillyError, match="cannot be read: Permission denied"):
        described_by(folder)
