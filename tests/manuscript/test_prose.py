from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.manuscript.prose import UNKNOWN, WRITER, Author, Authors, Prose, Span

MODEL = Author(1)
marked = st.lists(st.tuples(st.characters(), st.integers(-1, 2).map(Author)), max_size=20)
"""Characters with their authors, one by one: the simple model that Prose is held against."""


def prose_of(pairs):
    return Prose("".join(char for char, _ in pairs), Authors.of((1, author) for _, author in pairs))


def pairs_of(prose):
    return [(char, prose.authors.at(index)) for index, char in enumerate(prose.text)]


def is_tidy(authors):
    runs = authors.runs
    return all(length > 0 for length, _ in runs) and all(one[1] != two[1] for one, two in pairwise(runs))


@given(marked)
def test_each_character_has_its_author(pairs):
    prose = prose_of(pairs)
    assert pairs_of(prose) == pairs
    assert is_tidy(prose.authors)


@given(marked, st.data())
def test_a_slice_has_the_characters_and_authors_of_its_part(pairs, data):
    start = data.draw(st.integers(0, len(pairs)))
    end = data.draw(st.integers(start, len(pairs)))
    part = prose_of(pairs)[start:end]
    assert part == prose_of(pairs[start:end])
    assert len(part) == len(part.authors) == end - start


@given(marked, st.none() | st.integers(-25, 25), st.none() | st.integers(-25, 25))
def test_bounds_of_slices_are_those_of_strings(pairs, start, end):
    assert prose_of(pairs)[start:end] == prose_of(pairs[start:end])


@pytest.mark.slow
@given(marked, marked, marked)
def test_sums_have_all_characters_in_order_however_they_are_bracketed(one, two, three):
    whole = prose_of(one + two + three)
    assert (prose_of(one) + prose_of(two)) + prose_of(three) == whole
    assert prose_of(one) + (prose_of(two) + prose_of(three)) == whole
    assert len((prose_of(one) + prose_of(two)).authors) == len(one + two)


@given(marked, st.integers(0, 20))
def test_a_text_cut_in_two_and_joined_is_the_same(pairs, place):
    prose = prose_of(pairs)
    place = min(place, len(pairs))
    joined = prose[:place] + prose[place:]
    assert joined == prose
    assert is_tidy(joined.authors)
    assert hash(joined) == hash(prose)


@given(marked)
def test_spans_follow_each_other_and_cover_the_text(pairs):
    prose = prose_of(pairs)
    spans = list(prose.authors.spans())
    assert "".join(prose.text[span.start : span.end] for span in spans) == prose.text
    assert [author for span in spans for author in [span.author] * (span.end - span.start)] == [who for _, who in pairs]


def test_empty_runs_are_left_out_and_neighbours_joined():
    authors = Authors.of([(0, MODEL), (2, WRITER), (0, MODEL), (3, WRITER), (1, UNKNOWN)])
    assert authors.runs == ((5, WRITER), (1, UNKNOWN))
    assert list(authors.spans()) == [Span(0, 5, WRITER), Span(5, 6, UNKNOWN)]


def test_a_text_by_one_author_is_one_run():
    assert Prose.by(MODEL, "abc").authors.runs == ((3, MODEL),)
    assert Prose.by(MODEL, "") == Prose()


@pytest.mark.parametrize("index", [3, -1])
def test_there_is_no_author_of_a_character_that_is_not_there(index):
    with pytest.raises(IndexError):
        Prose.by(MODEL, "abc").authors.at(index)


def test_authors_of_another_length_than_the_text_are_refused():
    with pytest.raises(ValueError, match="authors of 2 characters for a text of 3"):
        Prose("abc", Authors(((2, WRITER),)))
