"""Long work as generators that yield how far they are and return what came of it."""

from collections.abc import Callable, Generator
from typing import TypeVar

_Inner = TypeVar("_Inner")
_Outer = TypeVar("_Outer")
_Result = TypeVar("_Result")


def mapped(
    steps: Generator[_Inner, None, _Result], change: Callable[[_Inner], _Outer]
) -> Generator[_Outer, None, _Result]:
    """Run `steps`, yielding `change` of what they yield; returns what they return."""
    try:
        while True:
            yield change(next(steps))
    except StopIteration as end:
        result: _Result = end.value
        return result
    finally:
        steps.close()


def finish(steps: Generator[object, None, _Result]) -> _Result:
    """Run `steps` to their end and return what they return."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: _Result = end.value
            return result
