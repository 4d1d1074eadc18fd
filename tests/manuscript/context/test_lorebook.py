"""What the model is told when the text speaks of it."""

import pytest

from billy_mlx.errors import DocumentError
from billy_mlx.manuscript.context.lorebook import Entry, Lorebook, Secondary, triggered

TEXT = "Long ago there was a dragon. Ada took the lamp and went into the harbour at night."


def fires(text=TEXT, **fields):
    found = triggered(Lorebook((Entry("entry", "told", **fields),)), text)
    return [trigger.key for trigger in found.triggers]


@pytest.mark.parametrize(
    ("fields", "keys"),
    [
        ({"keys": ("lamp",)}, ["lamp"]),
        ({"keys": ("LAMP",)}, ["LAMP"]),
        ({"keys": ("LAMP",), "case_sensitive": True}, []),
        ({"keys": ("harb",)}, []),
        ({"keys": ("harb",), "whole_words": False}, ["harb"]),
        ({"keys": ("nothing", "/l[ae]mp/")}, ["/l[ae]mp/"]),
        ({"keys": ("/L.MP/i",)}, ["/L.MP/i"]),
        ({"keys": ("/L.MP/",)}, []),
        ({"keys": ("dragon",), "scan_chars": 40}, []),
        ({"keys": ("lamp",), "enabled": False}, []),
        ({"always": True}, [""]),
        ({"keys": ()}, []),
        ({"keys": (" ",)}, []),
    ],
)
def test_keys_call_for_entries(fields, keys):
    assert fires(**fields) == keys


@pytest.mark.parametrize(
    ("logic", "secondary", "called"),
    [
        (Secondary.ANY, ("Ada", "moon"), True),
        (Secondary.ANY, ("moon",), False),
        (Secondary.ALL, ("Ada", "moon"), False),
        (Secondary.ALL, ("Ada", "night"), True),
        (Secondary.NOT_ANY, ("moon",), True),
        (Secondary.NOT_ANY, ("Ada", "moon"), False),
        (Secondary.NOT_ALL, ("Ada", "moon"), True),
        (Secondary.NOT_ALL, ("Ada", "night"), False),
    ],
)
def test_second_keys_count_as_their_logic_says(logic, secondary, called):
    assert bool(fires(keys=("lamp",), secondary=secondary, logic=logic)) is called


@pytest.mark.parametrize("key", ["/(/", "/(a+)+$/", "/(?<x/", "/a{99999999}/"])
def test_a_pattern_that_is_wrong_or_takes_for_ever_is_reported(key):
    found = triggered(Lorebook((Entry("bad", "told", (key,)), Entry("good", "told", ("lamp",)))), "a" * 3000 + "! lamp")
    assert [trigger.entry.name for trigger in found.triggers] == ["good"]
    assert found.broken in ((key,), ())


def test_entries_that_fired_call_for_others_once():
    entries = (
        Entry("lamp", "It is kept by the guild.", ("lamp",)),
        Entry("guild", "Its seat is Ostend.", ("guild",)),
        Entry("Ostend", "A town.", ("Ostend",)),
    )
    names = {trigger.entry.name for trigger in triggered(Lorebook(entries, cascade=True), TEXT).triggers}
    assert names == {"lamp", "guild"}


def test_the_most_important_come_first():
    entries = tuple(Entry(str(order), "told", ("lamp",), order=order) for order in (1, 3, 2))
    assert [trigger.entry.order for trigger in triggered(Lorebook(entries), TEXT).triggers] == [3, 2, 1]


def test_a_lorebook_can_be_written_and_read_again():
    lorebook = Lorebook((Entry("a", "b", ("c",), ("d",), Secondary.ALL, scan_chars=5, order=1.5),), 100, True)
    assert Lorebook.of_json(lorebook.as_json()) == lorebook


@pytest.mark.parametrize("data", [b"", b"[]", b'{"entries": [{"name": 1, "text": ""}]}', b"[" * 100_000])
def test_what_is_no_lorebook_is_said(data):
    with pytest.raises(DocumentError, match="not a lorebook"):
        Lorebook.of_json(data)
