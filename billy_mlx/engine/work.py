"""A job as the thread sees it: a row of steps, most of which bring an event."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol, runtime_checkable

from billy_mlx.blend.blend import Blend
from billy_mlx.engine.workshop import Workshop


class Work(Protocol):
    """A job being done. Iterating does a step and gives what to post, or None.

    Attributes:
        urgent: somebody waits for it.
        rank: of those that nobody waits for, the lowest goes first.
    """

    urgent: bool
    rank: int

    def __iter__(self) -> Iterator[object | None]: ...

    def stop(self, voice: int | None = None) -> None:
        """Come to an end soon, or have one voice do so."""


@runtime_checkable
class Steerable(Protocol):
    """Work whose voices can go on in other blends."""

    def steer(self, voice: int, blend: Blend) -> None:
        """Have a voice go on in another blend; BillyError if it cannot."""


Kind = Callable[[Workshop, Any], Work]
"""Begins the work that a request asks for."""


class Steps:
    """Work in the background that is a generator: it is closed when it is to stop.

    Args:
        steps: yields what to post.
        rank: as `Work` has it.
    """

    urgent = False

    def __init__(self, steps: Iterator[object | None], rank: int) -> None:
        self.rank = rank
        self._steps = steps
        self._stopped = False

    def __iter__(self) -> Iterator[object | None]:
        try:
            for event in self._steps:
                yield event
                if self._stopped:
                    return
        finally:  # now, and not whenever nobody holds it any more: it may hold a lock
            close = getattr(self._steps, "close", None)
            if close is not None:
                close()

    def stop(self, voice: int | None = None) -> None:
        """End after this step; there are no voices."""
        self._stopped = self._stopped or voice is None
