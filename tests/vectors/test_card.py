"""The bundled cards keep their own rules, and no card from a stranger does harm."""

import re
import resource
import shutil
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from billy_mlx.errors import CardError, UsageError
from billy_mlx.extraction.common import CARDS
from billy_mlx.vectors import card
from billy_mlx.vectors.card import (
    Persona,
    bundled_ids,
    get_persona,
    load_personas,
    load_questions,
    load_sentences,
    read_card,
)
from billy_mlx.vectors.new_card import card_text, new_persona, write_card

BUNDLED = bundled_ids()
GOOD = card_text(new_persona("pirate", Path()))
HOSTILE = {
    "one huge dotted key": "a." * 20_000 + "a = 1",
    "dotted keys below a deep header": "[" + "a." * 1_900 + "a]\n" + ("a." * 400 + "b = 1\n") * 60,
    "deep nesting": "id = " + "[" * 4_000,
    "deep nesting over many lines": "id = " + "[\n" * 20_000,
    "too large": "#\n" * 40_000,
    "a number of 4400 digits": "id = " + "1_" * 2_000 + "1",
    "not a number": GOOD.replace('name = "Pirate"', "name = nan"),
    "a date": GOOD.replace('name = "Pirate"', "name = 2020-01-01"),
    "a table": GOOD.replace('name = "Pirate"', 'name = {first = "P"}'),
    "an unknown key": GOOD + 'colour = "red"\n',
    "an unknown key with escapes": GOOD + '"\\u001b[31m" = 1\n',
    "a missing key": GOOD.replace('name = "Pirate"\n', ""),
    "an empty text": GOOD.replace('name = "Pirate"', 'name = " \\u0007 "'),
    "a name of two lines": GOOD.replace('name = "Pirate"', 'name = "Pi\\nrate"'),
    "a name too long": GOOD.replace('name = "Pirate"', f'name = "{"P" * 61}"'),
    "another id than the file's": GOOD.replace('id = "pirate"', 'id = "noir"'),
    "an id that leaves the folder": GOOD.replace('id = "pirate"', 'id = "../pirate"'),
    "prompts that are text": re.sub(r"prompts = \[.*?\]", 'prompts = "Arr."', GOOD, flags=re.DOTALL),
    "four prompts": re.sub(r"prompts = \[\n.*\n", "prompts = [\n", GOOD),
    "a prompt that is a number": re.sub(r"prompts = \[\n.*\n", "prompts = [\n1,\n", GOOD),
    "the same prompt twice": re.sub(r"prompts = \[\n(.*\n).*\n", r"prompts = [\n\1\1", GOOD),
    "subject words with spaces": GOOD + 'subject_words = ["the sea"]\n',
    "one sentence": GOOD + 'sentences = ["Arr."]\n',
    "41 sentences": GOOD + f"sentences = {[f'Arr {n}.' for n in range(41)]}\n",
    "a sentence twice": GOOD + 'sentences = ["Arr.", "Arr."]\n',
    "a sentence too long": GOOD + f'sentences = ["Arr.", "{"r" * 501}"]\n',
    "a tag of two words": GOOD + 'tags = ["the sea"]\n',
    "a tag with a capital": GOOD + 'tags = ["Sea"]\n',
    "a tag that is a number": GOOD + "tags = [1]\n",
    "13 tags": GOOD + f"tags = {[f't{n}' for n in range(13)]}\n",
    "not TOML": "arr \x1b[31m",
    "a lone surrogate": 'id = "\\ud800"',
    "not UTF-8": b'id = "\xff"',
}


def put(folder: Path, persona_id: str, text: str | bytes) -> Path:
    path = folder / f"{persona_id}.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def bundled() -> dict[str, Persona]:
    found = load_personas(Path("no such folder"))
    assert not found.errors
    return dict(found.personas)


def words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]+", text.lower()))


