import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.text import _STAND_INS, sanitize, visible

any_text = st.text(st.characters() | st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp"]))


@given(any_text)
def test_only_newline_and_tab_are_left_of_the_controls(text):
    assert {c for c in sanitize(text) if unicodedata.category(c) in ("Cc", "Zl", "Zp")} <= {"\n", "\t"}


@given(any_text)
def test_the_result_can_always_be_printed(text):
    sanitize(text).encode("utf-8")


@given(any_text)
def test_sanitizing_twice_changes_nothing_more(text):
    assert sanitize(sanitize(text)) == sanitize(text)


@given(any_text, any_text)
def test_a_token_boundary_makes_no_difference(left, right):
    assert sanitize(left + right) == sanitize(left) + sanitize(right)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("\x1b]52;c;c3RvbGVu\x07", "␛]52;c;c3RvbGVu"),
        ("\x9b31mred\x90\x9c", "31mred"),
        ("a\x00b\x08c\x7fd\r\ne\tf\x0bg\x0ch", "abcd\ne\tfgh"),
        ("\u202egnp.exe\u202c \u2066x\u2069", "gnp.exe x"),
        ("one\u2028two\u2029three", "one\ntwo\nthree"),
        ("caf\udce9", "caf\ufffd"),
    ],
)
def test_a_hostile_text_is_made_harmless(text, expected):
    assert sanitize(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A plain line.\n\tAnother.",
        "👩\u200d🚀 🏴\U000e0067\U000e007f",
        "می\u200cخواهم",
        "שלום\u200f!",
        "naïve — “so”",
    ],
)
def test_a_writers_text_stays_as_it_is(text):
    assert sanitize(text) == text


@given(any_text)
def test_what_is_made_visible_is_as_long_as_the_text(text):
    assert len(visible(text)) == len(text)


@given(any_text)
def test_what_is_made_visible_has_nothing_left_to_sanitize(text):
    assert sanitize(visible(text)) == visible(text)


@given(any_text)
def test_only_what_sanitizing_would_change_is_made_visible(text):
    assert all(shown == char for char, shown in zip(text, visible(text), strict=True) if sanitize(char) == char)


def test_controls_are_shown_as_signs():
    assert visible("\x1b[0m\x00\x7f\x9b\u202e\u2028\u2029\udce9\n\t") == "␛[0m␀␡␦⇄↵¶\ufffd\n\t"


def test_every_character_that_has_a_stand_in_is_replaced_and_no_other():
    every = "".join(map(chr, range(0x110000)))
    changed = {one for one, shown in zip(every, visible(every), strict=True) if one != shown}
    assert changed == {*_STAND_INS}
