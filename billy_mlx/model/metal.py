"""What mlx-lm does for Metal while it generates; without Metal nothing happens."""

from collections.abc import Iterator
from contextlib import contextmanager

import mlx.core as mx
from mlx_lm.generate import generation_stream
from mlx_lm.utils import maybe_set_recommended_wired_limit


class Wiring:
    """Keeps the model's memory wired while at least one generation runs.

    Generations may overlap and end in any order, so the first one sets the limit and the last one gives it back.
    """

    def __init__(self) -> None:
        self._running = 0
        self._before: int | None = None

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Return a context for one generation."""
        if self._running == 0:
            self._before = maybe_set_recommended_wired_limit()
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            if self._running == 0 and self._before is not None:
                mx.synchronize(generation_stream)
                mx.set_wired_limit(self._before)


wired = Wiring()
"""The limit belongs to the process, and so does this."""
