"""A file that another program changed: every way out is there, and shown in words."""

import pytest
from helpers.screen_host import filled, seen, shown

from billy_mlx.manuscript.elsewhere import read_theirs
from billy_mlx.tui.screens.question import ConflictScreen

BASE, MINE, THEIRS = "The hut was quiet.", "The house was quiet.", "The tower was quiet."


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "tale.md"
    file.write_text(THEIRS)
    return file


def screen(path, answers=None, mine=MINE):
    """Return the screen; `answers` is a list for what is answered."""
    settled = (answers if answers is not None else []).append
    return ConflictScreen(path, mine, read_theirs(path, BASE, mine), settled)


def answered(path, *steps, mine=MINE):
    """Return what is answered by these steps, and the path of a copy."""
    answers = []
    asked = screen(path, answers, mine)
    shown(asked, *steps)
    return answers, asked.copy


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
def test_what_happened_and_the_difference_are_shown(path, size):
    pictures = []
    shown(screen(path), seen(pictures), size=size)
    assert "! tale.md: another program changed this file" in pictures[0]
    assert "− house" in pictures[0]
    assert "+ tower" in pictures[0]


@pytest.mark.parametrize(
    ("keys", "answer"),
    [(["down", "enter"], "mine"), (["down", "down", "enter"], "theirs"), (["escape"], None)],
)
def test_an_arrow_chooses_and_enter_answers(path, keys, answer):
    assert answered(path, *keys) == ([answer], None)


def test_both_are_offered_first_where_the_changes_do_not_touch(path):
    pictures = []
    assert answered(path, seen(pictures), "down", "enter", mine=f"Oh. {BASE}") == (["both"], None)
    assert "You and it changed different places" in pictures[0]


def test_in_a_small_window_the_line_that_is_chosen_can_be_seen(path):
    pictures = []
    shown(screen(path, mine=f"Oh. {BASE}"), "down", seen(pictures), "up", seen(pictures), size=(40, 12))
    assert "Keep both" in pictures[0]
    assert "Save mine as a copy" in pictures[1]


def test_where_they_touch_it_is_said_and_both_are_not_offered(path):
    pictures = []
    shown(screen(path), seen(pictures))
    assert "at one place you have “house”, and the other program has “tower”" in pictures[0]
    assert "Keep both" not in pictures[0]


COPY = ["up", "enter"]


@pytest.mark.slow
def test_a_copy_gets_a_name_that_is_free(path):
    assert answered(path, *COPY, "enter") == (["copy"], path.with_name("tale (mine).md"))
    path.with_name("tale (mine).md").touch()
    assert answered(path, *COPY, "enter") == (["copy"], path.with_name("tale (mine 2).md"))


@pytest.mark.parametrize(("name", "why"), [("tale.md", "exists already"), ("a/b.md", "a name without a folder")])
def test_a_copy_replaces_nothing_and_stays_beside_the_file(path, name, why):
    pictures = []
    assert answered(path, *COPY, filled(name), "enter", seen(pictures)) == ([], None)
    assert why in pictures[0]


def test_a_file_that_is_gone_is_called_so(path):
    path.unlink()
    pictures = []
    shown(screen(path), seen(pictures))
    assert "the file is gone" in pictures[0]
    assert "You changed it" not in pictures[0]
    assert "save my text under this name again" in pictures[0]


def test_a_file_that_is_no_text_any_more_has_ways_on(path):
    path.write_bytes(b"\xff\xfe\xff")
    pictures = []
    assert answered(path, seen(pictures), "down", "enter") == (["mine"], None)
    assert "UTF-8" in pictures[0]
    assert "what is there now gets another name" in pictures[0]
    assert "Take theirs" not in pictures[0]


def test_a_hostile_name_is_harmless(path):
    hostile = path.with_name("a[b]\x1b]0;HOSTILE\x07.md")
    hostile.touch()
    pictures = []
    shown(screen(hostile), seen(pictures))
    assert "a[b]␛]0;HOSTILE.md" in pictures[0]


def test_a_copy_with_an_impossible_name_is_refused_in_words(path, monkeypatch):
    def refuse(self):
        raise ValueError("embedded null byte")

    pictures = []
    broken = lambda _: monkeypatch.setattr(type(path), "exists", refuse)  # noqa: E731
    assert answered(path, *COPY, broken, "enter", seen(pictures)) == ([], None)
    assert "no file can have this name" in pictures[0]
