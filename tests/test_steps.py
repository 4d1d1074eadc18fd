"""Generators that yield how far they are: what comes through, what is returned, and that the inner one is closed."""

import pytest

from billy_mlx.steps import finish, mapped


def count_to(end, ended=None):
    """Yield 1 to `end` and return "done"; "closed" is added to `ended` however it ends."""
    try:
        yield from range(1, end + 1)
        return "done"
    finally:
        if ended is not None:
            ended.append("closed")


def collected(steps):
    """Return what `steps` yield, and what they return."""
    yielded = []
    while True:
        try:
            yielded.append(next(steps))
        except StopIteration as end:
            return yielded, end.value


def test_what_is_yielded_is_changed_and_what_is_returned_is_not():
    assert collected(mapped(count_to(3), lambda number: number / 3)) == ([1 / 3, 2 / 3, 1.0], "done")
    assert collected(mapped(count_to(0), str)) == ([], "done")


def test_nothing_is_run_before_it_is_asked_for():
    ended = []
    mapped(count_to(3, ended), str).close()
    steps = mapped(count_to(3, ended), str)
    assert next(steps) == "1"
    assert ended == []


def test_closing_the_outer_steps_closes_the_inner_ones_at_once():
    ended = []
    inner = count_to(3, ended)  # held here, so that it does not end by being thrown away
    steps = mapped(mapped(inner, str), str)
    next(steps)
    steps.close()
    assert ended == ["closed"]
    assert list(steps) == []


def test_an_error_on_the_way_closes_the_inner_steps_and_goes_through():
    ended = []
    inner = count_to(3, ended)
    with pytest.raises(ZeroDivisionError):
        finish(mapped(inner, lambda number: 1 / (number - 2)))
    assert ended == ["closed"]


def test_an_error_of_the_inner_steps_goes_through():
    def failing():
        yield 1
        raise KeyboardInterrupt

    steps = mapped(failing(), str)
    assert next(steps) == "1"
    with pytest.raises(KeyboardInterrupt):
        next(steps)


def test_finishing_runs_to_the_end_and_returns_what_comes_of_it():
    ended = []
    assert finish(mapped(count_to(3, ended), str)) == "done"
    assert ended == ["closed"]
    assert finish(number for number in range(3)) is None
