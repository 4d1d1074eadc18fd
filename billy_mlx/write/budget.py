"""How many tokens a model is sent at most, and why: by what it holds, what fits into memory, and how long it reads."""

from collections.abc import Iterator
from dataclasses import dataclass

from billy_mlx.model.cache import STORE_BYTES
from billy_mlx.model.memory import available_bytes, cache_bytes, rows_bytes
from billy_mlx.model.model import Model, seconds_to_read

LEAST = 2048
"""Tokens that are sent however slow a machine is: with fewer, a text forgets its own beginning too soon."""

_MOST = 1 << 20
_OF_MEMORY = 0.5  # of what is free; the rest is for whatever else the machine does


@dataclass(frozen=True)
class Budget:
    """A number of tokens, and a sentence without its full stop that says why it is that."""

    tokens: int
    why: str


def budget_for(model: Model, *, asked: int, answer: int, rows: int, reading_seconds: float) -> Budget:
    """Return how much a model may be sent.

    What is found goes by steps, so that from day to day and from request to request it stays the same: a text that is
    cut at the same place need not be read again.

    Args:
        asked: tokens, if somebody has said how many; 0 to have it found.
        answer: tokens that are written after it.
        rows: voices that write at once.
        reading_seconds: how long reading all of it may take, where more than `LEAST` is sent.
    """
    holds = _MOST if model.context_length is None else max(0, model.context_length - answer)
    if asked:
        return _held(holds) if asked > holds else Budget(asked, "as set in the settings")
    if holds <= LEAST:
        return _held(holds)
    steps = [step for step in _steps() if step < holds]
    read = max((step for step in steps if seconds_to_read(model, step) <= reading_seconds), default=0)
    if read < LEAST:
        seconds = seconds_to_read(model, LEAST)
        return Budget(LEAST, f"the smallest amount; reading it takes about {seconds:,.0f} s on this machine")
    fits = next((step for step in reversed([*steps, holds]) if _fits(model, step, answer, rows)), LEAST)
    may_read_all = seconds_to_read(model, holds) <= reading_seconds
    if fits == holds and may_read_all:
        return _held(holds)
    if fits <= read or may_read_all:
        return Budget(max(fits, LEAST), "limited by the memory of this machine")
    return Budget(read, f"limited by reading time, {reading_seconds:,.0f} s; raise it in the settings to send more")


def _held(holds: int) -> Budget:
    return Budget(holds, "the model has no room for more")


def _steps() -> Iterator[int]:
    """Yield 2,048, 3,072, 4,096, 6,144 and so on."""
    step = LEAST
    while step < _MOST:
        yield from (step, step + step // 2)
        step *= 2


def _fits(model: Model, tokens: int, answer: int, rows: int) -> bool:
    """Return whether so much can be read and kept for the next request."""
    if cache_bytes(model.model, tokens) > STORE_BYTES:
        return False
    return rows_bytes(model, rows, tokens + answer) <= _OF_MEMORY * available_bytes()
