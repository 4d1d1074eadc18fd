"""The search for a persona: who is called so comes before who is only described so."""

from dataclasses import replace

import pytest
from helpers.screen_host import seen, shown, typed

from billy_mlx.engine.messages import VectorInfo
from billy_mlx.tui.widgets.persona_list import OWN, WRITING, PersonaEntry, PersonaSearch
from billy_mlx.vectors.card import get_persona

CAST = (
    PersonaEntry("noir", "Noir", "The tired voice of a detective.", WRITING, None, None),
    PersonaEntry("clerk", "Tired Clerk", "Counts the days.", OWN, None, None),
)


@pytest.mark.slow
@pytest.mark.parametrize(("words", "found"), [("tired", "clerk"), ("detective", "noir"), ("tired voice", "noir")])
def test_a_name_is_found_before_a_description(words, found):
    assert shown(PersonaSearch(CAST), *typed(words), "enter").given == [found]


def test_who_speaks_already_is_said_to_and_nobody_is_taken():
    pictures = []
    host = shown(PersonaSearch(CAST, ["noir"]), *typed("noir"), "enter", seen(pictures))
    assert host.given == []
    assert "Noir is in the blend already." in pictures[0]


def test_nothing_is_said_of_who_was_shown_before_more_was_typed():
    def type_fast(pilot):
        for text in ("n", "nobody of this name"):
            pilot.app.screen.focused.value = text

    pictures = []
    shown(PersonaSearch(CAST), type_fast, seen(pictures))
    assert "No persona matches." in pictures[0]


def test_a_mood_finds_somebody_and_the_words_are_shown():
    gothic = replace(CAST[0], persona=get_persona("gothic"), note=VectorInfo("noir", strength=1.0))
    pictures = []
    host = shown(PersonaSearch([CAST[1], gothic]), *typed("creepy"), seen(pictures), "enter")
    assert host.given == ["noir"]
    assert "scary, horror, dark, haunted" in pictures[0]
