"""What was never saved is offered in words, and nothing is decided for the writer."""

from dataclasses import replace

import pytest
from helpers.screen_host import seen, shown

from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.tui.screens.question import RecoverScreen

NOON = 1_699_963_200.0  # of 14 November 2023


@pytest.fixture
def manuscript(tmp_path):
    """A text whose last words are only in the journal."""
    path = tmp_path / "tale.md"
    with_changes = Manuscript.open(path)
    with_changes.edit(0, 0, "The house was quiet.")
    with_changes.save()
    with_changes.edit(4, 9, "old\x1b[2J tower")
    with_changes.close()
    opened = Manuscript.open(path)
    yield opened
    opened.close()


def screen(manuscript, answers=None, **changes):
    """Return the screen; `answers` is a list for what is answered."""
    settled = (answers if answers is not None else []).append
    return RecoverScreen(replace(manuscript.offers[0], **changes), manuscript.prose, settled)


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
def test_it_says_when_it_was_worked_on_and_shows_the_difference(manuscript, size):
    pictures = []
    shown(screen(manuscript, made=NOON), seen(pictures), size=size)
    assert "You last worked on it on 14 Nov 2023" in pictures[0]
    assert "1 word more than now" in pictures[0]
    assert "− house" in pictures[0]
    assert "+ old␛[2J tower" in pictures[0]


def test_the_time_is_known_after_the_text_was_closed(tmp_path):
    path, noon = tmp_path / "closed.md", lambda: NOON
    first = Manuscript.open(path, clock=noon)
    first.edit(0, 0, "It was late.")
    first.close()
    Manuscript.open(path, clock=noon).close()  # the offer waits
    again = Manuscript.open(path)
    assert again.offers[0].made == NOON
    again.close()


def test_where_the_time_is_not_known_none_is_told(manuscript):
    pictures = []
    shown(screen(manuscript, made=0.0), seen(pictures))
    assert "It is all here. Below you see how it differs" in pictures[0]


@pytest.mark.parametrize(
    ("keys", "answer"),
    [(["down", "enter"], "recover"), (["down", "down", "enter"], "decline"), (["up", "enter"], "decline")],
)
def test_an_arrow_chooses_and_enter_answers(manuscript, keys, answer):
    answers = []
    shown(screen(manuscript, answers), *keys)
    assert answers == [answer]


def test_escape_decides_nothing(manuscript):
    answers = []
    shown(screen(manuscript, answers), "escape")
    assert answers == [None]


def test_nothing_is_written_before_the_writer_decides(manuscript):
    before = manuscript.path.read_text(), manuscript.path.stat().st_mtime_ns
    shown(screen(manuscript), "pagedown", "up", "x", "escape")
    assert (manuscript.path.read_text(), manuscript.path.stat().st_mtime_ns) == before
