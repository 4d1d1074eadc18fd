"""Sentences begin and end where a reader would say so."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.sentences import sentence_end, starts, word_end


def sentences(text):
    begins = [*starts(text), len(text)]
    return [text[start:end].strip() for start, end in itertools.pairwise(begins)]


@pytest.mark.parametrize(
    "expected",
    [
        ["It rained.", "She left!", "Why?", "Nobody knew…", "The end."],
        ["“Run!” he said.", "“Where?” she asked.", "“Home.”", "They ran."],
        ["Mr. Smith met Dr. J. Doe at 5 p.m. in St. Ives.", "They talked, e.g. about fog."],
        ["(It was late.)", "Then *it stopped.*", "And went on."],
        ["# A title", "The text begins."],
        ["A line without a stop", "Another paragraph"],
        ["雨が降った。", "「帰ろう。」", "彼は言った！"],
    ],
)
def test_sentences_are_found(expected):
    joint = "" if "雨" in expected[0] else " "
    text = joint.join(expected)
    for title in ("# A title", "A line without a stop"):
        text = text.replace(f"{title} ", f"{title}\n\n")
    assert sentences(text) == expected


@given(st.text(st.sampled_from("aB.!?…\n “”。#")))
def test_the_pieces_are_the_whole(text):
    begins = starts(text)
    assert begins == sorted(set(begins))
    assert text[: begins[0] if begins else len(text)].strip() == ""
    assert all(not text[begin].isspace() for begin in begins)


@given(st.text(st.sampled_from("aB.!?…\n “”。#")))
def test_going_from_sentence_to_sentence_and_from_word_to_word_ends(text):
    for end_of in (sentence_end, word_end):
        place = 0
        while place < len(text.rstrip()):
            assert end_of(text, place) > place
            place = end_of(text, place)


def test_a_sentence_is_taken_with_the_space_before_it_but_not_behind():
    text = " The fog came. It stayed."
    assert text[: sentence_end(text, 0)] == " The fog came."
    assert text[: word_end(text, 0)] == " The"


@pytest.mark.slow
def test_time_grows_with_the_length_only():
    for text in ("." * 300_000, "a." * 150_000, "\n" * 300_000, ")" * 300_000, "# " * 150_000):
        starts(text)
        sentence_end(text, 0)


@given(st.text(st.sampled_from("aB.!?…\r\n “”。」と#1"), max_size=60), st.integers(0, 60), st.integers(0, 60))
def test_a_part_of_a_text_has_the_sentences_of_the_whole(text, start, end):
    assert starts(text, start, end) == [place for place in starts(text) if start <= place < end]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He left.She came.", ["He left.", "She came."]),
        ("— Go! — he said. — No.", ["— Go! — he said.", "— No."]),
        ("1. Foo\n2. Bar", ["1. Foo", "2. Bar"]),
        ("It was 1984. It rained 3.14 mm.", ["It was 1984.", "It rained 3.14 mm."]),
        ("「行く。」と言った。はい。", ["「行く。」と言った。", "はい。"]),
        ("Go . . . now. Or . . . Wait. ...", ["Go . . . now.", "Or . . .", "Wait.", "..."]),
        ("a line\nwrapped on. End", ["a line\nwrapped on.", "End"]),
    ],
)
def test_what_is_hard_to_tell(text, expected):
    assert sentences(text) == expected
