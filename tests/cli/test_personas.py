"""billy personas: bundled cards and one's own, good and bad."""

import json
from pathlib import Path

import pytest

from billy_mlx import paths
from billy_mlx.vectors.card import bundled_ids, read_card

PROMPTS = [argument for number in range(5) for argument in ("--prompt", f"Be a sailor in the way of number {number}.")]


@pytest.fixture
def bad_card(billy_home):
    paths.personas_folder().mkdir(parents=True)
    path = paths.personas_folder() / "broken.toml"
    path.write_text('id = "broken"\nnmae = "x"\n')
    return path


def test_all_personas_are_listed(billy):
    out = billy("personas", "list").out
    assert [line.split()[0] for line in out.splitlines()[1:]] == [*bundled_ids()]


def test_the_list_as_json_has_the_whole_cards(billy):
    cards = json.loads(billy("personas", "list", "--json").out)
    assert all(len(card["prompts"]) == 5 for card in cards)


def test_a_bad_card_of_ones_own_is_warned_of_and_the_others_still_listed(billy, bad_card):
    done = billy("personas", "list")
    assert (done.code, len(done.out.splitlines())) == (0, 25)
    assert str(bad_card) in done.err


def test_a_card_is_shown_with_its_prompts(billy):
    out = billy("personas", "show", "noir").out
    assert all(prompt in out for prompt in json.loads(billy("personas", "show", "noir", "--json").out)["prompts"])


def test_an_unknown_persona_is_answered_with_those_spelt_alike(billy):
    done = billy("personas", "show", "nior")
    assert done.code == 2
    assert "did you mean noir" in done.err


def test_a_new_card_reads_back_as_given(billy):
    path = billy("personas", "new", "sailor", "--name", "Old Sailor", "--description", "Salt.", *PROMPTS).out.strip()
    card = read_card(Path(path))
    assert (card.name, card.description, card.prompts[4]) == ("Old Sailor", "Salt.", PROMPTS[-1])


def test_a_new_card_without_prompts_has_some_to_begin_from(billy):
    done = billy("personas", "new", "sailor", "--name", "Old Sailor")
    assert all("Old Sailor" in prompt for prompt in read_card(Path(done.out.strip())).prompts[:3])
    assert "edit the prompts" in done.err


def test_a_description_goes_into_every_prompt(billy):
    done = billy("personas", "new", "sailor", "--description", "an old salt.  He hates tea")
    card = read_card(Path(done.out.strip()))
    assert card.description == "An old salt."
    assert all("An old salt. He hates tea." in prompt for prompt in card.prompts)
    assert "edit the prompts" not in done.err


def test_a_new_card_never_replaces_one(billy):
    path = Path(billy("personas", "new", "sailor").out.strip())
    before = path.read_text()
    assert billy("personas", "new", "sailor", "--name", "Another").code == 1
    assert path.read_text() == before


def test_an_id_that_would_leave_the_folder_is_refused(billy, billy_home):
    assert billy("personas", "new", "../../sailor").code == 1
    assert not list(billy_home.rglob("*.toml"))


def test_prompts_are_five_or_none(billy):
    assert "and 1 are given" in billy("personas", "new", "sailor", *PROMPTS[:2]).err


def test_each_bad_card_gets_a_sentence_and_the_good_ones_are_named(billy, bad_card):
    good = billy("personas", "new", "sailor").out.strip()
    done = billy("personas", "check", str(bad_card), good, "noir", "nior", "nowhere.toml")
    assert done.code == 1
    assert done.out == f"{good}: good (Sailor)\nnoir: good (Noir)\n"
    assert len(done.err.splitlines()) == 3
    assert "did you mean noir" in done.err
    assert done.err.endswith("nowhere.toml: there is no such file\n")


def test_the_list_is_searched_by_mood_and_genre(billy):
    listed = billy("personas", "list", "scary").out.splitlines()[1:]
    assert [line.split()[0] for line in listed] == ["gothic"]
    assert "Found by: scary, horror" in billy("personas", "show", "gothic").out
    nobody = billy("personas", "list", "xyzzy")
    assert "no persona is like that" in nobody.err
