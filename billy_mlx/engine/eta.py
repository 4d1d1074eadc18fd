"""How long a job will still take: by an estimate beforehand, and more and more by how fast it has gone so far."""

from collections.abc import Callable, Iterator

_LEAST_SECONDS, _LEAST_SHARE = 3.0, 0.01  # before that, nothing that is said would hold
_TRUSTED_SHARE = 0.25  # once so much is done, what was thought before counts no more
_GENTLY = 0.1  # of a change of mind is told at once, so that the number does not jump


class Stopwatch:
    """Counts the time that work takes for itself: while others have their turn, it stands.

    Args:
        clock: seconds, from anywhere on.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._counted = 0.0
        self._begun: float | None = None

    @property
    def seconds(self) -> float:
        """What it has counted so far."""
        return self._counted + (0.0 if self._begun is None else self._clock() - self._begun)

    def timing(self, steps: Iterator[object]) -> Iterator[object]:
        """Yield from `steps`, and count while a step is done."""
        try:
            while True:
                self._begun = self._clock()
                event = next(steps, self)
                self._counted, self._begun = self.seconds, None
                if event is self:
                    return
                yield event
        finally:
            close = getattr(steps, "close", None)
            if close is not None:
                close()


class Eta:
    """Tells the time left.

    Args:
        clock: seconds, from anywhere on.
        expected: what the whole is thought to take; None if nobody knows.
    """

    def __init__(self, clock: Callable[[], float], expected: float | None = None) -> None:
        self._clock, self._expected = clock, expected
        self._begun: tuple[float, float] | None = None  # when, and what share was done by then, by an earlier run
        self._whole: float | None = None  # seconds, as told last

    def seconds_left(self, share: float) -> float | None:
        """Return how long the rest will take if `share` is done, from 0 to 1; None if that cannot be told yet."""
        now = self._clock()
        if self._begun is None:
            self._begun = (now, share)
        whole = self._thought(now - self._begun[0], share - self._begun[1])
        if whole is None:
            return None
        self._whole = whole if self._whole is None else self._whole + _GENTLY * (whole - self._whole)
        return self._whole * (1 - share)

    def _thought(self, seconds: float, done: float) -> float | None:
        """Return the seconds that the whole takes, as far as can be told by now."""
        if seconds < _LEAST_SECONDS or done < _LEAST_SHARE:
            return self._expected
        measured = seconds / done
        if self._expected is None:
            return measured
        trust = min(1.0, done / _TRUSTED_SHARE)
        return self._expected + trust * (measured - self._expected)
