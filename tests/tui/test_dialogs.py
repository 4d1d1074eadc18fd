"""The two small questions."""

import pytest
from helpers.screen_host import filled, seen, shown, typed

from billy_mlx.tui.screens.dialogs import Ask, Confirm


def refuse_short(text):
    return None if len(text) > 2 else "give it three letters at least"


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
def test_a_line_is_asked_for_and_given(size):
    pictures = []
    host = shown(Ask("What is [b]her[/b] name?", "Mi"), seen(pictures), *typed("ra"), "enter", size=size)
    assert "What is [b]her[/b] name?" in pictures[0]
    assert host.given == ["Mira"]


def test_what_will_not_do_is_said_and_asked_again():
    pictures = []
    host = shown(Ask("Name?", "", refuse_short), "a", "enter", seen(pictures), *typed("da"), "enter")
    assert "! give it three letters at least" in pictures[0]
    assert host.given == ["ada"]


def test_escape_gives_nothing():
    assert shown(Ask("Name?", "Mira"), "escape").given == [None]
    assert shown(Confirm("Sure?"), "escape").given == [None]


def test_nothing_that_a_terminal_obeys_is_asked_or_given():
    assert shown(Ask("\x1b[2J", "a\x1b"), filled("b\x1b[2J\nc"), "enter").given == ["b␛[2J c"]


def test_yes_has_to_be_chosen():
    assert shown(Confirm("Throw it away?", "Throw", "Keep"), "enter").given == [False]
    assert shown(Confirm("Throw it away?", "Throw", "Keep"), "right", "enter").given == [True]
