"""Lorebooks of other programs are read, or refused in a sentence."""

import contextlib
import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.errors import DocumentError
from billy_mlx.formats.lorebooks.foreign_lorebook import read_lorebook
from billy_mlx.formats.lorebooks.lorebook import MOST_ENTRIES, Entry, Lorebook

NOVELAI = {
    "lorebookVersion": 5,
    "entries": [
        {
            "text": "Mira is tall.",
            "contextConfig": {"prefix": "[ ", "suffix": " ]\n", "budgetPriority": 400, "insertionPosition": -1},
            "displayName": "Mira",
            "keys": ["Mira", "/her tower/i"],
            "searchRange": 1000,
            "enabled": True,
            "forceActivation": False,
            "keyRelative": False,
            "nonStoryActivatable": True,
            "category": "people",
            "loreBiasGroups": [{"phrases": [], "bias": 0}],
        },
        {"text": "Gone.", "keys": ["gone"], "enabled": True, "category": "off", "forceActivation": True},
    ],
    "categories": [{"id": "people", "enabled": True}, {"id": "off", "enabled": False}],
    "settings": {"orderByKeyLocations": False},
}
SILLYTAVERN = {
    "entries": {
        "7": {
            "uid": 7,
            "key": ["lamp"],
            "keysecondary": ["oil"],
            "selective": True,
            "selectiveLogic": 3,
            "comment": "The lamp",
            "content": "It burns {{oil}}.",
            "constant": False,
            "disable": True,
            "order": 100,
            "position": 4,
            "depth": 4,
            "scanDepth": 2,
            "probability": 50,
            "useProbability": True,
            "caseSensitive": True,
            "matchWholeWords": None,
            "sticky": 2,
        }
    }
}
BOOK = {
    "scan_depth": 4,
    "recursive_scanning": True,
    "entries": [
        {
            "keys": ["fog"],
            "secondary_keys": ["sea"],
            "selective": True,
            "content": "It comes from the sea.",
            "name": "Fog",
            "enabled": True,
            "constant": True,
            "case_sensitive": True,
            "insertion_order": 7,
            "extensions": {"selectiveLogic": 2, "match_whole_words": True, "probability": 100},
        }
    ],
}
CARD = {"spec": "chara_card_v2", "spec_version": "2.0", "data": {"name": "Ada", "character_book": BOOK}}
FOG = Entry(
    "Fog",
    "It comes from the sea.",
    ("fog",),
    ("sea",),
    "not any",
    always=True,
    case_sensitive=True,
    order=7,
    cascade=True,
)


def read(content):
    return read_lorebook(json.dumps(content).encode(), "book.json")


def test_novelais_entries_come_over():
    book, lost = read(NOVELAI)
    mira = Entry("Mira", "[ Mira is tall. ]", ("Mira", "/her tower/i"), scan_chars=1000, order=400, cascade=True)
    assert book.entries == (mira, Entry("gone", "Gone.", ("gone",), enabled=False, always=True))
    assert lost == ()


def test_sillytaverns_entries_come_over_and_what_does_not_is_said():
    book, lost = read(SILLYTAVERN)
    lamp = Entry("The lamp", "It burns {{oil}}.", ("lamp",), ("oil",), "all", enabled=False, case_sensitive=True)
    assert book.entries == (Entry(**{**vars(lamp), "whole_words": False, "order": 100}),)
    assert len(lost) == 5
    assert all(sentence.startswith("1 of 1 entries ") for sentence in lost)


@pytest.mark.parametrize("wrapped", [BOOK, CARD, {"spec": "lorebook_v3", "data": BOOK}])
def test_the_book_of_a_card_comes_over(wrapped):
    book, lost = read(wrapped)
    assert book.entries == (FOG,)
    assert len(lost) == 1


def test_priority_counts_only_if_all_entries_have_it():
    plain = {"keys": ["a"], "content": "b", "insertion_order": 1}
    assert [one.order for one in read({"entries": [{**plain, "priority": 9}, plain]})[0].entries] == [1, 1]
    assert [one.order for one in read({"entries": [{**plain, "priority": 9}]})[0].entries] == [9]


def test_our_own_come_back_as_they_were():
    book = Lorebook((FOG,), 77)
    assert read_lorebook(b"\xef\xbb\xbf" + json.dumps(book.as_json()).encode(), "x") == (book, ())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"1",
        b"{}",
        b"[]",
        b"[" * 100_000,
        b"1" * 5_000,
        b"\x89PNG\r\n",
        b'{"data": {"name": "a card"}}',
        b'{"entries": {"0": {"order": NaN}}}',
        b'{"entries": {"0": {"order": 1e999}}}',
        b'{"entries": {"0": {"selectiveLogic": 9}}}',
        b'{"entries": {"0": {"content": 1}}}',
        b'{"entries": {"0": {}, "0": {}}}',
        b" " * ((16 << 20) + 1),
        b'{"entries": [' + b"{}," * MOST_ENTRIES + b"{}]}",
    ],
)
def test_anything_else_is_refused_in_a_sentence(data):
    with pytest.raises(DocumentError, match=r"^book␛") as caught:
        read_lorebook(data, "book\x1b")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_half_an_emoji_does_not_lose_the_lorebook():
    book, _ = read_lorebook(b'{"entries": {"0": {"content": "a\\ud83d"}}}', "x")
    assert book.entries[0].text == "a\N{REPLACEMENT CHARACTER}"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def places(content, path=()):
    """Return the paths to all that is in a file."""
    inner = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    return [path] * bool(path) + [found for key, value in inner for found in places(value, (*path, key))]


@given(st.sampled_from([NOVELAI, SILLYTAVERN, BOOK, CARD, Lorebook((FOG,)).as_json()]), st.data())
def test_a_damaged_file_is_read_or_refused(content, data):
    content = copy.deepcopy(content)
    *above, last = data.draw(st.sampled_from(places(content)))
    inner = content
    for key in above:
        inner = inner[key]
    inner[last] = data.draw(ANYTHING)
    with contextlib.suppress(DocumentError):
        assert isinstance(read(content)[0], Lorebook)


@given(st.sampled_from([NOVELAI, SILLYTAVERN, CARD]), st.integers(0, 2_000), st.binary(max_size=3))
def test_damaged_bytes_are_read_or_refused(content, place, damage):
    raw = json.dumps(content).encode()
    with contextlib.suppress(DocumentError):
        read_lorebook(raw[:place] + damage + raw[place + len(damage) :], "x")
