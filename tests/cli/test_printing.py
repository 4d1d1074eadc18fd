"""Text in the cells of a terminal: no line is wider than it may be, and no word is lost."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from billy_mlx.cli.output import aligned, shortened, wrapped
from billy_mlx.cli.printing import Flow, per_band, side_by_side
from billy_mlx.text import sanitize

TEXTS = st.lists(st.sampled_from([*"ab c\n\t,é月🙂", "e\u0301", "👩\u200d🚀", "❤\ufe0f"]), max_size=200).map("".join)


@given(TEXTS, st.integers(4, 30))
def test_wrapped_lines_fit_and_keep_every_word(text, width):
    lines = wrapped(text, width)
    assert all(cell_len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@given(st.lists(TEXTS, min_size=1, max_size=4), st.integers(40, 90))
def test_columns_are_equally_wide_on_every_line(texts, width):
    for line in side_by_side(texts, width):
        assert len({cell_len(piece) for piece in line}) == 1
        assert sum(map(cell_len, line)) + 3 * (len(line) - 1) <= width


@given(TEXTS, st.integers(4, 30), st.integers(1, 7))
def test_text_that_comes_in_pieces_is_set_as_if_it_came_at_once(text, width, size):
    flow, whole = Flow(width), Flow(width)
    pieces = [flow.add(text[start : start + size]) for start in range(0, len(text), size)]
    assert "".join(pieces) + flow.end() == whole.add(text) + whole.end()


@given(TEXTS)
def test_text_set_as_it_comes_keeps_every_word(text):
    flow = Flow(20)
    assert (flow.add(text) + flow.end()).split() == text.split()


def test_a_word_that_does_not_fit_goes_to_the_next_line():
    flow = Flow(9)
    assert flow.add("the moon is") + flow.end() == "the moon\nis"


def test_a_word_waits_until_it_is_whole():
    flow = Flow(80)
    assert [flow.add("the mo"), flow.add("on "), flow.end()] == ["the", " moon", ""]


def test_columns_are_never_narrower_than_can_be_read():
    assert [per_band(4, width) for width in (40, 70, 71, 80, 160)] == [1, 1, 2, 2, 4]


def test_bands_are_filled_evenly():
    assert [per_band(count, 120) for count in (2, 3, 4, 5, 7)] == [2, 3, 2, 3, 3]


def test_emoji_of_several_characters_are_as_wide_as_a_terminal_draws_them():
    assert aligned([("👩\u200d🚀", "x"), ("❤\ufe0f", "y"), ("ab", "z")]) == ["👩\u200d🚀  x", "❤\ufe0f  y", "ab  z"]


def test_a_table_is_cut_off_where_the_window_ends():
    assert aligned([("ID", "TEXT"), ("a", "long enough")], most=9) == ["ID  TEXT", "a   long…"]


@given(TEXTS, st.integers(1, 30))
def test_a_shortened_text_fits(text, most):
    assert cell_len(shortened(sanitize(text).replace("\n", ""), most)) <= most
