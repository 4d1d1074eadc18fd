"""Thoughts are left out of what is written, however they come."""

import pytest

from billy_mlx.model.thinking import Thinking
from billy_mlx.write.writing import Thoughts


def after(thinker, pieces, *, opened):
    thoughts = Thoughts(Thinking((1,), (2,), opened), thinker.tokenizer)
    return "".join(map(thoughts.after, pieces))


@pytest.mark.parametrize(
    ("pieces", "opened", "left"),
    [
        (["I wonder.</think>", "\n\nIt", " rained."], True, "It rained."),
        (["I wonder.</thi", "nk>It rained."], True, "It rained."),
        (["\n<think>", "I wonder.", "</think>", "It rained."], False, "It rained."),
        (["<th", "ink>I wonder."], False, ""),
        ([" It", " rained."], False, " It rained."),
        (["<", "b>It rained."], False, "<b>It rained."),
    ],
)
def test_only_what_comes_after_the_thoughts_is_left(thinker, pieces, opened, left):
    assert after(thinker, pieces, opened=opened) == left


def test_where_none_are_to_come_everything_is_left(thinker):
    assert Thoughts(None, thinker.tokenizer).after("<think>") == "<think>"
