import json
import shutil

import pytest
from helpers.tiny_models import tiny_folder

from billy_mlx.errors import ModelError
from billy_mlx.model.weights import stored_tensors


@pytest.fixture
def folder(tmp_path):
    return tiny_folder(tmp_path / "model")


def store(folder, header, body=b""):
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(len(raw).to_bytes(8, "little") + raw + body)


def test_tensors_come_sorted_with_their_place_in_the_file(folder):
    tensors = stored_tensors(folder)
    assert [tensor.name for tensor in tensors] == sorted(tensor.name for tensor in tensors)
    assert max(tensor.end for tensor in tensors) == (folder / "model.safetensors").stat().st_size
    assert all(4 * tensor.elements == tensor.end - tensor.start for tensor in tensors)


def test_a_file_cut_short_names_the_tensor_that_is_lost(folder):
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ModelError, match=r"is cut short, .* get the model again"):
        stored_tensors(folder)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"no json",
        b"[" * 100_000,
        [],
        {"w": {}},
        {"w": None},
        {"w": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}},
        {"w": {"dtype": "F32", "shape": [1], "data_offsets": [-8, 0]}},
        {"w": {"dtype": "F32", "shape": 1, "data_offsets": [0, 4]}},
        {"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 8]}},
    ],
)
def test_a_damaged_header_is_said_in_words(folder, header):
    store(folder, header)
    with pytest.raises(ModelError, match=r"model\.safetensors is damaged: .*get the model again"):
        stored_tensors(folder)


def test_a_header_longer_than_its_file_is_not_read(folder):
    (folder / "model.safetensors").write_bytes((2**62).to_bytes(8, "little") + b"{}")
    with pytest.raises(ModelError, match="cannot hold its header"):
        stored_tensors(folder)


def test_a_missing_shard_is_named(folder):
    shards = {"a": "model.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    with pytest.raises(ModelError, match="lacks 1 of its 2 weight files, model-00002"):
        stored_tensors(folder)


def test_an_index_none_of_whose_files_are_there_is_no_other_format(folder):
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"lacks 2 of its 2 weight files, model-00001.*; get the model again"):
        stored_tensors(folder)


def test_without_an_index_the_names_of_the_files_tell_which_are_missing(folder):
    (folder / "model.safetensors").rename(folder / "model-00002-of-00003.safetensors")
    with pytest.raises(ModelError, match=r"lacks 2 of its 3 weight files, model-00001.*; get the model again"):
        stored_tensors(folder)


def test_a_link_that_leads_nowhere_is_a_missing_file(folder):
    (folder / "model.safetensors").rename(folder / "elsewhere")
    (folder / "model.safetensors").symlink_to("nowhere")
    with pytest.raises(ModelError, match=r"lacks model\.safetensors; get the model again"):
        stored_tensors(folder)


def test_a_folder_of_another_format_says_so(folder):
    (folder / "model.safetensors").rename(folder / "weights.npz")
    with pytest.raises(ModelError, match="only models in that format can be loaded"):
        stored_tensors(folder)


def test_an_index_left_over_from_before_a_conversion_does_not_matter(folder):
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "model-00001-of-00001.safetensors"}}')
    assert stored_tensors(folder)


def test_a_damaged_index_is_said_in_words(folder):
    (folder / "model.safetensors.index.json").write_text('{"weight_map": []}')
    with pytest.raises(ModelError, match=r"index\.json is damaged"):
        stored_tensors(folder)


def test_a_tensor_in_two_files_is_an_error(folder):
    shutil.copy(folder / "model.safetensors", folder / "model-copy.safetensors")
    with pytest.raises(ModelError, match="both hold"):
        stored_tensors(folder)
