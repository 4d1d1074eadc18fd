"""How long a job will still take, told by how fast it went so far."""

from collections.abc import Callable

_LEAST_SECONDS, _LEAST_SHARE = 3.0, 0.01  # before that, nothing that is said would hold


class Pace:
    """Tells the time left.

    Args:
        clock: seconds, from anywhere on.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._begun: tuple[float, float] | None = None  # when, and what share was done by then, by an earlier run

    def seconds_left(self, share: float) -> float | None:
        """Return how long the rest will take if `share` is done, from 0 to 1; None if that cannot be told yet."""
        now = self._clock()
        if self._begun is None:
            self._begun = (now, share)
        seconds, done = now - self._begun[0], share - self._begun[1]
        if seconds < _LEAST_SECONDS or done < _LEAST_SHARE:
            return None
        return seconds / done * (1 - share)
