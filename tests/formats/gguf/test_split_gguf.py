import hashlib
import json

import mlx.core as mx
import mlx_lm
import numpy as np
import pytest
from helpers.tiny_gguf import gguf_tensors, tiny_model, write_gguf, write_split

from billy_mlx.cli import run
from billy_mlx.errors import ModelError
from billy_mlx.formats.gguf.header import model_name, read_model
from billy_mlx.model.gguf import import_gguf

IDS = mx.array([[1, 40, 260, 7, 99, 12, 260, 3]])


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "models" / "tiny"


@pytest.fixture
def split(tmp_path):
    return write_split(tmp_path, 3)[0]


@pytest.mark.parametrize("given", [0, 1, 2])
@pytest.mark.parametrize("architecture", ["llama", "qwen3"])
def test_a_split_model_is_imported_by_any_of_its_parts(tmp_path, folder, given, architecture):
    files, original = write_split(tmp_path, 3, architecture)
    import_gguf(files[given], folder)
    assert mx.allclose(mlx_lm.load(str(folder))[0](IDS), original(IDS), atol=1e-4)


def test_any_part_leads_to_the_folder_that_another_one_made(split, folder):
    first = import_gguf(split[2], folder)
    before = (folder / "model.safetensors").stat()
    assert import_gguf(split[0], folder) == import_gguf(split[1], folder) == first
    assert (folder / "model.safetensors").stat() == before


def test_the_folder_notes_the_first_part_and_the_sum_of_all_one_after_another(split, folder):
    report = import_gguf(split[1], folder)
    origin = json.loads((folder / "config.json").read_text())["billy"]
    whole = hashlib.sha256(b"".join(file.read_bytes() for file in split)).hexdigest()
    assert (origin["source"], origin["sha256"]) == (report.source, report.sha256) == (split[0].name, whole)


def test_a_part_that_changed_is_no_longer_the_same_model(split, folder):
    import_gguf(split[0], folder)
    changed = bytearray(split[2].read_bytes())
    changed[-64] ^= 1
    split[2].write_bytes(changed)
    with pytest.raises(ModelError, match="holds something else already"):
        import_gguf(split[0], folder)


def test_each_part_has_its_own_alignment(tmp_path, folder):
    files, original = write_split(tmp_path, metadata=lambda number: {"general.alignment": (4096, 64)[number]})
    import_gguf(files[0], folder)
    assert mx.allclose(mlx_lm.load(str(folder))[0](IDS), original(IDS), atol=1e-4)


def test_a_first_part_may_hold_no_tensors(tmp_path, folder):
    original, metadata = tiny_model()
    tensors = gguf_tensors(original)
    split = {"split.count": 2, "split.tensors.count": len(tensors)}
    write_gguf(tmp_path / "m-00001-of-00002.gguf", metadata | split | {"split.no": 0}, {})
    write_gguf(tmp_path / "m-00002-of-00002.gguf", split | {"split.no": 1}, tensors)
    import_gguf(tmp_path / "m-00002-of-00002.gguf", folder)
    assert mx.allclose(mlx_lm.load(str(folder))[0](IDS), original(IDS), atol=1e-4)


@pytest.mark.parametrize("count", [0, 1])
def test_a_file_that_parts_were_merged_into_is_whole_whatever_its_name(tmp_path, count):
    original, metadata = tiny_model()
    left = {"split.no": 0, "split.count": count, "split.tensors.count": 1}
    path = write_gguf(tmp_path / "m-00002-of-00003.gguf", metadata | left, gguf_tensors(original))
    assert read_model(path).parts == ()


@pytest.mark.parametrize(
    ("given", "gone", "named"),
    [
        (0, [1], "tiny-00002-of-00003.gguf is"),
        (2, [0], "tiny-00001-of-00003.gguf is"),
        (1, [0, 2], "tiny-00001-of-00003.gguf and 1 more are"),
    ],
)
def test_a_missing_part_is_named(split, folder, given, gone, named):
    for part in gone:
        split[part].unlink()
    with pytest.raises(ModelError, match=f"one of 3 parts of a model, and {named} missing; put all parts into one"):
        import_gguf(split[given], folder)
    assert not folder.exists()


