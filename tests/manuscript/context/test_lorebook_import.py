"""Lorebooks of other programs are read, or refused in a sentence."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.errors import DocumentError
from billy_mlx.manuscript.context.lorebook import Entry, Lorebook, Secondary
from billy_mlx.manuscript.context.lorebook_import import MAX_BYTES, MAX_ENTRIES, read_lorebook

NOVELAI = {
    "lorebookVersion": 5,
    "entries": [
        {
            "text": "Ada keeps the light.",
            "contextConfig": {"prefix": "", "suffix": "\n", "tokenBudget": 2048, "budgetPriority": 400},
            "displayName": "Ada",
            "keys": ["Ada", "keeper"],
            "searchRange": 1000,
            "enabled": True,
            "forceActivation": False,
            "keyRelative": False,
            "category": "people",
            "id": "1",
        },
        {"text": "Asleep.", "displayName": "Off", "keys": ["off"], "enabled": True, "category": "gone"},
    ],
    "categories": [{"id": "people", "enabled": True}, {"id": "gone", "enabled": False}],
    "settings": {"orderByKeyLocations": False},
}
SILLYTAVERN = {
    "entries": {
        "0": {
            "uid": 0,
            "key": ["lamp"],
            "keysecondary": ["oil"],
            "selective": True,
            "selectiveLogic": 3,
            "comment": "The lamp",
            "content": "It burns whale oil.",
            "constant": False,
            "disable": False,
            "order": 100,
            "probability": 50,
            "useProbability": True,
            "caseSensitive": None,
            "matchWholeWords": True,
            "scanDepth": 4,
        }
    }
}
BOOK = {
    "entries": [
        {
            "keys": ["fog"],
            "secondary_keys": ["sea"],
            "selective": True,
            "content": "Fog comes from the sea.",
            "name": "Fog",
            "enabled": True,
            "constant": True,
            "case_sensitive": True,
            "insertion_order": 7,
        }
    ]
}


def read(content):
    return read_lorebook(json.dumps(content).encode(), "book.json")


def test_novelais_entries_come_over():
    lorebook, notes = read(NOVELAI)
    assert lorebook.entries[0] == Entry("Ada", "Ada keeps the light.", ("Ada", "keeper"), scan_chars=1000, order=400.0)
    assert lorebook.entries[1].enabled is False
    assert notes == ()


def test_sillytaverns_entries_come_over_and_what_does_not_is_said():
    lorebook, notes = read(SILLYTAVERN)
    assert lorebook.entries == (
        Entry("The lamp", "It burns whale oil.", ("lamp",), ("oil",), Secondary.ALL, order=100.0),
    )
    assert len(notes) == 2
    assert "by chance" in notes[0]


@pytest.mark.parametrize("wrapped", [BOOK, {"data": {"character_book": BOOK}}, {"character_book": BOOK}])
def test_character_books_come_over_also_out_of_cards(wrapped):
    (entry,) = read(wrapped)[0].entries
    assert (entry.name, entry.keys, entry.secondary, entry.always) == ("Fog", ("fog",), ("sea",), True)
    assert (entry.case_sensitive, entry.order) == (True, 7.0)


def test_our_own_come_back_as_they_were():
    lorebook = Lorebook((Entry("a", "b", ("c",)),), 77, True)
    assert read_lorebook(lorebook.as_json(), "x") == (lorebook, ())


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff", b"1", b"{}", b"[]", b'{"entries": 1}', b"[" * 100_000, b'{"entries": {"0": {"order": NaN}}}'],
)
def test_anything_else_is_refused_in_a_sentence(data):
    with pytest.raises(DocumentError, match=r"book\.json (is|has) .*choose"):
        read_lorebook(data, "book.json")


def test_size_is_bounded():
    with pytest.raises(DocumentError, match="MiB"):
        read_lorebook(b" " * (MAX_BYTES + 1), "book.json")
    with pytest.raises(DocumentError, match="entries"):
        read({"entries": [{}] * (MAX_ENTRIES + 1)})


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(base=st.sampled_from([NOVELAI, SILLYTAVERN, BOOK]), data=st.data())
def test_whatever_a_field_holds_there_is_a_lorebook_or_a_sentence(base, data):
    content = json.loads(json.dumps(base))
    entries = content["entries"]
    where = data.draw(st.sampled_from(["file", "entry"]))
    target = content if where == "file" else next(iter(entries.values())) if isinstance(entries, dict) else entries[0]
    target[data.draw(st.sampled_from(sorted(target)))] = data.draw(JUNK)
    try:
        lorebook, _ = read(content)
    except DocumentError:
        return
    assert Lorebook.of_json(lorebook.as_json()) == lorebook


@given(at=st.integers(0, 600), byte=st.integers(0, 255))
def test_whatever_a_byte_is_there_is_a_lorebook_or_a_sentence(at, byte):
    content = bytearray(json.dumps(NOVELAI).encode())
    content[at % len(content)] = byte
    with contextlib.suppress(DocumentError):
        assert read_lorebook(bytes(content), "x")[0].entries
