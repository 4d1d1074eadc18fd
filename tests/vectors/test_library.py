"""The library: whose vector a file is, and files that are nobody's."""

import shutil
from dataclasses import replace

import pytest
from helpers.random_vectors import FINGERPRINT, persona_vector

from billy_mlx.errors import UsageError, VectorError, VectorMismatch
from billy_mlx.vectors.library import find_all, load_vectors, read_vectors, store_vector, vector_path


def test_only_files_named_after_a_persona_are_found():
    path = store_vector(persona_vector("noir"))
    for name in ("._noir", "evil\x1b[2J", "Noir", "a + b", "-", "x" * 65, ".noir.safetensors.tmp"):
        shutil.copy(path, path.with_name(f"{name}.safetensors"))
    assert find_all(FINGERPRINT) == {"noir": path}


def test_a_file_under_another_personas_name_is_refused():
    shutil.copy(store_vector(persona_vector("noir")), vector_path("gothic", FINGERPRINT))
    with pytest.raises(VectorError, match=r"gothic.safetensors holds the vector of noir; rename the file"):
        read_vectors(["gothic"], "tiny", FINGERPRINT)
    assert read_vectors(["noir"], "tiny", FINGERPRINT)["noir"].persona_id == "noir"


def test_a_file_of_another_width_that_claims_the_models_base_is_refused():
    store_vector(persona_vector("noir", fingerprint=replace(FINGERPRINT, width=1)))
    with pytest.raises(VectorMismatch, match="the vector of noir has 4 layers of 1, but tiny has 4 of 32"):
        read_vectors(["noir"], "tiny", FINGERPRINT)


def test_below_a_root_of_its_own_only_that_root_counts(tmp_path):
    elsewhere = store_vector(persona_vector("noir"), tmp_path / "vectors")
    own = store_vector(persona_vector("gothic"))
    assert elsewhere == vector_path("noir", FINGERPRINT, tmp_path / "vectors")
    assert elsewhere.parent.name == own.parent.name == f"{FINGERPRINT.base}-{FINGERPRINT.weights}"
    assert find_all(FINGERPRINT, tmp_path / "vectors") == {"noir": elsewhere}
    assert find_all(FINGERPRINT) == {"gothic": own}


def test_vectors_are_loaded_from_below_a_root(tmp_path):
    store_vector(persona_vector("noir", seed=1))
    store_vector(persona_vector("noir", seed=2), tmp_path)
    (loaded,) = read_vectors(["noir"], "tiny", FINGERPRINT, tmp_path).values()
    assert (loaded.directions == persona_vector("noir", seed=2).directions).all()
    with pytest.raises(
        VectorError, match=r"gothic is not prepared for tiny yet; .* run: billy extract gothic --model tiny"
    ):
        read_vectors(["gothic"], "tiny", FINGERPRINT, tmp_path)


def test_of_these_very_weights_comes_before_another_quantisation_below_a_root_too(tmp_path):
    transferred = replace(FINGERPRINT, weights="z" * 16)
    for fingerprint in (FINGERPRINT, transferred):
        store_vector(persona_vector("noir", fingerprint=fingerprint), tmp_path)
    only = store_vector(persona_vector("gothic", fingerprint=transferred), tmp_path)
    found = find_all(FINGERPRINT, tmp_path)
    assert found == {"gothic": only, "noir": vector_path("noir", FINGERPRINT, tmp_path)}


def test_a_root_that_is_not_there_holds_nothing(tmp_path):
    assert find_all(FINGERPRINT, tmp_path / "nowhere") == {}


def test_vectors_are_loaded_for_a_model_and_the_former_order_is_refused_in_a_sentence(tiny):
    store_vector(persona_vector("noir", fingerprint=tiny.fingerprint))
    assert list(load_vectors(tiny, ["noir"])) == ["noir"]
    with pytest.raises(UsageError, match=r"a list is no model; call load_vectors\(model, persona_ids\)"):
        load_vectors(["noir"], tiny)
