"""Words, runs of words, self-BLEU and worn phrases, counted by hand."""

import math
from importlib import resources

import pytest

from billy_mlx.measure.vocabulary import (
    distinct_share,
    repeated_share,
    self_bleu,
    share_of_words,
    words,
    worn_phrase_rate,
)


def test_words_are_counted_by_their_beginnings():
    assert words("The sea's edge, sea-green — 3 SEAS!") == ["the", "sea's", "edge", "sea-green", "seas"]
    assert share_of_words("The forest and the forester ran.", ["forest"]) == pytest.approx(100 * 2 / 6)
    assert share_of_words("The FOREST ran.", ["Forest", "RAN"]) == pytest.approx(100 * 2 / 3)
    assert share_of_words("", ["forest"]) == share_of_words("a forest", []) == 0


def test_distinct_runs():
    assert distinct_share("a b c d") == 1
    assert distinct_share("a b a b a") == pytest.approx(2 / 4)
    assert distinct_share("one") == 1


def test_repetition_is_the_share_of_runs_that_have_come_before():
    assert repeated_share("one two three four five") == 0
    assert repeated_share("a b c d a b c d") == pytest.approx(1 / 5)  # of five runs of four, the last is the first
    assert repeated_share("la la la la la la la", n=2) == pytest.approx(5 / 6)


def test_a_text_too_short_to_repeat_itself_does_not():
    assert repeated_share("") == repeated_share("la la la") == 0


def test_a_loop_comes_near_to_one():
    assert repeated_share("the rain, the rain, " * 200) > 0.99


def test_copies_score_1():
    assert self_bleu(["The cat sat on the mat today."] * 3) == pytest.approx(1)


def test_texts_without_a_common_word_score_0():
    assert self_bleu(["one two three four five", "six seven eight nine ten"]) == 0


def test_case_and_punctuation_are_no_difference():
    assert self_bleu(["A red kite, flying.", "a red kite flying"]) == pytest.approx(1)


def test_a_shared_beginning_is_worth_what_is_worked_out():
    # Each way: 3 of 4 words; 2 of 3 pairs, 1 of 2 threes and 0 of 1 four with one added to both numbers.
    expected = (3 / 4 * 3 / 4 * 2 / 3 * 1 / 2) ** (1 / 4)
    assert self_bleu(["a b c d", "a b c e"]) == pytest.approx(expected)


def test_a_repeated_word_counts_as_often_as_another_text_has_it():
    # "the the the": 1 of 3 words, no pair of 2, no three of 1. "the cat": 1 of 2, no pair of 1; nearest length is 3.
    repeated = (1 / 3 * 1 / 3 * 1 / 2) ** (1 / 3)
    short = math.exp(1 - 3 / 2) * (1 / 2 * 1 / 2) ** (1 / 2)
    assert self_bleu(["the the the", "the cat"]) == pytest.approx((repeated + short) / 2)


def test_the_best_of_all_others_is_what_a_text_is_held_against():
    # The third text lends nothing; the first two are copies, and the third shares no word with them.
    assert self_bleu(["a b c d", "a b c d", "w x y z"]) == pytest.approx(2 / 3)


def test_only_runs_up_to_n_words_count():
    assert self_bleu(["a b", "b a"], n=1) == pytest.approx(1)
    assert self_bleu(["a b", "b a"]) == pytest.approx((1 * 1 / 2) ** (1 / 2))


def test_the_nearest_length_decides_the_penalty():
    # "a b c" is all found in the first; of lengths 4 and 2 as near, the shorter counts, so it is not penalised.
    [text, *others] = ["a b c", "a b c d", "a b"]
    longer = (3 / 4 * 3 / 4 * 2 / 3 * 1 / 2) ** (1 / 4)
    shorter = math.exp(1 - 3 / 2)
    assert self_bleu([text, *others]) == pytest.approx((1 + longer + shorter) / 3)


def test_fewer_than_two_texts_with_words_have_no_overlap():
    assert self_bleu([]) is None
    assert self_bleu(["a b c", "", " 42 !"]) is None


def test_the_order_of_texts_does_not_matter():
    texts = ["the sea sings to a kite", "a kite sings", "the sea and the kite and the sea"]
    assert self_bleu(texts) == pytest.approx(self_bleu(texts[::-1]))


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
