"""Jobs of the engine: what they share, and how the thread sees each of them."""

import gc
from collections.abc import Callable, Iterator
from typing import Any, Protocol, runtime_checkable

import mlx.core as mx

from billy_mlx.blend.blend import Blend
from billy_mlx.errors import ModelError
from billy_mlx.model.cache import PromptStore
from billy_mlx.model.model import Model


class JobContext:
    """Where jobs are done.

    Args:
        model: the one that is loaded; None while there is none.
        load: loads another model in the place of this one, and says so; raises BillyError if it cannot.
        wake: loads a model again that was put away; likewise.

    Attributes:
        store: prompt caches of the model.
        kept: results that are good as long as the model is the same, by whoever keeps them.
    """

    def __init__(
        self, model: Model | None, load: Callable[[str], None], wake: Callable[[str], None] | None = None
    ) -> None:
        self.load, self._wake = load, wake
        self.use(model)

    def use(self, model: Model | None) -> None:
        """Have another model, or none; what was kept of the one before is dropped."""
        self._model = model
        self._away: str | None = None  # which one comes back when it is needed
        self.store = PromptStore()
        self.kept: dict[str, object] = {}

    def put_away(self) -> str | None:
        """Give the model's memory back until it is asked for; returns which one it is, None if there is none."""
        if self._model is None:
            return None
        name = self._model.id
        self.use(None)
        self._away = name
        gc.collect()
        mx.clear_cache()
        return name

    @property
    def model(self) -> Model:
        """The model, which comes back for this if it was put away.

        Raises:
            ModelError: there is none.
            BillyError: it could not be loaded again.
        """
        if self._model is None and self._away is not None and self._wake is not None:
            self._wake(self._away)
        if self._model is None:
            raise ModelError("no model is loaded; load one first")
        return self._model


class RunningJob(Protocol):
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
    """RunningJob whose voices can go on in other blends."""

    def steer(self, voice: int, blend: Blend) -> None:
        """Have a voice go on in another blend; BillyError if it cannot."""


JobFactory = Callable[[JobContext, Any], RunningJob]
"""Begins the work that a request asks for."""


class BackgroundJob:
    """RunningJob in the background that is a generator: it is closed when it is to stop.

    Args:
        steps: yields what to post.
        rank: as `RunningJob` has it.
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
