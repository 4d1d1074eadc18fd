"""Decoding arms measured in turn in one process, so that what else the machine does falls on all of them alike.

A round times a few tokens of every arm, and every round begins with another one. What is compared is the ratio of two
arms within a round, in wall time and in CPU time, which other processes on the machine disturb less.
"""

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version

import billy_mlx  # noqa: F401  puts a fast BLAS into the process, before mlx is imported

# isort: split
import mlx.core as mx
from mlx_lm.generate import generation_stream

from billy_mlx.model import backend
from billy_mlx.model.decode import Decoding
from billy_mlx.model.model import Model
from billy_mlx.model.rows import Row

_NEVER_ENDING = 10**9
_WARM_UP_TOKENS = 2


@dataclass(frozen=True)
class Timing:
    """Seconds of wall time, and of CPU time over all threads of this process."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Spread:
    """A median and the quartiles around it."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        if self.low == self.high:  # of a single value, too
            return f"{self.median:.3g}"
        return f"{self.median:.3g} ({self.low:.3g} to {self.high:.3g})"

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the spread of at least one value."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high)


class Arm:
    """Rows whose prompts have been read, and which decode as many tokens as they are asked for."""

    def __init__(self, model: Model, rows: Sequence[Row]) -> None:
        # A row that ended would leave the others a smaller batch, so nothing ends one.
        model.tokenizer.eos_token_ids = set()
        self.rows = len(rows)
        self._steps = iter(Decoding(model, [replace(row, max_tokens=_NEVER_ENDING) for row in rows]))
        while not next(self._steps).emitted:
            pass
        self.run(_WARM_UP_TOKENS)

    def run(self, tokens: int) -> None:
        """Decode `tokens` of every row and wait for the one scheduled ahead, so that it is nobody else's time."""
        for _ in range(tokens):
            next(self._steps)
        mx.synchronize(generation_stream)


def timed(work: Callable[[], object]) -> Timing:
    """Return what `work` takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Timing(time.perf_counter() - wall, time.process_time() - cpu)


def in_turn(arms: Mapping[str, Arm], *, rounds: int, tokens: int) -> dict[str, list[Timing]]:
    """Return for every arm what `tokens` tokens took in each round."""
    timings: dict[str, list[Timing]] = {name: [] for name in arms}
    names = list(arms)
    for _ in range(rounds):
        for name in names:
            timings[name].append(timed(partial(arms[name].run, tokens)))
        names.append(names.pop(0))
    return timings


def speed_ratios(over: Sequence[Timing], under: Sequence[Timing], *, rows: int = 1) -> tuple[Spread, Spread]:
    """Return in wall and in CPU time how much faster `over` is than `under`, given `rows` as many rows."""
    pairs = list(zip(over, under, strict=True))
    wall = Spread.of([rows * slow.wall / fast.wall for fast, slow in pairs])
    return wall, Spread.of([rows * slow.cpu / fast.cpu for fast, slow in pairs])


def machine() -> str:
    """Return in two lines what this was measured on, and how busy that was."""
    busy = f"load {os.getloadavg()[0]:.1f} over {os.cpu_count()} cores"
    system = f"{platform.system()} {platform.machine()}, {busy}, Python {platform.python_version()}"
    versions = f"mlx {version('mlx')}, mlx-lm {version('mlx-lm')}"
    return f"{system}\n{versions}, {backend.device_name()}, {backend.blas_name()}"


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print `rows` as a Markdown table under `header`, after an empty line."""
    print()
    for row in (header, ["---"] * len(header), *rows):
        print(f"| {' | '.join(row)} |")
