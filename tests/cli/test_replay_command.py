"""billy replay: which passages can be made again, and whether they come out the same."""

import json
import signal
from dataclasses import replace

import pytest

from billy_mlx import paths
from billy_mlx.cli import replay as module
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.passage import Passage
from billy_mlx.vectors.vector_file import load_vector, save_vector

FEW = ("--seed", "3", "--context", "430", "-m", "6")


@pytest.fixture
def novel(billy, tmp_path, model):
    """A text with two passages, the first by noir, the second by nobody's voice."""
    path = tmp_path / "novel.md"
    path.write_text("Ada slept.\n\nThe lamp was cold.\n")
    for place, voice in (("1", ["--blend", "noir"]), ("end", [])):
        assert billy("continue", str(path), "--at", place, *voice, *FEW).code == 0
    return path


def replayed(billy, novel, *flags):
    return json.loads(billy("replay", str(novel), "--json", *flags).out)


@pytest.mark.slow
def test_each_passage_comes_out_the_same_token_for_token(billy, novel):
    before = novel.read_bytes()
    noir, bare = replayed(billy, novel)
    assert [one["voice"] for one in (noir, bare)] == ["noir:1@1/layered", "unsteered"]
    assert [one["lines"][0] for one in (noir, bare)] == [1, 3]
    assert noir["text"] in novel.read_text()
    for one in (noir, bare):
        assert (one["possible"], one["equal"], one["written"], one["reason"]) == (True, True, one["tokens"], None)
    assert novel.read_bytes() == before


@pytest.mark.slow
def test_the_table_says_it_in_words(billy, novel):
    header, noir, bare = billy("replay", str(novel)).out.splitlines()
    assert header.split() == ["LINE", "AGAIN", "WRITTEN", "TOKENS", "VOICE", "PASSAGE"]
    assert noir.startswith("1     the same  ")
    assert "noir:1@1/layered" in noir
    assert "unsteered" in bare


def test_a_dry_run_loads_no_model(billy, novel, monkeypatch):
    monkeypatch.setattr("billy_mlx.model.load.load", None)
    found = replayed(billy, novel, "--dry-run")
    assert [(one["possible"], one["equal"], one["written"]) for one in found] == [(True, None, 0)] * 2


@pytest.mark.slow
def test_what_cannot_be_made_again_says_why_and_the_others_are_made(billy, novel):
    (folder,) = paths.vectors_folder().iterdir()
    vector = load_vector(folder / "noir.safetensors")
    save_vector(replace(vector, directions=vector.directions * 2), folder / "noir.safetensors")
    noir, bare = replayed(billy, novel)
    assert (noir["possible"], noir["equal"]) == (False, None)
    assert noir["reason"].startswith("the vector of noir was extracted or calibrated anew")
    assert bare["equal"] is True
    assert "line 1: the vector of noir" in billy("replay", str(novel)).out


@pytest.mark.slow
def test_a_passage_that_differs_says_where(billy, novel, monkeypatch):
    found = Manuscript.passages.fget
    other = {"tokens": (1, 2, 3)}
    each = lambda manuscript: {author: replace(one, **other) for author, one in found(manuscript).items()}  # noqa: E731
    monkeypatch.setattr(Manuscript, "passages", property(each))
    noir, _ = replayed(billy, novel)
    assert (noir["possible"], noir["equal"]) == (True, False)
    assert "it differs from token 1 of 3 on" in noir["reason"]


def test_what_is_not_recorded_is_said(billy, novel, monkeypatch):
    monkeypatch.setattr(Manuscript, "passages", property(lambda _: dict[int, Passage]()))
    assert [one["reason"] for one in replayed(billy, novel)] == ["it is not recorded how it was written"] * 2


def test_only_some_and_only_so_much_is_written_again(billy, novel):
    (last,) = replayed(billy, novel, "--last", "1", "-m", "2")
    assert (last["voice"], last["possible"], last["equal"], last["written"]) == ("unsteered", True, None, 2)


def test_ctrl_c_puts_out_what_is_known(billy, novel, monkeypatch):
    go_on = module._written
    monkeypatch.setattr(module, "_written", lambda *all: (signal.raise_signal(signal.SIGINT), go_on(*all))[1])
    done = billy("replay", str(novel), "--json")
    assert (done.code, [one["written"] for one in json.loads(done.out)]) == (130, [0, 0])


def test_a_text_by_the_writer_alone_has_nothing_to_make_again(billy, tmp_path, billy_home):
    (tmp_path / "own.md").write_text("All mine.")
    done = billy("replay", str(tmp_path / "own.md"), "--json")
    assert (done.code, done.out) == (0, "[]\n")
    assert "no model has written anything" in done.err
