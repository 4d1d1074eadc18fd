"""The text of a row: nothing that may yet become a stop string is shown, and no space is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.model.rows import Row, RowState

CHARACTERS = st.characters(exclude_categories=["Cs"])


def state(tiny, prompt="x", **settings):
    return RowState(0, Row(tuple(tiny.tokenizer.encode(prompt)), max_tokens=1000, **settings), tiny.spelling)


def read(state, tokenizer, text):
    """Feed `text` token by token and return the texts emitted on the way."""
    emitted = []
    for token in tokenizer.encode(text):
        if state.finish_reason is None:
            emitted.append(state.read(token).text)
    return emitted


@pytest.mark.parametrize("stop", ["and", "d t", "\n\n", "the end"])
def test_a_stop_string_is_never_shown_in_part(tiny, stop):
    text = f"on and on \n and then{stop} the end"
    row = state(tiny, stop=(stop,))
    emitted = read(row, tiny.tokenizer, text)
    assert "".join(emitted) == text[: text.index(stop)]
    assert row.finish_reason == "stop"


def test_text_held_back_for_a_stop_string_is_shown_when_the_row_ends_without_it(tiny):
    row = state(tiny, stop=("the end",))
    emitted = read(row, tiny.tokenizer, "it is the e")
    assert "".join(emitted) == "it is "
    assert row.interrupt().text == "the e"


def test_the_end_of_the_text_ends_the_row(tiny):
    row = state(tiny)
    (eos, *_) = tiny.tokenizer.eos_token_ids
    assert row.read(eos).finish_reason == "stop"
    assert row.tokens == []


@pytest.mark.parametrize(("continues", "text"), [(True, " and"), (False, "and")])
def test_a_leading_space_counts_where_the_text_goes_on(tiny, continues, text):
    row = state(tiny, "He ran", continues=continues)
    assert "".join([*read(row, tiny.tokenizer, " and"), row.interrupt().text]) == text


@given(text=st.text(CHARACTERS, max_size=30), stop=st.text(min_size=1, max_size=4))
def test_what_is_shown_is_the_text_up_to_the_stop_string(tiny, text, stop):
    row = state(tiny, "x", continues=True, stop=(stop,))
    shown = "".join(read(row, tiny.tokenizer, text))
    if row.finish_reason is None:
        shown += row.interrupt().text
    white = text[: len(text) - len(text.lstrip())] if stop.isspace() else ""
    assert shown == white + text.removeprefix(white).split(stop)[0]


def test_white_space_ends_no_text_that_has_nothing_else_yet(tiny):
    row = state(tiny, stop=("\n",))
    assert "".join(read(row, tiny.tokenizer, "\n\nit rained\n and")) == "\n\nit rained"
    assert row.finish_reason == "stop"
