"""What the model is sent: the account of it, and the text as it is sent."""

from dataclasses import replace

import pytest
from helpers.screen_host import seen, shown

from billy_mlx.blend.recipe import Prompt
from billy_mlx.formats.lorebooks.lorebook import Entry
from billy_mlx.manuscript.context.parts import Context, Cut, Part
from billy_mlx.manuscript.context.triggers import Trigger
from billy_mlx.tui.screens.context import ContextScreen, account, as_sent

MIRA = Entry("Mira", "Mira is a smith.", ("Mira",))
CONTEXT = Context(
    Prompt.of("Go on.", system="You write on.", prefix="Mira lit the forge"),
    (
        Part("memory", "Memory", "", 0, Cut("all", 900)),
        Part("lore", "Mira", MIRA.text, 5, trigger=Trigger(MIRA, "Mira", 0, 4)),
        Part("lore", "Forge", "It is hot.", 4, trigger=Trigger(Entry("Forge", "It is hot."), "smith", 0, 5, by="Mira")),
        Part("before", "Before the cursor", "Mira lit the forge", 30, Cut("start", 1200)),
        Part("after", "After the cursor", "She sang.", 3, Cut("end", 7)),
        Part("frame", "Fixed wording", "", 8),
    ),
    tokens=50,
    budget=100,
    held_back=" ",
    warnings=("the key x could not be looked for",),
)


@pytest.mark.parametrize(
    "sentence",
    [
        "What the model is sent: 50 of 100 tokens",
        "Memory: 0 tokens; all 900 characters left out: there was no room",
        "Mira: 5 tokens; sent because your text mentions 'Mira'",
        "Forge: 4 tokens; sent because the entry Mira mentions 'smith'",
        "Before the cursor: 30 tokens; its first 1,200 characters were cut",
        "After the cursor: 3 tokens; its last 7 characters were cut",
        "! the key x could not be looked for",
        "The space at the end of your text is not sent",
    ],
)
def test_each_part_is_accounted_for(sentence):
    assert sentence in account(CONTEXT).plain


def test_the_bar_is_as_full_as_the_budget():
    bar = account(CONTEXT).plain.split("\n")[1]
    assert len(bar) == 52
    assert bar.count("·") == 25


def test_the_text_is_shown_as_it_is_sent():
    plain = as_sent(CONTEXT).plain
    assert plain.index("You write on.") < plain.index("Go on.") < plain.index("Mira lit the forge")


def test_a_base_model_has_one_place_only_and_no_text_is_said():
    assert as_sent(Context(Prompt.of("", prefix="It was"), (), 2, 9, "")).plain.count("As sent") == 1
    assert "Nothing is sent" in as_sent(Context(Prompt(), (), 0, 9, "")).plain


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
def test_a_key_changes_between_the_two_and_escape_goes_back(size):
    pictures = []
    host = shown(ContextScreen(CONTEXT), seen(pictures), "r", seen(pictures), "r", "escape", size=size)
    assert "50 of 100 tokens" in pictures[0]
    assert "As sent: the request Go on." in pictures[1]
    assert host.given == [None]


def test_nothing_that_a_terminal_would_obey_is_shown():
    bad = Context(Prompt.of("", prefix="\x1b[31m[red]"), (Part("note", "\x1b]0;x", "\x9b1m", 1),), 1, 9, "", ("\x07",))
    assert not {"\x1b", "\x9b", "\x07"} & {*account(bad).plain, *as_sent(bad).plain}
    assert "[red]" in as_sent(bad).plain


def test_the_budget_says_why_it_is_that():
    limited = replace(CONTEXT, why="limited by reading time, 30 s; raise it in the settings to send more")
    assert (
        "At most 100 tokens, about 75 words: limited by reading time, 30 s; raise it in the settings"
        in account(limited).plain
    )
