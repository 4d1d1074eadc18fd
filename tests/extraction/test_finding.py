"""A writer's plain word finds somebody: by name, tag, or another word for a tag."""

from dataclasses import dataclass

import pytest

from billy_mlx.extraction.persona_search import find
from billy_mlx.vectors.card import bundled_ids, load_personas

WORDS = """
sad noir, melancholy lyrical, gloomy gothic, tragic noir, funny comic, hilarious comic, humour satirist, silly comic,
witty satirist, scary gothic, creepy gothic, spooky gothic, horror gothic, ghosts gothic, haunted gothic, dark noir,
grim noir, bleak gothic, romantic lyrical, love lyrical, romance gothic, passionate lyrical, fantasy fairy-tale,
magic fairy-tale, dragons fairy-tale, epic fairy-tale, poetic lyrical, poetry lyrical, beautiful lyrical,
old-fashioned victorian, historical victorian, classic victorian, whimsical fairy-tale, quirky dreamlike,
playful childrens, sci-fi hard-science, scifi futurist, space hard-science, robots futurist, futuristic futurist,
tense noir, suspense noir, thriller noir, cosy childrens, cozy childrens, comforting empathetic-counselor,
warm empathetic-counselor, gentle childrens, angry customer, furious environmentalist, business startup-founder,
money visionary-millionaire, corporate industry-insider, science hard-science, scientific academic-researcher,
detective noir, crime noir, murder noir, mystery gothic, kids childrens, bedtime childrens, nature naturalist,
wild environmentalist, travel digital-nomad, adventure fairy-tale, formal victorian, flowery victorian,
dreamy dreamlike, surreal dreamlike, weird dreamlike, calm naturalist, quiet minimalist, happy comic,
cheerful childrens, hopeful social-entrepreneur, kind empathetic-counselor, wise empathetic-counselor,
sarcastic satirist, ironic satirist, cynical noir, plain minimalist, terse minimalist, short minimalist,
serious victorian, logical analytical-thinker, academic academic-researcher, inspiring creative-professional,
ambitious visionary-millionaire, technology futurist, political satirist, emotional lyrical, sensual lyrical,
nostalgic lyrical, violent noir, rich visionary-millionaire, realistic minimalist, energetic startup-founder,
modern digital-nomad, supernatural gothic, artistic creative-professional, dystopian futurist, strange dreamlike
""".replace("\n", " ")
EVERYBODY = list(load_personas().personas.values())


def found(wanted):
    return [persona.id for persona in find(EVERYBODY, wanted)]


@pytest.mark.parametrize(("word", "persona_id"), [pair.split() for pair in WORDS.split(",")])
def test_a_plain_word_finds_somebody(word, persona_id):
    assert persona_id in found(word)
    assert len(found(word)) < 9


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("old fashioned", "victorian"),
        ("sci fi", "futurist"),
        ("science fiction", "hard-science"),
        ("a dark love story", "gothic"),
        ("murder mystery", "noir"),
        ("Funny", "satirist"),
        ("nature", "naturalist"),  # who is called so is not passed over for who is described so
    ],
)
def test_several_words_find_who_is_all_of_them(words, first):
    assert first in found(words)[:3]


def test_who_is_called_so_comes_first():
    assert found("comic")[0] == "comic"
    assert found("no")[0] == "noir"


def test_if_nobody_is_all_of_it_who_is_the_most_is_found():
    assert found("terse dragons")
    assert set(found("terse dragons")) == {*found("terse"), *found("dragons")}
    assert found("xyzzy") == []
    assert found("xyzzy dragons") == found("dragons")


def test_no_word_finds_everybody():
    assert found(" ") == [*bundled_ids()]


@pytest.mark.parametrize("persona", EVERYBODY, ids=lambda persona: persona.id)
def test_every_bundled_card_has_tags(persona):
    assert len(persona.tags) >= 8


def test_a_users_own_tags_are_searched():
    @dataclass
    class Card:
        id: str
        name: str
        description: str
        tags: tuple[str, ...]

    captain = Card("captain", "Sea Captain", "Old salt.", ("salty", "grumpy"))
    assert find([captain], "grum") == [captain]
