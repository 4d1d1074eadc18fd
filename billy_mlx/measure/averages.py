"""Response-average activations, summed up while the rows are written: no second pass, no stored streams."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Average:
    """The residual stream of one row, averaged over its response tokens.

    Attributes:
        mean: (layers, D) float32.
        norm: (layers,) mean norm of the residual.
        tokens: how many tokens were averaged over; with 0 the other two are zero.
        start: (layers, D) float32, the residual at the last token of the prompt, where the first token is drawn; zero
            for a row that never came to it.
    """

    mean: Floats
    norm: Floats
    tokens: int
    start: Floats

    @property
    def steered(self) -> Floats:
        """The mean (layers, D) over the tokens that are steered: the last one of the prompt, and the response's."""
        share = np.float32(1 / (self.tokens + 1))
        return np.asarray(self.start * share + self.mean * (self.tokens * share), np.float32)


class ResponseAverages:
    """An observer of decoding that keeps a running sum per row and layer, in float32 whatever the model's dtype."""

    def __init__(self) -> None:
        self._rows: list[int] = []
        self._starts: dict[int, mx.array] = {}
        self._sums: list[mx.array] = []
        self._done: dict[int, Average] = {}

    def __call__(
        self, rows: Sequence[int], stream: Mapping[int, mx.array], counted: mx.array | None
    ) -> Sequence[mx.array]:
        """Add the streams (R, 1, D) of one token of each of `rows`, where `counted` (R,) says it is of a response.

        Without `counted` they are those of the last tokens of the prompts.
        """
        h = mx.stack([stream[layer][:, 0] for layer in sorted(stream)], axis=1).astype(mx.float32)  # (R, layers, D)
        if counted is None:
            self._starts |= dict(zip(rows, h, strict=True))
            return [h]
        weight = counted.astype(mx.float32)
        token = [h * weight[:, None, None], mx.linalg.norm(h, axis=-1) * weight[:, None], weight]
        if list(rows) != self._rows:
            self._turn_to(list(rows))
        self._sums = [total + new for total, new in zip(self._sums, token, strict=True)] if self._sums else token
        return self._sums

    def averages(self) -> dict[int, Average]:
        """Return the average of every row seen, by row."""
        self._turn_to([])
        return self._done

    def _turn_to(self, rows: list[int]) -> None:
        """Put away the rows that have ended. Rows only ever end, or give way to other rows altogether."""
        staying = [place for place, row in enumerate(self._rows) if row in rows]
        if self._sums:
            for place, row in enumerate(self._rows):
                if row not in rows:
                    total, norms, tokens = (each[place] for each in self._sums)
                    self._done[row] = _average(total, norms, tokens, self._starts.pop(row))
        self._sums = [total[mx.array(staying)] for total in self._sums] if staying else []
        self._rows = rows


def _average(total: mx.array, norms: mx.array, tokens: mx.array, start: mx.array) -> Average:
    count = int(np.array(tokens))
    share = np.float32(1 / max(count, 1))
    return Average(np.array(total) * share, np.array(norms) * share, count, np.array(start))
