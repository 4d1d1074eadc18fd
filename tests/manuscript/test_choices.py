"""Blind choices: kept for all texts together, private, and counted voice against the model alone."""

import os
import stat

import pytest

from billy_mlx.errors import BillyError
from billy_mlx.manuscript import choices
from billy_mlx.manuscript.choices import Choice, Tally, choices_file, keep_choice, read_choices, tallies

NOIR, GOTHIC, ALONE = "noir:1@1/layered", "gothic:1@1/layered", "none"
WROTE = [(NOIR, " It rained."), (ALONE, " It was late."), (GOTHIC, " A bell rang.")]


def chosen(*offered, kept, model="tiny"):
    return Choice("2026-01-02T03:04:05+00:00", model, offered, kept)


def test_nothing_is_there_before_the_first_choice(billy_home):
    assert read_choices() == choices.Sound()


def test_choices_are_kept_in_order_with_who_was_offered(billy_home):
    keep_choice(WROTE, 1, "tiny")
    keep_choice(WROTE[:2], None, "tiny")
    found = read_choices().lines
    assert [(one.offered, one.kept, one.model) for one in found] == [
        ((NOIR, ALONE, GOTHIC), 1, "tiny"),
        ((NOIR, ALONE), None, "tiny"),
    ]


def test_only_the_owner_may_read_them_and_no_word_of_a_text_is_in_them(billy_home):
    before = os.umask(0)
    try:
        keep_choice(WROTE, 1, "tiny")
    finally:
        os.umask(before)
    assert stat.S_IMODE(choices_file().stat().st_mode) == 0o600
    assert "rained" not in choices_file().read_text()


def test_a_file_that_others_may_read_becomes_private(billy_home):
    keep_choice(WROTE, 1, "tiny")
    choices_file().chmod(0o644)
    keep_choice(WROTE, 1, "tiny")
    assert stat.S_IMODE(choices_file().stat().st_mode) == 0o600


def test_who_wrote_nothing_was_not_offered(billy_home):
    keep_choice([(NOIR, " \n"), (GOTHIC, " A bell."), (ALONE, " It was.")], 2, "tiny")
    keep_choice([(NOIR, ""), (ALONE, " It was.")], 1, "tiny")
    (found,) = read_choices().lines
    assert (found.offered, found.kept) == ((GOTHIC, ALONE), 1)


@pytest.mark.parametrize(
    "damage",
    [
        b"{",
        b"\xff\xfe",
        b"[]",
        b"[" * 100_000,
        b'{"at":"","model":"tiny","offered":["none","a"],"kept":2}',
        b'{"at":"","model":"tiny","offered":["none","a"],"kept":-1}',
        b'{"at":"","model":"tiny","offered":["none","none"],"kept":0}',
        b'{"at":"","model":"tiny","offered":["none"],"kept":0}',
        b'{"at":"","model":"tiny","offered":["none",""],"kept":0}',
    ],
    ids=lambda line: repr(line[:60]),
)
def test_a_damaged_line_is_left_out_and_counted(billy_home, damage):
    keep_choice(WROTE, 0, "tiny")
    with choices_file().open("ab") as file:
        file.write(damage + b"\n")
    keep_choice(WROTE, 2, "tiny")
    found = read_choices()
    assert ([one.kept for one in found.lines], found.damaged) == ([0, 2], 1)


def test_a_torn_last_line_spoils_no_other(billy_home):
    keep_choice(WROTE, 0, "tiny")
    whole = choices_file().read_bytes()
    for length in range(1, len(whole)):
        choices_file().write_bytes(whole + whole[:length])
        keep_choice(WROTE, 2, "tiny")
        kept = [one.kept for one in read_choices().lines]
        assert kept == ([0, 0, 2] if length == len(whole) - 1 else [0, 2])


def test_of_a_long_file_the_newest_are_read(billy_home, monkeypatch):
    for kept in (0, 1, 2):
        keep_choice(WROTE, kept, "tiny")
    monkeypatch.setattr(choices, "_MOST_BYTES", choices_file().stat().st_size - 5)
    found = read_choices()
    assert ([one.kept for one in found.lines], found.damaged, found.cut) == ([1, 2], 0, True)


def test_a_file_that_cannot_be_read_or_written_is_said(billy_home):
    choices_file().mkdir(parents=True)
    with pytest.raises(BillyError, match="put that right"):
        read_choices()
    with pytest.raises(BillyError, match="was not saved"):
        keep_choice(WROTE, 1, "tiny")


def test_each_voice_is_counted_against_the_model_alone():
    found = tallies(
        [
            chosen(NOIR, ALONE, GOTHIC, kept=0),
            chosen(GOTHIC, NOIR, ALONE, kept=2),
            chosen(ALONE, NOIR, kept=1),
            chosen(ALONE, NOIR, kept=None),
        ]
    )
    assert found == [Tally(NOIR, "tiny", 4, 2, 1), Tally(GOTHIC, "tiny", 2, 0, 1)]
    assert [one.decided for one in found] == [3, 1]


def test_choices_without_the_model_alone_and_of_other_models_do_not_mix():
    found = tallies(
        [chosen(NOIR, GOTHIC, kept=0), chosen(NOIR, ALONE, kept=0), chosen(NOIR, ALONE, kept=0, model="large")]
    )
    assert found == [Tally(NOIR, "large", 1, 1, 0), Tally(NOIR, "tiny", 1, 1, 0)]
