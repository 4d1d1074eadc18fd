import random
from itertools import pairwise

import pytest
from helpers.made_changes import made
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.manuscript.word_diff import hunks

WORDS = ["a", "the", "cat", "black", "slept", "tree", "house", "garden"]
plain = st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join)
wild = st.text("ab .,'’\n\t彼女\u0301👩🏽‍🌾", max_size=30) | st.text(max_size=30)
BEFORE = (
    "The old house stood at the end of the lane, and nobody had lived in it for years. Its windows were dark. "
    "Anna walked slowly towards the door, holding the lamp in front of her."
)
AFTER = (
    "The ruined house stood at the end of a lane, and no one had lived there for many years. Its windows were black. "
    "Anna crept towards the door with her lamp held high in front of her."
)


def changes(before, after):
    return [(before[hunk.start : hunk.end], hunk.text) for hunk in hunks(before, after)]


@given(plain | wild, plain | wild)
def test_all_changes_make_the_new_text_and_none_the_old(before, after):
    assert made(before, hunks(before, after)) == after
    assert made(before, []) == before


@given(plain | wild)
def test_nothing_changes_between_a_text_and_itself(text):
    assert hunks(text, text) == ()


@given(plain | wild, plain | wild)
def test_changes_are_in_order_and_do_not_touch(before, after):
    found = hunks(before, after)
    assert all(one.end < two.start for one, two in pairwise(found))
    assert all(before[hunk.start : hunk.end] != hunk.text for hunk in found)


@given(plain | wild, plain | wild, st.data())
def test_changes_found_anew_after_each_that_is_accepted_end_in_the_new_text_too(before, after, data):
    while left := hunks(before, after):
        before = made(before, [data.draw(st.sampled_from(left))])
        if data.draw(st.integers(0, 3)) == 0:
            before = made(before, hunks(before, after))
    assert before == after


@given(plain, plain, st.data())
def test_words_stay_one_space_apart_whichever_changes_are_made(before, after, data):
    found = hunks(before, after)
    some = [hunk for hunk in found if data.draw(st.booleans())]
    text = made(before, some)
    assert text == " ".join(text.split())
    assert set(text.split()) <= set(WORDS)


def test_a_rewritten_paragraph_is_a_handful_of_changes():
    assert len(hunks(BEFORE, AFTER)) <= 8
    assert ("walked slowly ", "crept ") in changes(BEFORE, AFTER)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("the cat sat", "the black cat sat", [("", "black ")]),
        ("a big cat.", "a big.", [(" cat", "")]),
        ("Stop here.", "Stop here, now.", [("", ", now")]),
        ("well-known", "well known", [("-", " ")]),
        ("one\ntwo", "one two", [("\n", " ")]),
        ("", "new", [("", "new")]),
        ("don’t go", "do go", [("don’t ", "do ")]),
    ],
)
def test_white_space_and_marks_go_with_the_words(before, after, expected):
    assert changes(before, after) == expected


def test_changes_with_one_short_word_between_are_one():
    assert changes("He met dogs in parks.", "He met cats in gardens.") == [("dogs in parks", "cats in gardens")]


def test_changes_with_a_long_word_between_are_two():
    assert len(hunks("dogs without parks", "cats without gardens")) == 2


def test_a_sentence_end_keeps_changes_apart():
    assert len(hunks("He slept. She left.", "He woke. Anna left.")) == 2


def test_two_words_kept_by_chance_do_not_break_up_a_larger_change():
    before = "Yesterday nobody came because winter storms raged"
    assert len(hunks(before, "Soon every guest came because birthdays matter greatly")) == 1


def test_chinese_changes_by_character():
    assert changes("彼は昨日学校へ行った。", "彼女は昨日学校へ行った。") == [("", "女")]


def test_a_family_of_joined_signs_is_not_cut():
    assert changes("a 👩🏽‍🌾 b", "a 👩🏻‍🌾 b") == [("👩🏽‍🌾 ", "👩🏻‍🌾 ")]


def test_a_very_long_text_changes_by_lines():
    lines = [f"line {number} of a very long text" for number in range(5000)]
    before, after = "\n".join(lines), "\n".join([*lines[:4000], "another", *lines[4001:]])
    assert changes(before, after) == [(f"{lines[4000]}\n", "another\n")]


def test_random_words_without_an_anchor_are_compared_within_bounds():
    chance = random.Random(0)
    before, after = (" ".join(chance.choices("abc", k=2000)) for _ in range(2))
    assert made(before, hunks(before, after)) == after
