"""billy vectors: what there is for a model, and how alike."""

import json

import pytest

from billy_mlx import paths


def test_the_vectors_of_a_model_are_listed(billy, model):
    rows = json.loads(billy("vectors", "list", "--json").out)
    assert [(row["persona_id"], row["rollouts"], row["transferred"]) for row in rows] == [
        ("gothic", "2/2", False),
        ("noir", "2/2", False),
    ]


def test_the_folder_of_vectors_is_said_once_and_not_in_the_table(billy, model):
    done = billy("vectors", "list")
    assert str(paths.vectors_folder()) not in done.out
    assert done.err == f"billy: yours are kept in {paths.vectors_folder()}\n"


def test_a_damaged_file_is_warned_of_and_the_others_still_listed(billy, model):
    damaged = next(paths.vectors_folder().rglob("noir.safetensors"))
    damaged.write_bytes(damaged.read_bytes()[:-10])
    done = billy("vectors", "list")
    assert "gothic" in done.out
    assert f"left out: {damaged}" in done.err


def test_a_vector_of_other_weights_is_marked_as_transferred(billy, model):
    (folder,) = paths.vectors_folder().iterdir()
    folder.rename(folder.with_name(folder.name.partition("-")[0] + "-" + "0" * 16))
    for file in paths.vectors_folder().rglob("noir.safetensors"):
        rename_weights(file)
    rows = json.loads(billy("vectors", "list", "--json").out)
    assert {row["persona_id"]: row["transferred"] for row in rows} == {"gothic": False, "noir": True}
    assert "transferred" in billy("vectors", "show", "noir").out
    lines = billy("vectors", "list").out.splitlines()[1:]
    assert [line.split("  ")[-1] for line in lines] == ["yours", "other weights"]


def rename_weights(file):
    from dataclasses import replace

    from billy_mlx.extraction.vector_file import load_vector, save_vector

    vector = load_vector(file)
    save_vector(replace(vector, fingerprint=replace(vector.fingerprint, weights="0" * 16)), file)


def test_a_vector_is_shown_layer_by_layer(billy, model):
    document = json.loads(billy("vectors", "show", "noir", "--json").out)
    assert len(document["norm"]) == len(document["residual_norm"]) == 4
    lines = billy("vectors", "show", "noir").out.splitlines()
    assert max(line.count("█") for line in lines) == 30


def test_similarity_is_one_with_itself_and_the_same_both_ways(billy, model):
    document = json.loads(billy("vectors", "similarity", "--json").out)
    (one, across), (back, other) = document["cosines"]
    assert (document["layer"], document["ids"]) == (2, ["gothic", "noir"])
    assert (one, other, across) == (pytest.approx(1, abs=1e-5), pytest.approx(1, abs=1e-5), back)


def test_similarity_of_a_choice_at_a_layer(billy, model):
    out = billy("vectors", "similarity", "noir", "--layer", "3").out
    assert out.startswith("Cosines at layer 3\n")
    assert out.endswith("1 noir  1.00\n")


def test_a_layer_that_is_not_there_is_refused(billy, model):
    assert billy("vectors", "similarity", "--layer", "4").code == 2


def test_a_model_without_vectors_is_told_how_to_get_them(billy, extracted):
    for command in (("list",), ("similarity",)):
        assert (
            f"run: billy extract --all --model {extracted.model}"
            in billy("vectors", *command, "--model", str(extracted.model)).err
        )
