"""Self-BLEU against values worked out by hand."""

import math

import pytest

from billy_mlx.measure.overlap import self_bleu


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
