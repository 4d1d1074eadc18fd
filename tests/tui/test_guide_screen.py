"""Memory, author's note and lorebook: typed, imported, kept or thrown away."""

import json

import pytest
from helpers.screen_host import filled, seen, shown, told, typed

from billy_mlx.formats.lorebooks.lorebook import Entry, Lorebook
from billy_mlx.manuscript.context.guide import Guide
from billy_mlx.tui.screens.guide import GuideScreen

BOOK = Lorebook((Entry("Mira", "A smith.", ("Mira", "the smith")), Entry("Forge", "Hot.", always=True)))
GUIDE = Guide("It is winter.", "Short sentences.", 2, BOOK)


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
def test_everything_is_on_the_screen(size):
    pictures = []
    shown(GuideScreen(GUIDE), seen(pictures), size=size)
    for text in ("It is winter.", "Short sentences.", "[x] Mira: Mira, the smith", "[x] Forge: always"):
        assert text in pictures[0]


@pytest.mark.slow
def test_what_is_typed_is_given():
    host = shown(GuideScreen(Guide()), *typed("snow"), "tab", *typed("dry"), "tab", "backspace", "7", "ctrl+s")
    assert host.given == [Guide("snow", "dry", 7)]


def test_nothing_is_given_where_nothing_was_changed():
    assert shown(GuideScreen(GUIDE), "escape").given == [None]
    assert shown(GuideScreen(GUIDE), "ctrl+s").given == [None]


@pytest.mark.slow
def test_leaving_asks_whether_to_keep_what_was_changed():
    assert shown(GuideScreen(Guide()), "x", "escape", "right", "enter").given == [Guide("x")]
    assert shown(GuideScreen(Guide()), "x", "escape", "enter").given == [None]


@pytest.mark.slow
def test_escape_in_the_question_throws_nothing_away():
    assert shown(GuideScreen(Guide()), "x", "escape", "escape", "y", "ctrl+s").given == [Guide("xy")]


@pytest.mark.slow
def test_an_entry_is_turned_off_by_enter():
    (guide,) = shown(GuideScreen(GUIDE), "tab", "tab", "tab", "down", "up", "enter", "ctrl+s").given
    assert [entry.enabled for entry in guide.lorebook.entries] == [False, True]


@pytest.mark.slow
@pytest.mark.parametrize("depth", ["0", "1001", ""])
def test_a_paragraph_that_cannot_be_is_refused_in_words(depth):
    host = shown(GuideScreen(Guide()), "tab", "tab", "backspace", *depth, "ctrl+s")
    assert host.given == []
    assert "1 to 1,000 paragraphs" in told(host)


def test_a_lorebook_is_taken_in_beside_what_is_there(tmp_path):
    path = tmp_path / "lore.json"
    path.write_text(json.dumps(BOOK.as_json()))
    host = shown(GuideScreen(GUIDE), "ctrl+o", filled(str(path)), "enter", "ctrl+s")
    assert host.given[0].lorebook.entries == BOOK.entries * 2
    assert "2 entries were imported" in told(host)


def test_what_is_lost_of_a_lorebook_stays_on_the_screen_before_anything_is_kept(tmp_path):
    path, pictures = tmp_path / "lore.json", []
    path.write_text(
        json.dumps({"entries": {"0": {"key": ["a"], "content": "x", "probability": 5}, "1": {"key": ["b"]}}})
    )
    host = shown(GuideScreen(GUIDE), "ctrl+o", filled(str(path)), "enter", seen(pictures), "ctrl+s")
    assert "1 entry was imported" in told(host)
    assert "1 of 1 entries fired only by chance" in pictures[0]
    assert "entry 2 (b) has no text" in pictures[0]
    assert [entry.text for entry in host.given[0].lorebook.entries] == ["A smith.", "Hot.", "x"]


@pytest.mark.parametrize(("content", "sentence"), [(None, "does not exist"), ("{}", "is not a lorebook")])
def test_a_file_that_is_no_lorebook_is_told(tmp_path, content, sentence):
    path = tmp_path / "lore.json"
    if content is not None:
        path.write_text(content)
    host = shown(GuideScreen(GUIDE), "ctrl+o", filled(str(path)), "enter")
    assert sentence in told(host)
    assert host.given == []


def test_what_is_pasted_holds_nothing_that_a_terminal_obeys():
    paste = lambda pilot: pilot.app.screen.focused.insert("a\x1b[31mb")  # noqa: E731
    assert shown(GuideScreen(Guide()), paste, "ctrl+s").given == [Guide("a␛[31mb")]
