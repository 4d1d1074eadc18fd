"""Versions: the tree in words, a preview of each, names and branches."""

import itertools

import pytest
from helpers.screen_host import seen, shown, typed

from billy_mlx.manuscript.chronicle import compared
from billy_mlx.manuscript.history.tree import Version
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.records import Kind
from billy_mlx.manuscript.word_diff import Hunk
from billy_mlx.tui.screens import history
from billy_mlx.tui.screens.history import HistoryScreen, Lanes


@pytest.fixture
def manuscript(tmp_path):
    clock = itertools.count(1_700_000_000, 100)
    opened = Manuscript.open(tmp_path / "tale.md", clock=lambda: float(next(clock)))
    opened.edit(0, 0, "The house was quiet.")
    opened.replace((Hunk(4, 9, "tower"),))
    yield opened
    opened.close()


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
def test_versions_are_told_in_words_newest_first(manuscript, size):
    pictures = []
    shown(HistoryScreen(manuscript), "a", seen(pictures), size=size)
    newest, oldest = "you replaced “house” with “tower”", "+4 words you wrote “The house was quiet.”"
    assert pictures[0].index(newest) < pictures[0].index(oldest)
    assert "14 Nov 2023 22:" in pictures[0]
    assert "Branch: main" in pictures[0]


def test_the_preview_says_how_a_version_differs_from_now(manuscript):
    pictures = []
    shown(HistoryScreen(manuscript), "a", seen(pictures), "down", seen(pictures), size=(160, 50))
    assert "This is the text as it is now." in pictures[0]
    assert "− tower" in pictures[1]
    assert "+ house" in pictures[1]


@pytest.mark.slow
def test_enter_goes_to_a_version_and_escape_nowhere(manuscript):
    assert shown(HistoryScreen(manuscript), "a", "down", "enter").given == [("go", manuscript.versions.current - 1)]
    assert shown(HistoryScreen(manuscript), "escape").given == [None]


@pytest.mark.slow
def test_the_version_that_is_chosen_gets_a_name_and_stays_chosen(manuscript):
    pictures = []
    keys = ("a", "down", "k", *typed("the end"), "enter")
    shown(HistoryScreen(manuscript), *keys, seen(pictures), "k", seen(pictures))
    assert manuscript.versions.checkpoints == {"the end": manuscript.versions.current - 1}
    assert "[the end] +4 words you wrote" in pictures[0]
    assert "you wrote “The house was quiet.”)" in pictures[1]


def test_a_name_is_whole_at_80_columns_and_a_long_one_beside_the_preview(manuscript):
    pictures, name = [], "the one in which nobody dies and the tower stands"
    manuscript.versions.checkpoint(name)
    shown(HistoryScreen(manuscript), seen(pictures), size=(80, 24))
    assert "[the one in which nobody dies…]" in pictures[0]
    assert any(f"Names and branches here: {both}." in pictures[0] for both in (f"main, {name}", f"{name}, main"))


@pytest.mark.slow
def test_a_name_that_cannot_be_is_refused_in_words(manuscript):
    for key in ("k", "b"):
        pictures = []
        shown(HistoryScreen(manuscript), key, "enter", seen(pictures))
        assert "cannot be a name" in pictures[0]


@pytest.mark.slow
def test_a_branch_begins_at_the_version_that_is_chosen(manuscript):
    host = shown(HistoryScreen(manuscript), "a", "down", "b", *typed("darker"), "enter")
    assert host.given == [("branch", manuscript.versions.current - 1, "darker")]


def test_a_branch_is_chosen_from_a_list(manuscript):
    manuscript.versions.begin_branch("darker")
    pictures = []
    host = shown(HistoryScreen(manuscript), "s", seen(pictures), "down", "enter")
    assert "darker ← you are here main" in pictures[0]
    assert host.given == [("switch", "main")]


def test_to_choose_the_branch_one_is_on_changes_nothing(manuscript):
    assert shown(HistoryScreen(manuscript), "s", "enter").given == []


@pytest.mark.slow
def test_a_branch_gets_another_name(manuscript):
    pictures = []
    manuscript.versions.begin_branch("x")
    shown(HistoryScreen(manuscript), "s", "r", "backspace", *typed("main"), "enter", seen(pictures))
    assert "there is a branch main already" in pictures[0]
    shown(HistoryScreen(manuscript), "s", "r", *typed("y"), "enter", "escape", seen(pictures))
    assert manuscript.versions.branches.keys() == {"xy", "main"}
    assert "Branch: xy" in pictures[1]


def test_a_long_history_comes_page_by_page(manuscript, monkeypatch):
    monkeypatch.setattr(history, "_PAGE", 5)
    for _ in range(12):
        manuscript.replace((Hunk(0, 0, "x"),))
    counts = []
    count = lambda pilot: counts.append(pilot.app.screen.query_one("OptionList").option_count)  # noqa: E731
    shown(HistoryScreen(manuscript), "a", count, "end", count)
    assert counts == [5, 10]


def test_a_difference_is_explained_in_plain_words():
    words = "1 word fewer than now. − marks what only your text has, + what only the other has."
    assert compared("a b", "c").startswith(words)


def test_hostile_names_and_texts_are_shown_without_their_controls(manuscript):
    manuscript.versions.checkpoint("a[bold]b")
    pictures = []
    shown(HistoryScreen(manuscript), seen(pictures), size=(160, 50))
    assert "[a[bold]b] [main]" in pictures[0]
    assert "\x1b" not in compared("a", "a \x1b[31m b")


def test_branches_are_drawn_side_by_side():
    lanes = Lanes()
    tree = [(5, 2), (4, 3), (3, 2), (2, 1), (1, None)]
    rows = [lanes.drawn(Version(id, parent, Kind.TYPED, 0.0, 0, 0, None)).rstrip() for id, parent in tree]
    assert rows == ["●", "│ ●", "│ ●", "● ├", "●"]
