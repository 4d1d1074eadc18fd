"""Versions: the tree in words, a preview of each, names and branches."""

import itertools

import pytest
from hosting import seen, shown, told, typed

from billy_mlx.manuscript.history.tree import Version
from billy_mlx.manuscript.hunks import Hunk
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.revision import Kind
from billy_mlx.tui.screens import history
from billy_mlx.tui.screens.history import HistoryScreen, Lanes, compared


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
    assert pictures[0].index("you replaced +5") < pictures[0].index("you wrote +20")
    assert "Branch: main" in pictures[0]


def test_the_preview_says_how_a_version_differs_from_now(manuscript):
    pictures = []
    shown(HistoryScreen(manuscript), "a", seen(pictures), "down", seen(pictures), size=(160, 50))
    assert "This is the text as it is now." in pictures[0]
    assert "− tower" in pictures[1]
    assert "+ house" in pictures[1]


def test_enter_goes_to_a_version_and_escape_nowhere(manuscript):
    assert shown(HistoryScreen(manuscript), "a", "down", "enter").given == [("go", manuscript.versions.current - 1)]
    assert shown(HistoryScreen(manuscript), "escape").given == [None]


def test_the_text_as_it_is_gets_a_name(manuscript):
    pictures = []
    shown(HistoryScreen(manuscript), "k", *typed("the end"), "enter", seen(pictures), size=(160, 50))
    assert manuscript.versions.checkpoints == {"the end": manuscript.versions.current}
    assert "[the end]" in pictures[0]


def test_a_name_that_cannot_be_is_refused_in_words(manuscript):
    host = shown(HistoryScreen(manuscript), "k", "enter")
    assert "cannot be a name" in told(host)


def test_a_branch_is_begun_and_another_gone_on_with(manuscript):
    main = manuscript.versions.branch
    host = shown(HistoryScreen(manuscript), "b", *typed("darker"), "enter", "s", "enter")
    assert manuscript.versions.branch == "darker"
    assert host.given == [("switch", main)]


def test_a_branch_that_is_not_there_is_refused(manuscript):
    manuscript.versions.begin_branch("darker")
    pictures = []
    shown(HistoryScreen(manuscript), "s", *typed("x"), "enter", seen(pictures))
    assert "there is no such branch" in pictures[0]


def test_a_long_history_comes_page_by_page(manuscript, monkeypatch):
    monkeypatch.setattr(history, "_PAGE", 5)
    for _ in range(12):
        manuscript.replace((Hunk(0, 0, "x"),))
    counts = []
    count = lambda pilot: counts.append(pilot.app.screen.query_one("OptionList").option_count)  # noqa: E731
    shown(HistoryScreen(manuscript), "a", count, "end", count)
    assert counts == [5, 10]


def test_hostile_names_and_texts_are_shown_without_their_controls(manuscript):
    manuscript.versions.checkpoint("a[bold]b")
    pictures = []
    shown(HistoryScreen(manuscript), seen(pictures), size=(160, 50))
    assert "[a[bold]b]" in pictures[0]
    assert "\x1b" not in compared("a", "a \x1b[31m b")


def test_branches_are_drawn_side_by_side():
    lanes = Lanes()
    tree = [(5, 2), (4, 3), (3, 2), (2, 1), (1, None)]
    rows = [lanes.drawn(Version(id, parent, Kind.TYPED, 0.0, 0, 0, None)).rstrip() for id, parent in tree]
    assert rows == ["●", "│ ●", "│ ●", "● ├", "●"]
