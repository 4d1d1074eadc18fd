"""billy history: versions in a list, one of them shown, and the way back to it."""

import json

import pytest

from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.word_diff import Hunk

QUIET, TOWER = "The house was quiet.", "The tower was quiet."


@pytest.fixture
def novel(tmp_path, billy_home):
    """A text of three versions, from 1: nothing, QUIET and TOWER."""
    path = tmp_path / "novel.md"
    manuscript = Manuscript.open(path)
    manuscript.edit(0, 0, QUIET)
    manuscript.replace((Hunk(4, 9, "tower"),))
    manuscript.save()
    manuscript.close()
    return path


def versions_of(path):
    manuscript = Manuscript.open(path)
    found = manuscript.versions.branch, manuscript.versions.branches, manuscript.versions.checkpoints
    manuscript.close()
    return found


def test_versions_are_listed_newest_first(billy, novel):
    done = billy("history", str(novel), "--all")
    header, tower, house, beginning = done.out.splitlines()
    assert header.split() == ["VERSION", "WHEN", "NAMES", "WORDS", "WHAT"]
    assert tower.startswith("3  ")
    assert "today" in tower or "yesterday" in tower
    assert "[main] ← now " in tower
    assert tower.endswith(" you replaced “house” with “tower”")
    assert house.endswith(" +4 words  you wrote “The house was quiet.”")
    assert beginning.endswith("the text as it was found")


def test_without_all_only_turning_points_are_listed(billy, novel):
    found = json.loads(billy("history", str(novel), "--json").out)
    assert [one["id"] for one in found] == [3, 1]
    assert json.loads(billy("history", str(novel), "list", "--json").out) == found
    assert (found[0]["is_current"], found[0]["new"], found[0]["names"]) == (True, "tower", ["main"])


def test_a_version_is_put_out_to_the_letter(billy, novel):
    assert billy("history", str(novel), "show", "2").out == QUIET
    assert json.loads(billy("history", str(novel), "show", "2", "--json").out)["text"] == QUIET
    assert "− tower\n+ house" in billy("history", str(novel), "show", "2", "--diff").out
    assert novel.read_text() == TOWER


def test_going_to_a_version_is_one_step_that_can_be_undone(billy, novel):
    done = billy("history", str(novel), "go", "2")
    assert (done.code, done.out, novel.read_text()) == (0, "", QUIET)
    assert f"to go back, run: billy history {novel} go 3" in done.err
    manuscript = Manuscript.open(novel)
    manuscript.versions.undo()
    assert manuscript.text == TOWER
    manuscript.close()


def test_a_name_leads_to_its_version(billy, novel):
    assert billy("history", str(novel), "name", "2", "first good one").code == 0
    assert "[first good one]" in billy("history", str(novel)).out
    assert billy("history", str(novel), "go", "first good one").code == 0
    assert novel.read_text() == QUIET


def test_branches_are_begun_renamed_and_gone_back_to(billy, novel):
    done = billy("history", str(novel), "branch", "2", "dark")
    assert novel.read_text() == QUIET
    assert "on the branch dark; to go back, run:" in done.err
    billy("history", str(novel), "rename", "main", "light")
    assert versions_of(novel)[:2] == ("dark", {"dark": 2, "light": 3})
    billy("history", str(novel), "go", "light")
    assert (novel.read_text(), versions_of(novel)[0]) == (TOWER, "light")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["show", "99"], "there is no version 99"),
        (["go", "nowhere"], "there is no version called 'nowhere'; give a number, or one of: main"),
        (["branch", "2", "main"], "there is a branch main already"),
        (["rename", "x", "y"], "there is no branch x"),
        (["name", "2", " "], "cannot be a name"),
        (["shwo", "2"], "No such command 'shwo'"),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(billy, novel, arguments, sentence):
    before = versions_of(novel)
    done = billy("history", str(novel), *arguments)
    assert done.code in (1, 2)
    assert sentence in done.err
    assert (novel.read_text(), versions_of(novel)) == (TOWER, before)


def test_a_text_that_is_open_elsewhere_is_left_alone(billy, novel):
    manuscript = Manuscript.open(novel)
    done = billy("history", str(novel))
    manuscript.close()
    assert (done.code, done.out) == (1, "")
    assert "close it there" in done.err


def test_help_is_that_of_the_command_or_of_all(billy, novel):
    assert "FILE COMMAND [ARGS]" in billy("history", "--help").out
    assert "--diff" in billy("history", str(novel), "show", "--help").out
