"""Versions in words."""

from datetime import datetime, timedelta

import pytest

from billy_mlx.manuscript.chronicle import compared, counted, named, told, when, when_written
from billy_mlx.manuscript.history.tree import Version
from billy_mlx.manuscript.records import Kind

NOON = datetime(2023, 11, 14, 12, 0).astimezone()


def version(kind=Kind.TYPED, **fields):
    return Version(2, 1, kind, 0.0, 0, 0, None, **fields)


@pytest.mark.parametrize("kind", Kind)
def test_every_version_is_told_in_words_with_its_first_ones(kind):
    assert told(version(kind))
    assert told(version(kind, new="\n She left\tat last. ")).endswith("“She left at last.”")
    assert told(version(kind, old="She left.")).endswith("“She left.”")


def test_what_takes_the_place_of_something_is_told_with_both():
    assert told(version(Kind.REPLACED, old="house", new="tower")) == "you replaced “house” with “tower”"
    assert told(version(old="house", new="tower")) == "you wrote “tower”"


def test_white_space_is_called_by_its_name():
    assert [told(version(new=text)) for text in ("\r\n", " ")] == ["you wrote a new line", "you wrote a space"]
    assert told(version(Kind.REPLACED, old=" ", new="\n")) == "you replaced a space with a new line"
    assert "+ (a new line)" in compared("One. Two.", "One. Two.\n")


def test_a_long_beginning_is_cut_after_a_word():
    said = told(version(new="The lamp had gone out an hour before Mara reached the harbour."))
    assert said == "you wrote “The lamp had gone out an hour before Mara…”"
    assert len(told(version(new="x" * 80))) == len("you wrote “”") + 44


def test_words_are_counted_with_their_sign():
    assert [counted(version(words=count)) for count in (1, -1, 1200, 0)] == ["+1 word", "−1 word", "+1,200 words", ""]


def test_names_are_shown_without_controls_and_not_too_long():
    assert named(version(names=("main", "a\x1b[2Jb"))) == "[main] [a␛[2Jb]"
    assert len(named(version(names=("x" * 200,)))) == 32


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (timedelta(minutes=5), "today 11:55"),
        (timedelta(hours=13), "yesterday 23:00"),
        (timedelta(days=11), "3 Nov 12:00"),
        (timedelta(days=365), "14 Nov 2022 12:00"),
    ],
)
def test_a_time_is_told_as_people_say_it(before, said):
    assert when((NOON - before).timestamp(), NOON.timestamp()) == said
    assert when_written((NOON - before).isoformat(), NOON.timestamp()) == said


def test_what_is_no_date_is_not_told():
    assert when_written("soon", 0.0) == when_written("", 0.0) == ""
