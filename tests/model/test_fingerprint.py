import hashlib
import json
import os

import mlx.core as mx
import pytest
from helpers.tiny_models import tiny_folder, tiny_tokenizer

from billy_mlx.errors import ModelError
from billy_mlx.model.config import read_config
from billy_mlx.model.fingerprint import fingerprint, weights_hash

VOCABULARY = tiny_tokenizer().get_vocab()


def identity(folder, vocabulary=VOCABULARY):
    return fingerprint(folder, read_config(folder), vocabulary)


def reshard(folder, shards):
    """Store the weights of `folder` again in `shards` files, the names dealt out in reverse order."""
    weights = mx.load(str(folder / "model.safetensors"))
    mx.eval(weights)
    (folder / "model.safetensors").unlink()
    names = sorted(weights, reverse=True)
    for shard in range(shards):
        part = {name: weights[name] for name in names[shard::shards]}
        mx.save_safetensors(str(folder / f"model-{shard}.safetensors"), part)


def test_the_same_folder_gives_the_same_fingerprint(tmp_path):
    one, other = tiny_folder(tmp_path / "one"), tiny_folder(tmp_path / "other")
    assert identity(one) == identity(other)
    assert (identity(one).architecture, identity(one).layers, identity(one).width) == ("llama", 4, 32)
    assert identity(one).vocabulary == len(VOCABULARY)


@pytest.mark.parametrize("shards", [1, 3])
def test_the_weights_hash_knows_neither_files_nor_order(tmp_path, shards):
    folder = tiny_folder(tmp_path)
    before = weights_hash(folder)
    reshard(folder, shards)
    assert weights_hash(folder) == before


@pytest.mark.parametrize("change", [{"seed": 1}, {"dtype": mx.bfloat16}, {"bits": 4}])
def test_other_weights_of_the_same_base(tmp_path, change):
    one, other = identity(tiny_folder(tmp_path / "one")), identity(tiny_folder(tmp_path / "other", **change))
    assert one.base == other.base
    assert one.weights != other.weights


def test_another_tokenizer_is_another_base(tmp_path):
    folder = tiny_folder(tmp_path)
    swapped = VOCABULARY | {"a": VOCABULARY["b"], "b": VOCABULARY["a"]}
    assert identity(folder).base != identity(folder, swapped).base
    assert identity(folder).weights == identity(folder, swapped).weights


def test_the_order_of_the_vocabulary_does_not_matter(tmp_path):
    folder = tiny_folder(tmp_path)
    assert identity(folder) == identity(folder, dict(reversed(VOCABULARY.items())))


def test_a_changed_byte_that_is_sampled_changes_the_hash(tmp_path):
    folder = tiny_folder(tmp_path)
    before, file = weights_hash(folder), folder / "model.safetensors"
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    file.write_bytes(raw)
    assert weights_hash(folder) != before


def sparse_model(folder, tensors, bytes_each):
    """A model of zeros that takes no room on the disk."""
    entry = {"dtype": "BF16", "shape": [bytes_each // 2]}
    places = [[index * bytes_each, (index + 1) * bytes_each] for index in range(tensors)]
    header = json.dumps({f"layer.{index}": entry | {"data_offsets": place} for index, place in enumerate(places)})
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header.encode())
        file.truncate(file.tell() + tensors * bytes_each)


def test_of_four_gigabytes_less_than_a_megabyte_is_read(tmp_path, monkeypatch):
    sparse_model(tmp_path, tensors=1000, bytes_each=4_000_000)
    read, pread = [], os.pread
    monkeypatch.setattr(os, "pread", lambda file, length, place: read.append(length) or pread(file, length, place))
    weights_hash(tmp_path)
    assert 0 < sum(read) < 1_000_000


def test_a_config_without_a_shape_is_said_in_words(tmp_path):
    with pytest.raises(ModelError, match="does not say how many layers"):
        fingerprint(tiny_folder(tmp_path), {"model_type": "llama"}, VOCABULARY)


def test_the_vocabulary_is_hashed_by_id_then_token(tmp_path):
    doubled = VOCABULARY | {"zz": 5, "aa": 5}
    tokens = sorted(doubled, key=lambda token: (doubled[token], token))
    text = "\0".join(["llama", "4", "32", *tokens]).encode(errors="surrogatepass")
    assert identity(tiny_folder(tmp_path), doubled).base == hashlib.sha256(text).hexdigest()[:16]
