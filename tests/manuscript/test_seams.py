"""Where a model's text meets the writer's: spaces that are missing, and sentences that the length has cut."""

from dataclasses import replace

import pytest

from billy_mlx.manuscript.draft import Alternative, Draft, offered, space_before, space_behind, whole_end
from billy_mlx.manuscript.passage import Passage, Voice
from billy_mlx.manuscript.prose import Author
from billy_mlx.words import words_end

CUT = Passage("", (1,), (Voice(0, None),), "continue", "m", {}, {}, (1,), 0, {}, 9, ended="length")


@pytest.mark.parametrize(
    ("text", "after", "space"),
    [
        ("for her", "She stood", " "),
        ("He left.", "Then", " "),
        ("“Go!”", "he said", " "),
        ("7", "8", " "),
        ("for her", "“Go”", " "),
        ("for her ", "She", ""),
        ("for her", " She", ""),
        ("for her", "\nShe", ""),
        ("for her", "", ""),
        ("for her", ".", ""),
        ("the sea—", "she", ""),
        ("(", "she", ""),
        ("灯", "台", ""),
        ("lamp", "台", ""),
    ],
)
def test_a_draft_that_ends_before_a_word_gets_its_space(text, after, space):
    assert space_behind(text, after) == space


@pytest.mark.parametrize(
    ("before", "text", "space"),
    [
        ("the end of", "She stood", " "),
        ("He left.", "then", " "),
        ("she said,", "and", " "),
        ("the har", "bour", ""),
        ("the end of", " She", ""),
        ("the end of ", "She", ""),
        ("Mc", "Donald", ""),
        ("the U.", "S. Army", ""),
        ("3.", "5", ""),
        ("", "She", ""),
        ("灯。", "台", ""),
    ],
)
def test_a_draft_that_begins_a_new_word_gets_its_space_where_that_can_be_told(before, text, space):
    assert space_before(before, text) == space


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (" She left. He wo", " She left."),
        (" She left. “Who”, he as", " She left."),
        (" goodbye.\nThey", " goodbye."),
        (" She left. He stayed.", " She left. He stayed."),
        (" goes on and on and", " goes on and on and"),
        (" Mr. Poe we", " Mr. Poe we"),
        ("", ""),
    ],
)
def test_half_a_sentence_at_the_end_is_left_out_if_something_remains(text, kept):
    assert text[: whole_end(text)] == kept


def draft(text, passage):
    return Draft(1, "continue", 0, 0, alternatives=(Alternative(Author(1), text, passage),))


@pytest.mark.parametrize("ended", ["stop", "interrupted", None])
def test_only_the_length_cuts_a_sentence(ended):
    assert offered(draft(" She left. He wo", replace(CUT, ended=ended))) == " She left. He wo"
    assert offered(draft(" She left. He wo", None)) == " She left. He wo"


def test_what_is_taken_counts_as_gone_and_cut_words_can_be_wanted():
    cut = draft(" She left. He wo", CUT)
    assert offered(cut) == " She left."
    assert offered(cut, taken=len(" She left. He")) == " She left. He wo"
    assert offered(replace(cut, whole=(Author(1),))) == " She left. He wo"


@pytest.mark.parametrize(
    ("text", "words", "kept"),
    [
        ("One two three", 2, "One two"),
        ("One two", 2, "One two"),
        ("One two. ", 2, "One two. "),
        ("“One two.” Then", 2, "“One two.”"),
        ("rock-and-roll is", 1, "rock-and-roll"),
        ("one—two", 1, "one—"),
        ("灯台守", 2, "灯台"),
    ],
)
def test_a_text_is_ended_behind_its_last_word(text, words, kept):
    assert text[: words_end(text, words)] == kept
