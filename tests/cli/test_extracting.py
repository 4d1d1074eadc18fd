"""billy extract: vectors stored where they are said to be, and those kept that are ready when it is stopped."""

from pathlib import Path

import pytest

from billy_mlx import paths
from billy_mlx.extraction import library
from billy_mlx.extraction.vector_file import load_vector

FEW = ("--questions", "2", "--rollouts", "1", "-m", "4")


def test_stdout_names_the_files_and_generate_finds_them(billy, model):
    done = billy("extract", "comic", "noir", *FEW)
    files = [Path(line) for line in done.out.splitlines()]
    assert [file.stem for file in files] == ["comic", "noir"]
    assert all(file.is_relative_to(paths.vectors_folder()) for file in files)
    assert billy("generate", "-p", "Once", "-m", "2", "--blend", "comic").code == 0


def test_another_folder_gets_a_folder_for_the_model(extracted):
    (folder,) = extracted.vectors.iterdir()
    assert sorted(file.name for file in folder.iterdir()) == ["gothic.safetensors", "noir.safetensors"]
    fingerprint = load_vector(folder / "noir.safetensors").fingerprint
    assert folder.name == f"{fingerprint.base}-{fingerprint.weights}"


def test_ctrl_c_keeps_the_vectors_that_are_ready(billy, model, monkeypatch):
    store = library.store_vector

    def store_and_stop(vector, root):
        if vector.persona_id == "comic":
            raise KeyboardInterrupt
        return store(vector, root)

    monkeypatch.setattr(library, "store_vector", store_and_stop)
    done = billy("extract", "futurist", "comic", *FEW)
    assert (done.code, Path(done.out.strip()).exists()) == (130, True)
    assert "1 of 2 vectors are stored" in done.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Name the personas to extract, or --all"),
        (["noir", "--all"], "(and not both)"),
        (["nior"], "did you mean noir"),
        (["noir", "--questions", "25"], "--questions is 25, and there are 24 shared questions"),
        (["noir", "--rollouts", "0"], "0 is not in the range"),
    ],
)
def test_wrong_usage_is_said_before_a_model_is_loaded(billy, arguments, sentence):
    done = billy("extract", *arguments)
    assert (done.code, done.out) == (2, "")
    assert sentence in done.err


def test_a_folder_that_cannot_be_written_is_said_before_a_model_is_loaded(billy, tmp_path):
    (tmp_path / "file").touch()
    done = billy("extract", "noir", *FEW, "--to", str(tmp_path / "file"))
    assert done.code == 1
    assert f"{tmp_path / 'file'} cannot be written to: " in done.err


def test_asking_whether_a_folder_can_be_written_leaves_nothing_in_it(billy, monkeypatch, tmp_path):
    monkeypatch.setenv("BILLY_MODEL", "nobody/nothing")
    assert "run: billy model get" in billy("extract", "noir", "--to", str(tmp_path / "new")).err
    assert list((tmp_path / "new").iterdir()) == []
