"""Whose turn it is: what somebody waits for first, and beside it as much of the rest as does not disturb."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

_SHARE = 4  # times as long as a step in the background took, what is urgent has for itself


class Ranked(Protocol):
    """What is scheduled: `urgent` while somebody waits for it; of the others, the lowest `rank` goes first."""

    @property
    def urgent(self) -> bool: ...  # noqa: D102

    @property
    def rank(self) -> int: ...  # noqa: D102


_Work = TypeVar("_Work", bound=Ranked)


class Schedule:
    """Gives turns. While something is urgent, the background gets at most a fifth of the time.

    Args:
        clock: seconds, from anywhere on.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._begun = self._reserved_until = 0.0
        self._turns = {True: 0, False: 0}

    def next(self, works: Sequence[_Work]) -> _Work:
        """Return which of `works`, at least one, gets the next step; it is thought to begin now."""
        urgent = [work for work in works if work.urgent]
        waiting = [work for work in works if not work.urgent]
        self._begun = self._clock()
        if waiting and (not urgent or self._begun >= self._reserved_until):
            first = min(work.rank for work in waiting)
            return self._in_turn([work for work in waiting if work.rank == first], urgent=False)
        return self._in_turn(urgent, urgent=True)

    def done(self, work: Ranked) -> None:
        """Take note that the step is over."""
        if not work.urgent:
            now = self._clock()
            self._reserved_until = now + _SHARE * (now - self._begun)

    def _in_turn(self, works: Sequence[_Work], *, urgent: bool) -> _Work:
        # Counted apart: turns of the one would else decide whose turn it is among the others.
        self._turns[urgent] += 1
        return works[self._turns[urgent] % len(works)]
