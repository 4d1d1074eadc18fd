import pytest
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.manuscript.edit import Edit, apply_all, difference, inverted, shared_end, shared_start
from billy_mlx.manuscript.prose import WRITER, Author, Authors, Prose

MODEL = Author(1)
marked = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([WRITER, MODEL])), max_size=12)
proses = marked.map(
    lambda pairs: Prose("".join(char for char, _ in pairs), Authors.of((1, author) for _, author in pairs))
)


@st.composite
def edited(draw):
    """A prose and an edit of it."""
    prose = draw(proses)
    start = draw(st.integers(0, len(prose)))
    return prose, Edit.of(prose, start, draw(st.integers(start, len(prose))), draw(proses))


@st.composite
def histories(draw):
    """A prose and edits of it, one after another."""
    first = prose = draw(proses)
    edits = []
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(prose)))
        edits.append(Edit.of(prose, start, draw(st.integers(start, len(prose))), draw(proses)))
        prose = edits[-1].apply(prose)
    return first, tuple(edits)


def pairs_of(prose):
    return [(char, prose.authors.at(index)) for index, char in enumerate(prose.text)]


@given(edited())
def test_an_edit_puts_its_text_in_the_place_of_what_it_removes(case):
    prose, edit = case
    expected = pairs_of(prose)
    expected[edit.start : edit.end] = pairs_of(edit.inserted)
    assert pairs_of(edit.apply(prose)) == expected


@given(edited())
def test_the_inverse_brings_text_and_authors_back(case):
    prose, edit = case
    assert edit.inverse.apply(edit.apply(prose)) == prose
    assert edit.inverse.inverse == edit
    assert (edit.inverse.end, edit.inverse.inserted_end) == (edit.inserted_end, edit.end)


@given(histories())
def test_inverted_edits_undo_all_of_them(case):
    prose, edits = case
    assert apply_all(inverted(edits), apply_all(edits, prose)) == prose
    assert inverted(inverted(edits)) == edits


@given(edited(), st.data())
def test_a_place_outside_the_edit_moves_with_the_character_behind_it(case, data):
    prose, edit = case
    after = edit.apply(prose)
    place = data.draw(st.integers(0, len(prose)))
    moved = edit.moved(place)
    assert 0 <= moved <= len(after)
    if place < edit.start:
        assert after.text[: moved + 1] == prose.text[: place + 1]
    if place >= edit.end and place != edit.start:
        assert after.text[moved:] == prose.text[place:]


@given(edited())
def test_places_keep_their_order(case):
    prose, edit = case
    for after in (False, True):
        moved = [edit.moved(place, after=after) for place in range(len(prose) + 1)]
        assert moved == sorted(moved)


def test_a_place_where_something_is_inserted_stays_or_moves_behind_it():
    edit = Edit(1, Prose(), Prose.by(WRITER, "xy"))
    assert (edit.moved(1), edit.moved(1, after=True)) == (1, 3)


def test_a_place_inside_what_was_removed_goes_to_the_start():
    edit = Edit(1, Prose.by(WRITER, "bcd"), Prose.by(WRITER, "x"))
    assert [edit.moved(place) for place in range(6)] == [0, 1, 1, 1, 2, 3]


@given(proses, proses)
def test_the_difference_makes_the_one_text_into_the_other_with_its_authors(before, after):
    assert difference(before, after).apply(before) == after


@given(proses, proses)
def test_a_difference_neither_begins_nor_ends_with_what_both_have(before, after):
    edit = difference(before, after)
    removed, inserted = pairs_of(edit.removed), pairs_of(edit.inserted)
    if removed and inserted:
        assert removed[0] != inserted[0]
        assert removed[-1] != inserted[-1]


@given(proses)
def test_there_is_no_difference_between_a_text_and_itself(prose):
    edit = difference(prose, prose)
    assert not edit.removed.text + edit.inserted.text


def test_the_same_words_by_another_author_are_a_difference():
    edit = difference(Prose.by(WRITER, "abcd"), Prose.by(WRITER, "ab") + Prose.by(MODEL, "c") + Prose.by(WRITER, "d"))
    assert edit == Edit(2, Prose.by(WRITER, "c"), Prose.by(MODEL, "c"))


@given(st.text("ab", max_size=20), st.text("ab", max_size=20))
def test_shared_ends_are_as_long_as_they_can_be(one, other):
    starts = [length for length in range(min(len(one), len(other)) + 1) if one[:length] == other[:length]]
    assert shared_start(one, other) == max(starts)
    assert shared_end(one, other) == shared_start(one[::-1], other[::-1])


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (2, 1), (0, 4)])
def test_a_place_that_is_not_in_the_text_is_refused(start, end):
    with pytest.raises(ValueError, match="not in a text of 3"):
        Edit.of(Prose.by(WRITER, "abc"), start, end, Prose())


def test_an_edit_of_another_text_is_refused():
    with pytest.raises(ValueError, match="not what this edit removes"):
        Edit(0, Prose.by(WRITER, "x"), Prose()).apply(Prose.by(WRITER, "abc"))


@pytest.mark.parametrize("start", [4, 9, -1])
def test_an_edit_that_only_inserts_is_refused_outside_the_text(start):
    with pytest.raises(ValueError, match="not what this edit removes"):
        Edit(start, Prose(), Prose.by(WRITER, "x")).apply(Prose.by(WRITER, "abc"))


def test_an_edit_can_insert_at_either_end():
    for start, expected in [(0, "xabc"), (3, "abcx")]:
        assert Edit(start, Prose(), Prose.by(WRITER, "x")).apply(Prose.by(WRITER, "abc")).text == expected
