"""billy calibrate: stored with the vector, shown as a table, drawn on request."""

import json

import pytest

from billy_mlx import paths

FEW = ("--prompts", "4", "-m", "8")


def test_a_calibration_is_stored_with_the_vector_and_used(billy, model):
    (row,) = json.loads(billy("calibrate", "noir", *FEW, "--json").out)
    shown = json.loads(billy("vectors", "show", "noir", "--json").out)["strength"]
    assert shown["at_full"] == pytest.approx(row["at_full"], rel=1e-3, abs=1e-3)
    assert "strength" not in billy("generate", "-p", "Once", "-m", "2", "--blend", "noir", "--json").err


@pytest.mark.slow
def test_the_table_has_a_line_for_every_persona_and_says_what_the_numbers_are(billy, model):
    done = billy("calibrate", "--all", *FEW)
    assert [line.split()[0] for line in done.out.splitlines()] == ["ID", "gothic", "noir"]
    assert "how often the vector is added at dose 1" in done.err


@pytest.mark.slow
def test_all_goes_on_with_what_has_not_been_calibrated_like_this(billy, model):
    billy("calibrate", "noir", *FEW)
    done = billy("calibrate", "--all", *FEW)
    assert [line.split()[0] for line in done.out.splitlines()] == ["ID", "gothic"]
    assert "1 of 2 are calibrated like this already" in done.err
    assert len(json.loads(billy("calibrate", "--all", *FEW, "--seed", "5", "--json").out)) == 2


@pytest.mark.slow
def test_what_was_tried_is_drawn(billy, model, tmp_path):
    done = billy("calibrate", "noir", *FEW, "--plot", str(tmp_path / "strengths"))
    assert done.code == 0
    assert (tmp_path / "strengths" / "noir.png").read_bytes().startswith(b"\x89PNG")


def test_vectors_in_another_folder_are_calibrated_there(billy, extracted, tmp_path, monkeypatch):
    import shutil

    shutil.copytree(extracted.vectors, tmp_path / "vectors")
    done = billy("calibrate", "noir", *FEW, "--model", str(extracted.model), "--to", str(tmp_path / "vectors"))
    assert done.code == 0
    assert not paths.vectors_folder().exists()


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_ready(billy, model, monkeypatch):
    from billy_mlx.vectors import library

    store = library.store_vector

    def store_and_stop(vector, root):
        if vector.persona_id == "noir":
            raise KeyboardInterrupt
        return store(vector, root)

    monkeypatch.setattr(library, "store_vector", store_and_stop)
    done = billy("calibrate", "gothic", "noir", *FEW)
    assert (done.code, "stopped; 1 of 2 are calibrated" in done.err) == (130, True)
    assert done.out.splitlines()[1].startswith("gothic")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "Name the personas to calibrate, or --all"),
        (("noir", "--all"), "(and not both)"),
        (("noir", "--prompts", "25"), "25 is not in the range"),
        (("comic",), "comic is not prepared for"),
    ],
)
def test_wrong_usage_is_one_sentence(billy, model, arguments, sentence):
    done = billy("calibrate", *arguments)
    assert done.code in (1, 2)
    assert sentence in done.err
    assert done.out == ""
