from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.manuscript.edit import Edit
from billy_mlx.manuscript.prose import WRITER, Prose
from billy_mlx.tui.widgets.ghost_view import PartKind, View, carried, changed

letters = st.text("ab\n", max_size=12)


@st.composite
def views(draw):
    text = draw(letters)
    at = draw(st.integers(0, len(text)))
    struck = draw(st.none() | st.integers(0, at))
    return View(Prose.by(WRITER, text), at, draw(letters), struck)


def a_view(text, at, ghost, struck=None):
    return View(Prose.by(WRITER, text), at, ghost, struck)


@given(views(), st.data())
def test_a_place_in_the_text_is_found_again_in_what_is_shown(view, data):
    offset = data.draw(st.integers(0, len(view.prose)))
    assert view.to_text(view.to_shown(offset)) == view.to_text(view.to_shown(offset, behind=True)) == offset


@given(views())
def test_without_the_ghost_what_is_shown_is_the_text(view):
    assert view.shown[: view.at] + view.shown[view.ghost_end :] == view.prose.text


@given(views())
def test_the_parts_are_all_that_is_shown(view):
    parts = list(view.parts(0, len(view.shown)))
    assert "".join(view.shown[part.start : part.end] for part in parts) == view.shown


@given(views())
def test_the_part_that_is_ghost_is_the_ghost(view):
    ghost = [part for part in view.parts(0, len(view.shown)) if part.kind is PartKind.GHOST]
    assert "".join(view.shown[part.start : part.end] for part in ghost) == view.ghost


@given(views(), views())
def test_the_change_between_two_views_leads_from_the_one_to_the_other(before, after):
    start, end, text = changed(before, after)
    assert before.shown[:start] + text + before.shown[end:] == after.shown


def test_only_what_a_draft_has_grown_by_is_a_change():
    before = a_view("one two", 3, " and")
    assert changed(before, View(before.prose, 3, " and then")) == (7, 7, " then")


def test_taking_the_start_of_a_draft_changes_nothing_that_is_seen():
    start, end, text = changed(a_view("one two", 3, " and so"), a_view("one and two", 7, " so"))
    assert (end - start, text) == (0, "")


def test_what_a_rewrite_would_replace_is_struck():
    kinds = [part.kind for part in a_view("one two", 7, "three", struck=4).parts(0, 12)]
    assert kinds == [PartKind.TEXT, PartKind.STRUCK, PartKind.GHOST]


def test_a_place_behind_a_growing_draft_stays_behind_it():
    before, after = a_view("one", 3, " a"), a_view("one", 3, " a b")
    assert (carried(5, before, after, None), carried(3, before, after, None)) == (7, 3)


def test_a_place_in_a_draft_stays_as_far_from_its_start():
    before, after = a_view("one two", 3, " abc"), a_view("xone two", 4, " abcdef")
    typed = Edit(0, Prose(), Prose.by(WRITER, "x"))
    assert carried(5, before, after, typed) == 6
