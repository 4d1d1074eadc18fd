"""The bar that finds and replaces: what it says to the page, and what it tells the writer."""

import asyncio

import pytest
from helpers.made_changes import made
from helpers.screen_host import seen, typed
from textual.app import App

from billy_mlx.tui.screens.find import FindBar

TEXT = "The cat saw a Cat. Concatenate cats."


class Page(App):
    """Holds a text, and does what the bar asks for."""

    def __init__(self, text, wanted=""):
        super().__init__()
        self.text, self.wanted, self.found, self.changes, self.closed = text, wanted, [], [], False

    def compose(self):
        yield FindBar(lambda: self.text, lambda: 0, self.wanted)

    def on_match_chosen(self, message):
        self.found.append((message.start, message.end))

    def on_replace_wanted(self, message):
        self.text = made(self.text, message.hunks)
        self.changes.append(len(message.hunks))

    def on_find_closed(self):
        self.closed = True


def found(*steps, text=TEXT, wanted="", size=(80, 24)):
    async def run():
        page = Page(text, wanted)
        async with page.run_test(size=size) as pilot:
            await pilot.pause()
            for step in steps:
                if callable(step):
                    step(pilot)
                else:
                    await pilot.press(step)
                await pilot.pause()
        return page

    return asyncio.run(run())


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
def test_what_is_typed_is_found_and_counted(size):
    pictures = []
    page = found(*typed("cat"), seen(pictures), size=size)
    assert page.found[-1] == (4, 7)
    assert "1 of 4" in pictures[0]


@pytest.mark.slow
def test_enter_down_and_up_go_round():
    page = found(*typed("cat"), "enter", "down", "down", "down", "up")
    assert page.found[-5:] == [(14, 17), (22, 25), (31, 34), (4, 7), (31, 34)]


@pytest.mark.slow
def test_capitals_and_whole_words_can_count():
    page = found(*typed("Cat"), "f5", "enter", "f5", "f6", "enter", "enter")
    assert page.found[-3:] == [(14, 17), (4, 7), (14, 17)]


def test_a_selection_is_looked_for_at_once():
    assert found("enter", wanted="saw").found[-1] == (8, 11)


@pytest.mark.slow
def test_one_place_is_replaced_and_the_next_shown_where_it_will_be():
    page = found(*typed("cat"), "tab", *typed("lion"), "enter", "enter")
    assert page.text == "The lion saw a lion. Concatenate cats."
    assert page.text[slice(*page.found[-1])] == "cat"


@pytest.mark.slow
def test_all_places_are_replaced_as_one_step():
    pictures = []
    page = found(*typed("cat"), "f6", "tab", *typed("dog"), "ctrl+t", seen(pictures))
    assert (page.text, page.changes) == ("The dog saw a dog. Concatenate cats.", [2])
    assert "2 replaced" in pictures[0]


@pytest.mark.slow
@pytest.mark.parametrize("key", ["ctrl+t", "ctrl+r"])
def test_capitals_are_kept_if_that_is_wanted(key):
    pictures = []
    page = found("f8", *typed("cat"), "down", "f6", "tab", *typed("dog"), key, seen(pictures))
    assert "saw a Dog." in page.text
    assert "[x] keep capitals" in pictures[0]


@pytest.mark.parametrize("width", [40, 80])
def test_how_and_what_is_found_are_both_to_be_read_in_a_narrow_window(width):
    pictures = []
    found(*typed("cat"), seen(pictures), size=(width, 24))
    assert all(one in pictures[0] for one in ("F7 [ ] pattern", "keep capitals", "1 of 4"))


@pytest.mark.slow
def test_a_pattern_waits_for_enter_and_knows_its_groups():
    page = found("f7", *typed(r"(\w)at\b"), "tab", *typed(r"\1ow"), "ctrl+t")
    assert page.found == []
    assert page.text == "The cow saw a Cow. Concatenate cats."


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wanted", "text", "sentence"),
    [
        ("(", TEXT, "is not a pattern"),
        ("(a|aa)+$", "a" * 60 + "!", "took more than 1 s"),
        ("dragon", TEXT, "Not found"),
    ],
)
def test_what_cannot_be_found_is_said(wanted, text, sentence):
    pictures = []
    page = found("f7", *typed(wanted), "enter", seen(pictures), text=text, size=(160, 24))
    assert page.found == []
    assert sentence in pictures[0]


def test_replacing_nothing_changes_nothing():
    page = found("ctrl+t", "ctrl+r", "down", "up")
    assert (page.text, page.changes, page.found) == (TEXT, [], [])


def test_escape_says_that_the_writer_is_done():
    assert found("escape").closed