@contextmanager
def small_files_only():
    """Let no file grow beyond 100 bytes: writing stops in the middle, as on a full disk.

    No fixture: pytest reports before it takes those down, and its own output may go to a file.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_the_24_cards_come_in_the_order_to_show_them():
    assert tuple(bundled()) == BUNDLED
    assert bundled_ids("paper")[:3] == ("creative-professional", "environmentalist", "futurist")
    assert bundled_ids("writing")[:3] == ("noir", "gothic", "minimalist")
    assert (len(bundled_ids("paper")), len(bundled_ids("writing"))) == (12, 12)
    orders = [(card.group, card.order) for card in bundled().values()]
    assert orders == [(group, order) for group in ("paper", "writing") for order in range(1, 13)]


def test_a_new_persona_is_one_file(tmp_path, monkeypatch):
    shutil.copytree(card.bundled_folder(), tmp_path / "personas", ignore=shutil.ignore_patterns("vectors", "*.py*"))
    monkeypatch.setattr(card, "bundled_folder", lambda: tmp_path / "personas")
    text = card_text(new_persona("pirate", tmp_path)).replace('group = "my own"', 'group = "writing"\norder = 13')
    (tmp_path / "personas" / "pirate.toml").write_text(text)
    card.bundled_cards.cache_clear()
    try:
        assert bundled_ids("writing")[-1] == "pirate"
        assert list(load_personas(tmp_path / "none").personas)[-1] == "pirate"
        assert get_persona("pirate", tmp_path / "none").order == 13
        assert load_sentences().by_persona.keys() == set(BUNDLED)
    finally:
        card.bundled_cards.cache_clear()


@pytest.mark.parametrize("order", ["-1", "1000", "true", '"1"', "1.5"])
def test_the_order_of_a_card_is_a_small_number(tmp_path, order):
    (tmp_path / "pirate.toml").write_text(f"{GOOD}\norder = {order}\n")
    with pytest.raises(CardError, match="must be a whole number from 0 to 999"):
        read_card(tmp_path / "pirate.toml")


def test_no_card_has_the_id_that_stands_for_the_model_alone(tmp_path):
    (tmp_path / "none.toml").write_text(GOOD.replace('id = "pirate"', 'id = "none"'))
    with pytest.raises(CardError, match="is none, which is the model alone in blends; choose another"):
        read_card(tmp_path / "none.toml")


def test_what_all_vectors_were_told_from_stays_the_same_cards():
    assert set(CARDS) <= set(BUNDLED)
    assert len(CARDS) == 24


@pytest.mark.parametrize("persona_id", BUNDLED)
def test_prompts_ask_for_the_persona_by_name_at_a_fair_length(persona_id):
    persona = bundled()[persona_id]
    for prompt in persona.prompts:
        assert persona.name.lower() in prompt.lower()
        assert 25 <= len(prompt.split()) <= 60
        assert re.search(r"\b(every|each|all|everything|always|whatever)\b", prompt, re.IGNORECASE)


def test_no_prompt_says_an_id_for_a_name():
    joined_ids = [i for i in BUNDLED if "-" in i]
    for prompt in (prompt for persona in bundled().values() for prompt in persona.prompts):
        assert "_" not in prompt
        assert not any(persona_id in prompt for persona_id in joined_ids)


def test_no_two_cards_share_a_prompt_a_name_or_a_hash():
    personas = bundled().values()
    prompts = [prompt for persona in personas for prompt in persona.prompts]
    assert len(set(prompts)) == 24 * 5
    assert len({p.name for p in personas}) == len({p.card_hash for p in personas}) == 24


def test_questions_and_neutral_prompts_say_no_personas_subject_words():
    asked = load_questions()
    said = words(" ".join(asked.questions + asked.neutral_prompts))
    for persona in bundled().values():
        hits = {word for word in said for subject in persona.subject_words if word.startswith(subject)}
        assert not hits, f"{persona.id}: {hits}"


def test_there_are_24_questions_and_five_neutral_prompts_of_a_personas_length():
    asked = load_questions()
    assert len(asked.questions) == 24
    assert len(asked.neutral_prompts) == 5
    assert all(25 <= len(prompt.split()) <= 60 for prompt in asked.neutral_prompts)


def test_subject_words_are_enough_to_count_and_none_counts_twice():
    for persona in bundled().values():
        subjects = persona.subject_words
        assert not subjects or 20 <= len(subjects) <= 40
        assert not [(a, b) for a in subjects for b in subjects if a != b and b.startswith(a)], persona.id


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_bad_card_gives_one_clean_sentence(tmp_path, text):
    with pytest.raises(CardError) as caught:
        read_card(put(tmp_path, "pirate", text))
    said = str(caught.value)
    assert "pirate.toml" in said
    assert said.isprintable()
    assert len(said) < 400 + len(str(tmp_path))


def test_what_a_card_may_hold_at_most_is_parsed_at_once(tmp_path):
    line = "a." * 49
    text = f"[{line}a]\n" + "\n".join(f"{line}b{n} = 1" for n in range(600))
    with pytest.raises(CardError, match="is not a key of this file; allowed are id, name"):
        read_card(put(tmp_path, "pirate", text))


def test_a_link_a_folder_and_nothing_are_no_cards(tmp_path):
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "link.toml").symlink_to(put(tmp_path, "pirate", GOOD))
    (tmp_path / "loop.toml").symlink_to(tmp_path / "loop.toml")
    for name in ("folder", "link", "loop", "nothing"):
        with pytest.raises(CardError, match="not a regular file"):
            read_card(tmp_path / f"{name}.toml")


def test_what_a_terminal_would_obey_is_taken_out_of_a_card(tmp_path):
    text = GOOD.replace('"Pirate"', '"Pi\\u001b]52;c;x\\u0007\\u202erate"')
    assert read_card(put(tmp_path, "pirate", text)).name == "Pi␛]52;c;xrate"


def test_a_card_saved_with_a_byte_order_mark_reads(tmp_path):
    assert read_card(put(tmp_path, "pirate", "\ufeff" + GOOD)).name == "Pirate"


def test_a_users_card_wins_in_the_place_of_the_bundled_one(tmp_path):
    put(tmp_path, "noir", GOOD.replace('"pirate"', '"noir"'))
    put(tmp_path, "pirate", GOOD)
    found = load_personas(tmp_path)
    assert tuple(found.personas) == (*BUNDLED, "pirate")
    assert not found.errors
    assert found.personas["noir"].name == get_persona("noir", tmp_path).name == "Pirate"


def test_a_bad_card_hides_no_other(tmp_path):
    put(tmp_path, "ninja", "[" * 9)
    put(tmp_path, "pirate", GOOD)
    put(tmp_path, "._pirate", b"\x00")
    found = load_personas(tmp_path)
    assert tuple(found.personas) == (*BUNDLED, "pirate")
    assert [type(error) for error in found.errors] == [CardError]
    assert "ninja" in str(found.errors[0])


def test_a_users_bad_card_is_not_passed_over_for_the_bundled_one(tmp_path):
    put(tmp_path, "noir", "[" * 9)
    with pytest.raises(CardError, match=r"noir\.toml"):
        get_persona("noir", tmp_path)


def test_the_users_folder_is_found_under_billy_home(tmp_path, monkeypatch):
    monkeypatch.setenv("BILLY_HOME", str(tmp_path))
    path = tmp_path / "data" / "personas" / "pirate.toml"
    write_card(path, new_persona("pirate", path.parent))
    assert get_persona("pirate").source == path


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("Noir", "noir"),
        ("Digital Nomad", "digital-nomad"),
        ("envirnomentalist", "environmentalist"),
        ("pirat", "pirate"),
    ],
)
def test_an_unknown_id_names_what_may_be_meant(tmp_path, asked, meant):
    put(tmp_path, "pirate", GOOD)
    with pytest.raises(UsageError, match=f"did you mean {meant}.*billy personas list"):
        get_persona(asked, tmp_path)


@pytest.mark.parametrize("asked", ["", "../noir", "noir.toml", "no\x1b[31mir", "x" * 10_000])
def test_what_is_no_id_is_refused_in_one_short_sentence(tmp_path, asked):
    with pytest.raises(UsageError) as caught:
        get_persona(asked, tmp_path)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 250


def test_a_written_card_reads_back(tmp_path):
    said = replace(bundled()["noir"], id="pirate", description='Says "arr" \\ tab\there 🏴', rubric="one\ntwo")
    said = replace(said, sentences=('Arr, says "she".', "So be it."), tags=("1720s", "sea-salt"))
    write_card(tmp_path / "pirate.toml", said)
    assert read_card(tmp_path / "pirate.toml") == said


def test_a_card_that_exists_is_kept(tmp_path):
    path = put(tmp_path, "pirate", "mine")
    with pytest.raises(CardError, match="exists and is kept"):
        write_card(path, new_persona("pirate", tmp_path))
    assert path.read_text() == "mine"


def test_a_card_that_would_not_read_back_is_not_written(tmp_path):
    with pytest.raises(CardError, match="must have 5 entries"):
        write_card(tmp_path / "pirate.toml", replace(new_persona("pirate", tmp_path), prompts=("Arr.",)))
    assert not list(tmp_path.iterdir())


def test_a_disk_that_is_full_leaves_no_half_card(tmp_path):
    with small_files_only(), pytest.raises(CardError, match="cannot be written"):
        write_card(tmp_path / "pirate.toml", new_persona("pirate", tmp_path))
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_said_to_be_so(tmp_path):
    with pytest.raises(CardError, match="cannot be written"):
        write_card(put(tmp_path, "file", "") / "pirate.toml", new_persona("pirate", tmp_path))


def test_the_hash_follows_the_meaning_of_a_card():
    noir = bundled()["noir"]
    assert replace(noir, description="x", source=Path("y")).card_hash == noir.card_hash
    assert replace(noir, prompts=noir.prompts[::-1]).card_hash != noir.card_hash


def test_a_vector_stays_good_whatever_is_only_measured_or_searched_by(tmp_path):
    more = GOOD + 'sentences = ["Arr.", "Aye."]\ntags = ["sea"]\nsubject_words = ["rum"]\n'
    card, plain = read_card(put(tmp_path, "pirate", more)), new_persona("pirate", tmp_path)
    assert (card.sentences, card.tags) == (("Arr.", "Aye."), ("sea",))
    assert card != plain
    assert card.card_hash == plain.card_hash


def test_a_question_set_is_read_as_strictly_as_a_card(tmp_path):
    with pytest.raises(CardError, match="neutral_prompts must have 5 entries; it has 1"):
        load_questions(put(tmp_path, "mine", 'questions = ["a", "b"]\nneutral_prompts = ["c"]'))
