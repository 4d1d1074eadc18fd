import random
import re
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.manuscript.prose import UNKNOWN, WRITER, Author, Authors, Prose
from billy_mlx.manuscript.reattribution import reanchor

MODEL, OTHER = Author(1), Author(2)
VOCABULARY = ["the", "cat", "sat", "and", "slept", "under", "an", "old", "tree"]
BORDERS = [" ", " ", " ", ", ", ". ", ".\n\n", "—"]
CHAPTER = Prose.by(WRITER, "The rain had stopped before dawn. Anna opened the window and listened.\n\n") + Prose.by(
    MODEL, "Somewhere below a dog was barking at the empty street. She counted to ten, slowly.\n\n“Who is there?”\n"
)


@st.composite
def proses(draw):
    words = draw(st.lists(st.sampled_from(VOCABULARY), max_size=40))
    text = "".join(word + draw(st.sampled_from(BORDERS)) for word in words)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6)))
    bounds = zip([0, *cuts], [*cuts, len(text)], strict=True)
    return Prose(text, Authors.of([(end - start, Author(draw(st.integers(-1, 3)))) for start, end in bounds]))


@st.composite
def rewritten(draw):
    """A prose, and a text made of its parts, in any order, with others between."""
    old = draw(proses())
    place = st.integers(0, len(old))
    parts = st.tuples(place, place).map(lambda pair: old.text[min(pair) : max(pair)])
    return old, "".join(draw(st.lists(parts | proses().map(lambda prose: prose.text), max_size=6)))


def letters(prose):
    """Each run of letters by one author."""
    for span in prose.authors.spans():
        for word in re.finditer(r"\w+", prose.text[span.start : span.end]):
            yield span.start + word.start(), word[0], span.author


def by(author, prose):
    return {prose.text[span.start : span.end] for span in prose.authors.spans() if span.author == author}


def author_of(words, prose):
    start = prose.text.index(words)
    return {prose.authors.at(at) for at in range(start, start + len(words))}


@given(rewritten())
def test_the_text_is_the_new_one_and_each_word_is_by_who_wrote_it_before(case):
    old, new_text = case
    new = reanchor(old, new_text)
    assert new.text == new_text
    for _, word, author in letters(new):
        assert author == UNKNOWN or any(word in text for text in by(author, old))


@given(proses())
def test_an_identical_text_keeps_all_authors(old):
    assert reanchor(old, old.text) == old


@given(proses(), st.data())
def test_a_foreign_block_is_unknown_and_all_else_is_kept(old, data):
    place = data.draw(st.integers(0, len(old)))
    block = Prose.by(UNKNOWN, data.draw(st.text("XYZ", min_size=1)))
    assert reanchor(old, old.text[:place] + block.text + old.text[place:]) == old[:place] + block + old[place:]


@given(st.text("ab \n", min_size=1), st.text("ab \n", min_size=1), st.data())
def test_what_is_put_in_is_as_long_as_what_became_unknown_and_the_rest_is_the_old_text(text, block, data):
    place = data.draw(st.integers(0, len(text)))
    new = reanchor(Prose.by(MODEL, text), text[:place] + block + text[place:])
    holes = [span for span in new.authors.spans() if span.author == UNKNOWN]
    for hole in holes:
        assert hole.end - hole.start == len(block)
        assert new.text[: hole.start] + new.text[hole.end :] == text
    assert holes or not new.text.strip() or " " in block or "\n" in block


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_two_texts_can_be_compared(one, other):
    assert reanchor(Prose.by(MODEL, one), other).text == other


@pytest.mark.parametrize(
    "reformat",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "  \n"),
        lambda text: "\n\n".join(textwrap.fill(paragraph, 30) for paragraph in text.split("\n\n")),
        lambda text: text.replace("“", '"').replace("”", '"'),
    ],
    ids=["line ends", "trailing spaces", "wrapped", "quotes"],
)
def test_reformatting_keeps_the_author_of_each_word(reformat):
    new = reanchor(CHAPTER, reformat(CHAPTER.text))
    assert [(word, author) for _, word, author in letters(new)] == [(w, author) for _, w, author in letters(CHAPTER)]


