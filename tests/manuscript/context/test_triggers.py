"""What fires in a lorebook."""

import pytest
from helpers.lorebook_samples import LOREBOOKS
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.formats.lorebooks.lorebook import MOST_ENTRIES, Entry, Lorebook
from billy_mlx.manuscript.context.key_search import Scan
from billy_mlx.manuscript.context.triggers import scanned

TEXT = "Long ago there was a dragon. Mira O’Brien took the lamp to 東京駅 at night."


def fires(text=TEXT, **fields):
    return [trigger.key for trigger in scanned(Lorebook((Entry("one", "told", **fields),)), text).triggers]


@pytest.mark.parametrize(
    ("fields", "fired"),
    [
        ({"keys": ("lamp",)}, ["lamp"]),
        ({"keys": ("LAMP",)}, ["LAMP"]),
        ({"keys": ("LAMP",), "case_sensitive": True}, []),
        ({"keys": ("lam",)}, []),
        ({"keys": ("lam",), "whole_words": False}, ["lam"]),
        ({"keys": ("O'Brien",)}, ["O'Brien"]),
        ({"keys": ("東京",)}, ["東京"]),
        ({"keys": ("moon", "/l[ae]mp/")}, ["/l[ae]mp/"]),
        ({"keys": ("/L.MP/",)}, []),
        ({"keys": ("/L.MP/i",)}, ["/L.MP/i"]),
        ({"keys": ("dragon",), "scan_chars": 40}, []),
        ({"keys": ("lamp",), "enabled": False}, []),
        ({"always": True}, [None]),
        ({}, []),
    ],
)
def test_keys_set_entries_off(fields, fired):
    assert fires(**fields) == fired


@pytest.mark.parametrize(
    ("combine", "secondary_keys", "fired"),
    [
        ("any", ("night", "moon"), True),
        ("any", ("moon",), False),
        ("all", ("night", "Mira"), True),
        ("all", ("night", "moon"), False),
        ("not any", ("moon",), True),
        ("not any", ("night", "moon"), False),
        ("not all", ("night", "moon"), True),
        ("not all", ("night", "Mira"), False),
    ],
)
def test_secondary_keys_decide_as_they_are_combined(combine, secondary_keys, fired):
    assert bool(fires(keys=("lamp",), secondary_keys=secondary_keys, combine=combine)) is fired


def test_a_trigger_says_where_the_last_place_of_the_key_is():
    (trigger,) = scanned(Lorebook((Entry("one", "told", ("a",)),)), "a b " * 5_000 + "c").triggers
    assert (trigger.start, trigger.end) == (19_996, 19_997)


def test_entries_that_fire_set_others_off_once():
    lamp = Entry("lamp", "Kept by the guild.", ("lamp",))
    guild = Entry("guild", "Its seat is Ostend.", ("guild",), cascade=True)
    town = Entry("Ostend", "A town.", ("Ostend",), cascade=True)
    first, second = scanned(Lorebook((lamp, guild, town)), TEXT).triggers
    assert (first.entry, first.by, second.entry, second.by) == (lamp, None, guild, "lamp")
    assert lamp.text[second.start : second.end] == "guild"


@pytest.mark.parametrize("key", ["/(/", "/(?<x/", "/a{99999999}/", "/(a{999}){999}/", "/a/k", "/(?:a|aa|aaa)+b/"])
def test_a_pattern_that_is_broken_or_takes_for_ever_fires_nothing_and_is_reported(key):
    book = Lorebook((Entry("bad", "told", (key,)), Entry("good", "told", ("lamp",))))
    found = scanned(book, "a" * 1_000 + " lamp")
    assert [trigger.entry.name for trigger in found.triggers] == ["good"]
    assert len(found.faults) == 1


def test_all_patterns_together_have_a_time_limit():
    slow = Lorebook(tuple(Entry(f"{n}", "told", (f"/(?:a|aa|aaa)+b{n}/",)) for n in range(200)))
    assert len(scanned(slow, "a" * 1_000).faults) == 200  # which would be ten seconds


def test_a_full_lorebook_is_scanned_in_bounded_time():
    entries = tuple(Entry(f"{n}", "told fox", (f"name{n}", "fox"), cascade=n % 2 == 0) for n in range(MOST_ENTRIES))
    assert len(scanned(Lorebook(entries), "The fox.").triggers) == MOST_ENTRIES


@pytest.mark.slow
@given(LOREBOOKS, st.text())
def test_what_fires_is_there(book, text):
    for trigger in scanned(book, text).triggers:
        assert trigger.entry.always or trigger.key in trigger.entry.keys
        assert 0 <= trigger.start <= trigger.end <= max(len(text), *(len(entry.text) for entry in book.entries))


class Counted(str):
    """A text that counts how often it is gone through."""

    times = 0

    def translate(self, table):
        self.times += 1
        return super().translate(table)


def test_a_text_is_made_ready_once_for_all_keys():
    text, scan = Counted("Nobody lit the lamp."), Scan()
    found = [scan.find(text, key, case_sensitive=False, whole_words=True) for key in ("LAMP", "fog", "“sea”") * 100]
    assert found == [(15, 19), None, None] * 100
    assert text.times == 1
