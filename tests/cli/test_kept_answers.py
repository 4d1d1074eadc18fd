"""What extractions keep: counted by billy paths, removed by billy vectors clear-answers, left to whoever needs it."""

import json
import os

import numpy as np
import pytest
import safetensors.numpy

from billy_mlx import paths
from billy_mlx.extraction import kept_answers
from billy_mlx.lock import alone

FEW = ("--questions", "3", "--rollouts", "2", "-m", "4", "--judge", "none")
OLD = "0123456789abcdef-0123456789abcdef-0123456789abcdef-0123456789abcdef"


@pytest.fixture
def neutral(billy, model, monkeypatch):
    """The folder of a model's neutral answers, after an extraction that reads nothing else into its cache."""
    monkeypatch.setattr("billy_mlx.extraction.common.CARDS", ())
    assert billy("extract", "noir", *FEW).code == 0
    (folder,) = paths.poles_folder().iterdir()
    return folder


@pytest.fixture
def old():
    """The folder of two answers under the key of an older version, and of a judge's scores."""
    folder = paths.poles_folder() / OLD
    folder.mkdir(parents=True)
    (folder / "000000.safetensors").write_bytes(safetensors.numpy.save({"counted": np.ones(2, np.int64)}))
    (folder / "00ff.json").write_text("[1, 2]")
    return folder


def size(folder):
    return sum(path.stat().st_size for path in folder.iterdir())


def test_paths_counts_what_is_kept_and_what_of_it_is_old(billy, neutral, old):
    told = json.loads(billy("paths", "--json").out)
    assert told["answers"] == str(paths.poles_folder())
    assert told["kept_answers"] == {"poles": 2, "answers": 8, "bytes": size(neutral) + size(old)}
    assert told["old_answers"] == {"poles": 1, "answers": 2, "bytes": size(old)}
    err = billy("paths").err
    assert "for extractions: 8 kept answers, 0.0 MB; to remove them, run: billy vectors clear-answers" in err
    assert "of older versions, and found by no extraction: 2 kept answers, 0.0 MB" in err


def test_paths_says_nothing_of_answers_where_none_are_kept(billy):
    assert billy("paths").err == ""
    assert json.loads(billy("paths", "--json").out)["kept_answers"] == {"poles": 0, "answers": 0, "bytes": 0}


def test_all_are_cleared_and_it_is_said_how_much_that_was(billy, neutral, old):
    done = billy("vectors", "clear-answers")
    assert (done.code, done.out, done.err) == (0, "", "billy: removed: 8 kept answers, 0.0 MB\n")
    assert list(paths.poles_folder().iterdir()) == []
    assert billy("vectors", "clear-answers").err == "billy: removed: 0 kept answers, 0.0 MB\n"


def test_only_the_old_ones_are_cleared_if_that_is_asked_for(billy, neutral, old):
    done = billy("vectors", "clear-answers", "--old")
    assert (done.code, done.err) == (0, "billy: removed: 2 kept answers, 0.0 MB\n")
    assert list(paths.poles_folder().iterdir()) == [neutral]


def test_what_another_program_needs_stays_and_that_is_said(billy, neutral, old):
    claim = next((paths.cache_folder() / "extractions").glob("*/*"))
    with alone(claim, str):
        done = billy("vectors", "clear-answers")
    assert (done.code, [*paths.poles_folder().iterdir()]) == (1, [neutral])
    assert (
        f"another billy (process {os.getpid()}) is extracting from a model, of which 6 kept answers, 0.0 MB, stay"
        in (done.err)
    )
    assert done.err.endswith("removed: 2 kept answers, 0.0 MB\n")
    assert billy("vectors", "clear-answers").code == 0


def test_what_is_damaged_or_nobodys_is_neither_counted_nor_in_the_way(billy, old):
    (old / "000000.safetensors").write_bytes(b"damaged")
    (old / "000002.safetensors").write_bytes(safetensors.numpy.save({"counted": np.array(1)}))
    (paths.poles_folder() / "holiday").mkdir()
    assert json.loads(billy("paths", "--json").out)["old_answers"]["answers"] == 0
    assert billy("vectors", "clear-answers").code == 0
    assert [folder.name for folder in paths.poles_folder().iterdir()] == ["holiday"]


def test_what_the_disk_does_not_let_go_of_is_said(billy, old, monkeypatch):
    def refuse(folder):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(kept_answers.shutil, "rmtree", refuse)
    done = billy("vectors", "clear-answers")
    assert (done.code, done.err) == (1, f"billy: {old} cannot be removed: Permission denied; remove it yourself\n")


@pytest.mark.slow
def test_cleared_answers_are_written_anew(billy, neutral):
    assert billy("vectors", "clear-answers").code == 0
    assert billy("extract", "noir", *FEW).code == 0
    assert [*paths.poles_folder().iterdir()] == [neutral]