def test_quotes_that_were_changed_are_unknown():
    new = reanchor(CHAPTER, CHAPTER.text.replace("“", '"').replace("”", '"'))
    assert {text.strip() for text in by(UNKNOWN, new)} == {'"'}


def test_one_changed_word_is_all_that_becomes_unknown():
    assert by(UNKNOWN, reanchor(CHAPTER, CHAPTER.text.replace("barking", "growling"))) == {"growling"}


def test_deleting_a_word_leaves_the_rest_known():
    new = reanchor(CHAPTER, CHAPTER.text.replace("empty ", ""))
    assert by(UNKNOWN, new) == set()
    assert author_of("at the street", new) == {MODEL}


def test_a_paragraph_keeps_its_author_where_it_was_moved():
    first, second, third = CHAPTER.text.split("\n\n")
    new = reanchor(CHAPTER, f"{second}\n\n{first}\n\n{third}")
    assert author_of(second, new) == {MODEL}
    assert author_of(first, new) == {WRITER}


def test_a_sentence_written_anew_is_not_attributed_for_the_words_it_begins_with():
    new = reanchor(CHAPTER, CHAPTER.text.replace("She counted to ten, slowly.", "She sang a song of spring."))
    assert author_of("She sang a song of spring", new) == {UNKNOWN}
    assert author_of("barking at the empty street", new) == {MODEL}


def test_another_text_of_the_same_common_words_is_unknown():
    chance = random.Random(0)
    words = [f"w{index}" for index in range(2000)]
    one, other = (" ".join(chance.choices(words, [1 / (at + 1) for at in range(2000)], k=3000)) for _ in range(2))
    new = reanchor(Prose.by(MODEL, one), other)
    assert new == Prose.by(UNKNOWN, other)


@pytest.mark.parametrize("seed", [14, 19, 28])
def test_another_text_out_of_very_few_words_is_unknown(seed):
    chance = random.Random(seed)
    words = [f"w{index}" for index in range(30)]
    one, other = (" ".join(chance.choices(words, [1 / (at + 1) for at in range(30)], k=5000)) for _ in range(2))
    assert reanchor(Prose.by(MODEL, one), other) == Prose.by(UNKNOWN, other)


def test_what_two_authors_wrote_word_for_word_is_by_neither_when_it_cannot_be_told_apart():
    line = "round and round the garden goes the bear\n"
    old = Prose.by(WRITER, line) + Prose.by(MODEL, line)
    new = reanchor(old, f"Quite another beginning here\n{line}and another end")
    assert author_of("and round the garden", new) == {UNKNOWN}


def test_what_an_author_wrote_twice_is_theirs():
    line = "round and round the garden goes the bear\n"
    new = reanchor(Prose.by(MODEL, line + line), f"Quite another beginning here\n{line}and another end")
    assert author_of(line.strip(), new) == {MODEL}


def test_chinese_is_recognised_without_spaces():
    old = Prose.by(WRITER, "彼は昨日学校へ行った。") + Prose.by(MODEL, "雨が降っていたので傘を持って出かけた。")
    new = reanchor(old, old.text.replace("昨日", "今日").replace("傘", "帽子"))
    assert by(UNKNOWN, new) == {"今", "帽子"}


@pytest.mark.parametrize("text", ["same\n" * 2000, "a" * 10_000, "a b " * 3000, "!" * 5000, " \n" * 3000])
def test_monotonous_texts_are_compared_too(text):
    changed = "x" + text[: len(text) // 3] + "y" + text[len(text) // 3 :] + "z"
    assert reanchor(Prose.by(MODEL, text), changed).text == changed
