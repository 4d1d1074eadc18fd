from hypothesis import given
from hypothesis import strategies as st
from textual._cells import cell_len
from textual._wrap import compute_wrap_offsets
from textual.document._wrapped_document import WrappedDocument

from billy_mlx.text import visible
from billy_mlx.tui.widgets.page_document import PageDocument, PageWrap, plain_breaks

texts = st.text(st.sampled_from("ab \t\n\r\x0c\x1b\x85\u2028é漢"), max_size=40)


def test_only_line_feeds_end_a_line():
    assert PageDocument("a\x0cb\u2028c\x85d\re\nf").lines == ["a␌b↵c␦d␍e", "f"]


def test_a_carriage_return_before_a_line_feed_is_part_of_the_end():
    assert PageDocument("one\r\ntwo\r\n").lines == ["one", "two", ""]


@given(texts)
def test_a_text_is_kept_whatever_is_in_it(text):
    assert PageDocument(text).text == "".join(PageDocument(text)._rows) == text


@given(texts, texts, st.data())
def test_a_change_gives_what_a_new_document_would_be(text, more, data):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    document, fresh = PageDocument(text), PageDocument(text[:start] + more + text[end:])
    document.splice(start, end, more)
    assert (document.text, document.lines, document.starts) == (fresh.text, fresh.lines, fresh.starts)


@given(texts, st.data())
def test_a_place_has_a_location_and_a_location_its_place(text, data):
    document = PageDocument(text)
    offset = data.draw(st.integers(0, len(text)))
    inside_an_end = text[offset - 1 : offset + 1] == "\r\n" and offset > 0
    assert document.offset(document.location(offset)) == offset - inside_an_end


def test_a_location_that_is_nowhere_is_brought_to_the_nearest_end():
    document = PageDocument("one\ntwo")
    assert (document.offset((0, 99)), document.offset((9, 0))) == (3, 7)


def test_the_text_between_two_locations_has_its_own_line_ends():
    assert PageDocument("one\r\ntwo\nthree").get_text_range((2, 2), (0, 1)) == "ne\r\ntwo\nth"


@given(texts)
def test_lines_are_drawn_without_controls(text):
    assert PageDocument(text).lines == [visible(row.removesuffix("\r")) for row in text.split("\n")[:-1]] + [
        visible(text.split("\n")[-1])
    ]


@given(st.lists(st.text(st.sampled_from("ab-"), max_size=9)).map(" ".join), st.integers(1, 12))
def test_a_plain_line_is_broken_as_a_text_area_does(line, width):
    assert plain_breaks(line, width) in (None, compute_wrap_offsets(line, width, 4))


@given(texts, st.integers(0, 12))
def test_any_text_is_wrapped_as_a_text_area_does(text, width):
    ours, theirs = (kind(PageDocument(text), width, 4) for kind in (PageWrap, WrappedDocument))
    tabs = [[cells for cells in widths if cells] for widths in ours._tab_width_cache]
    assert tabs == [[cells for cells in widths if cells] for widths in theirs._tab_width_cache]
    for name in ("_wrap_offsets", "_offset_to_line_info", "_line_index_to_offsets", "_width", "_tab_width"):
        assert getattr(ours, name) == getattr(theirs, name)


def test_each_plain_character_takes_one_cell_and_only_a_space_ends_a_word():
    plain = [letter for letter in map(chr, range(0x3000)) if plain_breaks(letter, 9) is not None]
    assert len(plain) > 900
    assert {cell_len(letter) for letter in plain} == {1}
    assert [letter for letter in plain if letter.isspace()] == [" "]
