"""What an imported vector takes over from the model it is for, and what it must not quietly stand in for."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.foreign_files import write_control_vector
from helpers.random_vectors import FINGERPRINT, persona_vector

from billy_mlx.errors import VectorError
from billy_mlx.formats.vectors.control_vector import read_control_vector
from billy_mlx.vectors.library import store_vector, vector_path
from billy_mlx.vectors.vector_file import load_vector
from billy_mlx.vectors.vector_import import holds, measured_norms, open_files, rival_of, to_vector

ONES = {1: np.ones(FINGERPRINT.width, np.float32)}


@pytest.fixture
def foreign(tmp_path):
    return to_vector(read_control_vector(write_control_vector(tmp_path / "x.gguf", ONES)), "x", "m", FINGERPRINT, None)


def test_the_norms_of_a_model_are_those_that_were_measured(foreign):
    assert measured_norms("m", FINGERPRINT) is None
    store_vector(replace(foreign, persona_id="a", residual_norm=np.full(4, 9, np.float32)))
    assert measured_norms("m", FINGERPRINT) is None  # another tool's
    store_vector(persona_vector("noir", norm=2.5))
    whose, norms = measured_norms("m", FINGERPRINT)
    assert (whose, norms.tolist()) == ("noir", [2.5] * 4)


def test_norms_are_not_taken_from_a_file_that_is_damaged_or_of_another_shape(foreign):
    path = store_vector(persona_vector("noir"))
    path.write_bytes(path.read_bytes()[:-4])
    other = replace(FINGERPRINT, layers=5)
    store_vector(persona_vector("gothic", fingerprint=other))
    assert measured_norms("m", FINGERPRINT) is None


def test_a_vector_stored_and_read_again_is_the_same(foreign):
    path = store_vector(foreign)
    assert holds(path, foreign)
    assert not holds(path, replace(foreign, directions=2 * foreign.directions))
    assert not holds(path, replace(foreign, residual_norm=np.ones(4, np.float32)))
    assert not holds(path.with_name("none.safetensors"), foreign)
    assert load_vector(path).origin.source == "control vector: x.gguf"


def test_only_a_vector_of_that_persona_for_these_weights_is_a_rival(foreign):
    store_vector(persona_vector("y"))
    store_vector(persona_vector("x", fingerprint=replace(FINGERPRINT, weights="q" * 16)))
    assert rival_of(foreign) is None
    store_vector(persona_vector("x"))
    assert rival_of(foreign) == vector_path("x", FINGERPRINT)


def test_a_file_that_cannot_be_opened_is_an_error_of_ours(tmp_path, monkeypatch):
    def denied(*_):
        raise PermissionError(13, "Permission denied")

    path = write_control_vector(tmp_path / "x.gguf", ONES)
    monkeypatch.setattr("pathlib.Path.open", denied)
    with pytest.raises(VectorError, match=r"x.gguf cannot be imported: Permission denied"):
        open_files([path])


def test_files_are_told_by_their_bytes_and_not_by_their_names(tmp_path):
    write_control_vector(tmp_path / "x.json", ONES)
    (tmp_path / "norms.gguf").write_text("[1, 2, 3, 4]")
    opened = open_files([tmp_path / "x.json", tmp_path / "norms.gguf"])
    assert (len(opened.foreign), len(opened.norms), opened.traits, opened.bundles) == (1, 1, [], [])
