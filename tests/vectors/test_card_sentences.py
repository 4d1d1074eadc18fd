"""The sentences written by hand: enough of them for every card, and whose they are."""

import re
from dataclasses import replace

import pytest

from billy_mlx.errors import CardError
from billy_mlx.vectors.card import (
    bundled_folder,
    bundled_ids,
    get_persona,
    load_personas,
    load_sentences,
    sentences_of,
)
from billy_mlx.vectors.new_card import new_persona, write_card

TEXT = (bundled_folder() / "sentences.toml").read_text(encoding="utf-8")


def test_every_bundled_card_has_eight_and_there_are_24_plain_ones():
    found = load_sentences()
    assert tuple(found.by_persona) == bundled_ids()
    assert {len(sentences) for sentences in found.by_persona.values()} == {8}
    assert len(found.plain) == 24


def test_no_sentence_stands_twice_and_none_says_whose_it_is():
    found = load_sentences()
    every = [*found.plain, *(each for sentences in found.by_persona.values() for each in sentences)]
    assert len(set(every)) == 24 + 24 * 8
    for persona in load_personas().personas.values():
        said = " ".join(found.by_persona[persona.id]).lower()
        assert not re.search(rf"\b({persona.id}|{re.escape(persona.name.lower())})\b", said), persona.id


def test_personas_and_nobody_write_at_the_same_length():
    found = load_sentences()
    lengths = [len(" ".join(each).split()) / len(each) for each in (found.plain, *found.by_persona.values())]
    assert all(18 <= length <= 30 for length in lengths), lengths


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TEXT.replace("noir = [", "noire = ["), "noire is not a key"),
        (TEXT.replace("noir = [", "noir = [1,"), "noir must have 8 entries; it has 9"),
        (TEXT.replace("plain = [", "plane = ["), "plane is not a key"),
        (TEXT[TEXT.index("]") + 1 :], "plain is missing"),
        ("plain = []", "plain must have 2 to 200 entries"),
    ],
)
def test_a_set_is_read_as_strictly_as_a_card(tmp_path, text, said):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CardError, match=said):
        load_sentences(path)


def test_a_bundled_card_has_those_of_the_file(tmp_path):
    found = load_sentences()
    assert sentences_of(get_persona("noir", tmp_path), found) == found.by_persona["noir"]


def test_a_users_card_has_its_own_or_none_whatever_its_id(tmp_path):
    own = replace(new_persona("noir", tmp_path), sentences=("It rained.", "It still rains."))
    write_card(tmp_path / "noir.toml", own)
    write_card(tmp_path / "gothic.toml", new_persona("gothic", tmp_path))
    found = load_sentences()
    assert sentences_of(get_persona("noir", tmp_path), found) == own.sentences
    assert sentences_of(get_persona("gothic", tmp_path), found) == ()
