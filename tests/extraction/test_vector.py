"""Vectors as values and as files: arithmetic, round trip, and every way a file can be wrong."""

from dataclasses import replace

import numpy as np
import pytest
import safetensors.numpy
from vectors import FINGERPRINT, persona_vector

from billy_mlx.errors import BillyError, VectorError, VectorMismatch
from billy_mlx.extraction.vector import load_vector, save_vector

FIELDS = ("directions", "neutral_mean", "residual_norm", "projection_scale")


def test_vectors_are_values():
    a, b = persona_vector("a", seed=1), persona_vector("b", seed=2)
    assert np.allclose((a + b).directions, a.directions + b.directions)
    assert not (a - a).directions.any()
    assert np.allclose((2 * a).directions, (a * 2.0).directions)
    assert np.allclose((-a).projection_scale, a.projection_scale)
    assert (a + b).persona_id == "a+b"


def test_vectors_of_different_models_do_not_add_up():
    other = replace(FINGERPRINT, base="c" * 16)
    with pytest.raises(VectorMismatch, match="cannot be combined"):
        persona_vector() + persona_vector(fingerprint=other)


def test_a_file_reads_back_to_the_same_vector(tmp_path):
    vector = persona_vector()
    save_vector(vector, tmp_path / "deep" / "noir.safetensors")
    read = load_vector(tmp_path / "deep" / "noir.safetensors")
    assert (read.persona_id, read.fingerprint, read.origin) == (vector.persona_id, vector.fingerprint, vector.origin)
    assert all(np.array_equal(getattr(read, name), getattr(vector, name)) for name in FIELDS)


def test_another_base_is_refused_with_the_command_that_extracts_it_again():
    with pytest.raises(VectorMismatch, match="run: billy extract noir --model org/other"):
        persona_vector().require_base("org/other", replace(FINGERPRINT, base="c" * 16))


def test_another_quantisation_of_the_base_is_transferred():
    quantised = replace(FINGERPRINT, weights="q" * 16)
    persona_vector().require_base("org/4bit", quantised)
    assert persona_vector().is_transferred_to(quantised)
    assert not persona_vector().is_transferred_to(FINGERPRINT)


def tensors(**changed):
    vector = persona_vector()
    names = ("persona_vector", "neutral_mean", "residual_norm", "projection_scale")
    arrays = {name: getattr(vector, field) for name, field in zip(names, FIELDS, strict=True)}
    return {name: array for name, array in (arrays | changed).items() if array is not None}


def metadata(tmp_path):
    save_vector(persona_vector(), tmp_path / "good.safetensors")
    with safetensors.safe_open(tmp_path / "good.safetensors", framework="np") as file:
        return file.metadata()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"persona_vector": np.full((4, 32), np.nan, np.float32)}, "persona_vector holds a number that is not finite"),
        ({"residual_norm": np.array([1, 2, np.inf, 4], np.float32)}, "residual_norm holds a number that is not finite"),
        ({"residual_norm": np.zeros(4, np.float32)}, "not positive"),
        ({"neutral_mean": np.zeros((4, 31), np.float32)}, r"neutral_mean is float32 \(4, 31\)"),
        ({"persona_vector": np.zeros((4, 32), np.float16)}, "persona_vector is float16"),
        ({"persona_vector": np.zeros(4, np.float32)}, r"shape \(4,\)"),
        ({"neutral_mean": None}, "it holds persona_vector"),
        ({"evil\x1b[2J": np.zeros(1, np.float32)}, "evil␛"),
    ],
)
def test_tensors_that_are_not_a_persona_vector_are_refused(tmp_path, changed, said):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(safetensors.numpy.save(tensors(**changed), metadata(tmp_path)))
    with pytest.raises(VectorError, match=said) as caught:
        load_vector(path)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"format": "something-else"}, "something-else"),
        ({"fingerprint.layers": "many"}, "lacks the fingerprint"),
        ({"fingerprint.layers": "5"}, "its metadata says otherwise"),
    ],
)
def test_metadata_that_does_not_fit_is_refused(tmp_path, changed, said):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(safetensors.numpy.save(tensors(), metadata(tmp_path) | changed))
    with pytest.raises(VectorError, match=said):
        load_vector(path)


def test_metadata_cannot_carry_an_escape(tmp_path):
    path = tmp_path / "evil.safetensors"
    path.write_bytes(safetensors.numpy.save(tensors(), metadata(tmp_path) | {"model_id": "\x1b]52;c;aGk=\x07"}))
    assert "\x1b" not in load_vector(path).origin.model_id


@pytest.mark.parametrize("kept", [0, 4, 8, 100, -1])
def test_a_truncated_file_is_an_error_of_ours(tmp_path, kept):
    path = tmp_path / "noir.safetensors"
    save_vector(persona_vector(), path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(VectorError, match="cannot be used as a persona vector"):
        load_vector(path)


def test_a_missing_file_and_a_folder_are_errors_of_ours(tmp_path):
    for path in (tmp_path / "none.safetensors", tmp_path):
        with pytest.raises(VectorError):
            load_vector(path)


def test_a_full_disk_is_said_and_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "noir.safetensors"
    save_vector(persona_vector(), path)
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(BillyError, match="was not saved: No space left on device"):
        save_vector(persona_vector(seed=5), path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["noir.safetensors"]
