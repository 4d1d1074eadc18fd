"""Worn phrases, counted."""

from importlib import resources

import pytest

from billy_mlx.measure.vocabulary import words
from billy_mlx.measure.worn import worn_phrase_rate

LINES = resources.files("billy_mlx.measure").joinpath("data/worn_phrases.txt").read_text("utf-8").splitlines()
PHRASES = [line for line in LINES if line and not line.startswith("#")]


def test_a_rate_is_in_phrases_per_hundred_words():
    text = "The bridge is a testament to welders, and a shiver ran down my back as we crossed, all ten of us."
    assert len(words(text)) == 21
    assert worn_phrase_rate(text) == pytest.approx(100 / 21)
    assert worn_phrase_rate(text.replace("a shiver ran", "shivers ran").replace("my back", "its spine")) > 0


def test_plain_prose_has_none():
    assert worn_phrase_rate("She counted the coins twice, put two back, and paid for the bread.") == 0


@pytest.mark.parametrize(
    "text",
    [
        "She let out a breath she didn't know",
        "He let out a breath he didn’t know",
        "They LET OUT\n  a breath they didn't know",
        "we let out a breath we'd didnʼt know",
    ],
)
def test_case_space_apostrophe_and_person_do_not_matter(text):
    assert worn_phrase_rate(text) == pytest.approx(100 / len(words(text)))


@pytest.mark.parametrize("text", ["a game changer", "a game-changer", "A game\u2011changer!"])
def test_a_hyphen_is_as_good_as_a_space(text):
    assert worn_phrase_rate(text) == pytest.approx(100 / len(words(text)))


@pytest.mark.parametrize("text", ["an extra testament to it", "a testament today", "a testament. To", "delve. Into"])
def test_phrases_end_where_words_do(text):
    assert worn_phrase_rate(text) == 0


def test_of_two_that_begin_alike_the_longer_counts_once():
    assert worn_phrase_rate("a rich tapestry of") == pytest.approx(100 / 4)


def test_a_text_without_words_has_none():
    assert worn_phrase_rate("") == 0
    assert worn_phrase_rate("1, 2, 3!") == 0


def test_every_phrase_of_the_list_is_found():
    lost = [phrase for phrase in PHRASES if not worn_phrase_rate(f"So {phrase.replace('*', 'their')}, then.")]
    assert not lost


def test_the_list_is_tidy():
    assert 120 <= len(PHRASES) <= 200
    assert len(set(PHRASES)) == len(PHRASES)
    assert all(phrase == " ".join(phrase.lower().split()) for phrase in PHRASES)
