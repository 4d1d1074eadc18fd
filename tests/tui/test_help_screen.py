"""Help: every command with the keys that it has now, findable, and never too wide."""

import pytest
from helpers.screen_host import seen, shown, typed

from billy_mlx.tui.commands import COMMANDS
from billy_mlx.tui.keys import keys_of, shown_keys
from billy_mlx.tui.screens.help import HelpScreen, help_text


def test_every_command_is_there_with_its_keys_and_its_sentence():
    text = " ".join(help_text({}).plain.split())
    for command in COMMANDS:
        assert f"{command.title}: {command.help}" in text
        assert shown_keys(command.keys) in text


def test_no_line_is_wider_than_a_narrow_terminal():
    widest = {command.name: "ctrl+shift+pagedown,ctrl+shift+question_mark" for command in COMMANDS}
    for keys in ({}, widest):
        assert max(map(len, help_text(keys).plain.split("\n"))) <= 76


def test_keys_that_were_changed_are_shown_everywhere():
    text = help_text({"continue": "f4"}).plain
    assert "Press F4 where you want the voices to continue" in text
    assert "Press Ctrl+G" not in text


def test_selecting_and_copying_are_explained():
    assert "F7 selects the whole text. Ctrl+C" in " ".join(help_text({}).plain.split())
    assert "F6 selects the whole text" in help_text({"select-all": "f6"}).plain


def test_a_command_without_keys_is_found_by_its_name():
    text = " ".join(help_text({"command-palette": "f6"}).plain.split())
    assert keys_of(next(one for one in COMMANDS if one.name == "export"), {}) == ""
    assert "F6 and its name Export:" in text


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
def test_typing_leaves_what_has_to_do_with_it(size):
    pictures = []
    shown(HelpScreen({}), seen(pictures), *typed("EPUB"), seen(pictures), size=size)
    assert "How it works Write. Press Ctrl+G" in pictures[0]
    assert "Export: Save a copy as Word, EPUB" in pictures[1]
    assert "Write. Press" not in pictures[1]


def test_what_is_nowhere_is_said():
    assert "Nothing found" in help_text({}, "zzz").plain


@pytest.mark.slow
def test_arrows_scroll_while_one_types_and_escape_goes_back():
    places = []
    host = shown(HelpScreen({}), "down", "pagedown", lambda _: places.append(host_scroll(_)), "up", "pageup", "escape")
    assert places[0] > 10
    assert host.given == [None]


def host_scroll(pilot):
    return pilot.app.screen.query_one("VerticalScroll").scroll_y
