"""What hands the studio's requests to the engine. The engine, and with it MLX, is imported once the studio stands."""

import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import TYPE_CHECKING, Protocol

from billy_mlx.engine.messages import Job

if TYPE_CHECKING:
    from billy_mlx.engine.jobs import JobFactory


class EngineLike(Protocol):
    """What the studio asks of an engine: `billy_mlx.engine.thread.Engine`, or one that a test writes the lines for."""

    def start(self, model: str | None = None) -> None:
        """Begin, and load a model."""

    def ask(self, request: object) -> None:
        """Take a request; never waits."""

    def close(self) -> None:
        """Stop everything, soon."""


Connect = Callable[[Callable[[object], None]], EngineLike]
"""Makes an engine that posts its events to what it is given."""


def connect(post: Callable[[object], None]) -> EngineLike:
    """Return the engine that runs models, not started yet."""
    from billy_mlx.engine.thread import Engine

    return Engine(post, _job_types)


class EngineClient:
    """Asks the engine; what is asked before there is one waits for it.

    Args:
        clock: seconds, from anywhere on.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()  # when the engine was asked for something, or said something
        self._engine: EngineLike | None = None
        self._waiting: list[object] = []
        self._numbers = count(1)

    def next_job(self) -> Job:
        """Return a number for a job that none has had."""
        return Job(next(self._numbers))

    def open(self, engine: EngineLike, model: str | None) -> None:
        """Start the engine and hand it what has waited."""
        engine.start(model)
        self._engine = engine
        for request in self._waiting:
            engine.ask(request)
        self._waiting.clear()

    def ask(self, request: object) -> None:
        """Ask the engine for something; the answers come as events."""
        self._last = self._clock()
        if self._engine is None:
            self._waiting.append(request)
        else:
            self._engine.ask(request)

    def note_event(self) -> None:
        """Take note that the engine has said something."""
        self._last = self._clock()

    @property
    def quiet_seconds(self) -> float:
        """For how long the engine has been asked for nothing and has said nothing."""
        return self._clock() - self._last

    def close(self) -> None:
        """Let go of the engine."""
        if self._engine is not None:
            self._engine.close()


def _job_types() -> "Mapping[type, JobFactory]":
    """Return what the engine can do; called in its thread, as it brings MLX."""
    from billy_mlx.write.writing import job_types

    return job_types()