@pytest.mark.parametrize("name", ["part.gguf", "tiny-00002-of-00003.gguf", "tiny-00001-of-00002.gguf", "tiny-1.gguf"])
def test_a_part_with_another_name_says_what_it_was_called(split, folder, name):
    renamed = split[0].rename(split[0].with_name(name))
    with pytest.raises(ModelError, match=r"one of 3 parts .* not called NAME-00001-of-00003\.gguf"):
        import_gguf(renamed, folder)


@pytest.mark.parametrize(
    ("says", "named"),
    [
        ({"split.no": 0}, "called part 2 of 2, but is part 1 of 2"),
        ({"split.count": 3}, "called part 2 of 2, but is part 2 of 3"),
        ({"split.count": None}, "called part 2 of 2, but is a whole model"),
        ({"split.tensors.count": 21}, "of 20 tensors, but tiny-00002-of-00002.gguf of one of 21"),
    ],
)
def test_a_part_of_another_model_is_refused_by_name(tmp_path, folder, says, named):
    files, _ = write_split(tmp_path, metadata=lambda number: says if number == 1 else {})
    with pytest.raises(ModelError, match=named):
        import_gguf(files[0], folder)


@pytest.mark.parametrize(
    "says",
    [
        {"split.no": 2},
        {"split.no": None},
        {"split.no": -1.0},
        {"split.no": True},
        {"split.count": "two"},
        {"split.count": 10**9},
        {"split.count": np.array([2, 2], np.int32)},
        {"split.tensors.count": None},
        {"split.tensors.count": 0},
    ],
)
def test_a_part_that_cannot_be_is_damaged(tmp_path, folder, says):
    files, _ = write_split(tmp_path, metadata=lambda number: says)
    with pytest.raises(ModelError, match="is damaged: its header says it is an impossible part"):
        import_gguf(files[0], folder)


def test_a_tensor_that_two_parts_hold_or_none_is_told(tmp_path, folder):
    files, model = write_split(tmp_path)
    split = {"split.no": 1, "split.count": 2, "split.tensors.count": 20}
    tensors = list(gguf_tensors(model).items())
    write_gguf(files[1], split, dict(tensors[:1] + tensors[3::2]))
    with pytest.raises(ModelError, match=r"tiny-00001.* and tiny-00002-of-00002\.gguf both hold '"):
        import_gguf(files[0], folder)
    write_gguf(files[1], split, dict(tensors[3::2]))
    with pytest.raises(ModelError, match="hold 19 tensors instead of 20; get them again"):
        import_gguf(files[0], folder)


def test_a_part_cut_short_is_the_one_that_is_named(split, folder):
    split[1].write_bytes(split[1].read_bytes()[:-200])
    with pytest.raises(ModelError, match=r"tiny-00002-of-00003\.gguf is cut short"):
        import_gguf(split[0], folder)


@pytest.mark.parametrize(
    ("name", "called"),
    [("m-00001-of-00002.gguf", "m"), ("m.Q4_K-00011-of-00011.gguf", "m.Q4_K"), ("m-1-of-2.gguf", "m-1-of-2")],
)
def test_all_parts_of_a_model_go_by_one_name(tmp_path, name, called):
    assert model_name(tmp_path / name) == called


@pytest.mark.parametrize("part", [0, 1])
def test_the_command_calls_every_part_by_that_name_and_says_that_there_is_no_template(tmp_path, capfd, part):
    files, _ = write_split(tmp_path, name="my tiny", metadata=lambda number: {"tokenizer.chat_template": None})
    assert run(["model", "import", str(files[part])]) == 0
    out, err = capfd.readouterr()
    assert out == "my-tiny\n"
    assert "billy: no chat template in the file: prompts are sent as plain text" in err
