"""Rows through the model once, in batches: what a judge, a perplexity and a reading of the stream come from.

What all rows begin with is read once. What follows is padded on the right, which is exact, since no token sees a later
one. Rows that have read the same number of tokens need no batched cache: the plain one is repeated, as it is.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import mlx.core as mx
import numpy as np
from mlx.utils import tree_flatten, tree_map
from mlx_lm.generate import generation_stream
from mlx_lm.models.cache import make_prompt_cache
from numpy.typing import NDArray

from billy_mlx.model.cache import Cache
from billy_mlx.model.decode import PREFILL_CHUNK
from billy_mlx.model.layers import UNSTEERED, Directions, Steering, stack, steer
from billy_mlx.model.memory import cache_bytes, wired
from billy_mlx.model.model import Model

_PASS_TOKENS = 1024  # in one forward pass, over all rows
_FULL, _PADDING = 256, 1.1  # from so many tokens on a pass is not made longer if that pads it to so many times as many
_LOGITS_BYTES = 1 << 28  # in float32, of one forward pass
_CACHE_BYTES = 1 << 29  # of all rows of a batch
_CACHE_STEP = 256  # positions by which mlx-lm's caches grow


@dataclass(frozen=True)
class RowToRead:
    """One row to read.

    Attributes:
        tokens: at least one.
        start: the first position, counted from 0, whose outcome is wanted; so are all after it.
    """

    tokens: tuple[int, ...]
    start: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < len(self.tokens):
            raise ValueError(f"a passage of {len(self.tokens)} tokens has no position {self.start}")


@dataclass(frozen=True, eq=False)
class ForwardPass:
    """What one forward pass brought, not evaluated yet.

    Attributes:
        places: (B,) which passages these are, by their place in the caller's order.
        positions: (T,) the tokens' places in their passages; beyond a passage's end is padding, which means nothing.
        logits: (B, T, V) what comes after each token.
    """

    places: tuple[int, ...]
    positions: range
    logits: mx.array


Measure = Callable[[ForwardPass], Sequence[mx.array]]
"""Makes (B, ...) arrays of a piece, which are summed over the pieces of a batch: nothing else of a piece is kept. Not
every wanted position of a passage is in one piece, and not every position of a piece is wanted."""


@dataclass(frozen=True)
class Measured:
    """The sums of one batch: (B, ...) for the passages at `places`."""

    places: tuple[int, ...]
    sums: tuple[NDArray[np.float32], ...]


def read_passages(
    model: Model,
    passages: Sequence[RowToRead],
    measure: Measure,
    *,
    patch: AbstractContextManager[object] | None = None,
    added: Directions = UNSTEERED,
) -> Iterator[Measured]:
    """Read `passages` in batches of about the same length, yielding after every batch. The model need not be steerable.

    Args:
        patch: is entered, again and again, for the forward passes that `measure` is shown; it sees the steered stream.
        added: to every passage, from its `start` on or, if it says so, from its first token.

    Raises:
        UnsteerableModel: there is something to add, and this model cannot be steered.
        ModelError: a passage has a token that the model has no embedding for.
    """
    if not passages:
        return
    for passage in passages:
        model.require_known(passage.tokens)
    with wired():
        shared = _shared_beginning(passages)
        with _steered(model, added, [shared]):
            cache = _read_beginning(model, passages[0].tokens[:shared])
        together = shared == 0 or _can_repeat(cache)
        for places in _batches(model, passages, shared, together=together):
            own = _repeated(model, cache, len(places), shared)
            batch = _Batch(model, places, [passages[place] for place in places], shared, own)
            with _steered(model, added, [passage.start for passage in batch.passages], first=shared):
                measured = batch.read(measure, patch or nullcontext())
            yield measured


@dataclass(frozen=True, eq=False)
class _Batch:
    """Passages that are read together, on top of a cache that holds what is `shared` by all."""

    model: Model
    places: tuple[int, ...]
    passages: Sequence[RowToRead]
    shared: int
    cache: Cache

    def read(self, measure: Measure, patch: AbstractContextManager[object]) -> Measured:
        rows, end = len(self.passages), max(len(passage.tokens) for passage in self.passages)
        tokens = np.zeros((rows, end), np.int32)
        for row, passage in enumerate(self.passages):
            tokens[row, : len(passage.tokens)] = passage.tokens
        # Before the first wanted position nobody asks for logits, and what nobody asks for is not computed.
        start = min(passage.start for passage in self.passages)
        for piece in _cut(range(self.shared, start), _width(rows)):
            _forward(self.model, tokens[:, piece.start : piece.stop], self.cache)
        sums: list[mx.array] = []
        for piece in _cut(range(start, end), _width(rows, logits=self.model.fingerprint.vocabulary)):
            outcome = partial(self._added, sums, measure, piece)
            last = piece.stop == end
            sums = _forward(self.model, tokens[:, piece.start : piece.stop], self.cache, outcome, patch, last=last)
        return Measured(self.places, tuple(np.array(total) for total in sums))

    def _added(self, sums: list[mx.array], measure: Measure, positions: range, logits: mx.array) -> list[mx.array]:
        new = [array.astype(mx.float32) for array in measure(ForwardPass(self.places, positions, logits))]
        return [total + array for total, array in zip(sums, new, strict=True)] if sums else new


def _steered(
    model: Model, added: Directions, starts: Sequence[int], *, first: int = 0
) -> AbstractContextManager[object]:
    """Return a context in which rows that begin at position `first` are steered from their `starts` on."""
    if not added.by_layer:
        return nullcontext()
    start = 0 if added.everywhere else starts
    steering = Steering(stack([added]), start=start, first=first, norm_preserving=added.norm_preserving)
    return steer(model.blocks, steering)


def _forward(
    model: Model,
    tokens: NDArray[np.int32],
    cache: Cache,
    outcome: Callable[[mx.array], list[mx.array]] | None = None,
    patch: AbstractContextManager[object] | None = None,
    *,
    last: bool = False,
) -> list[mx.array]:
    """Read `tokens` (B, T) on top of `cache` and return the `outcome` of the logits, evaluated.

    After the `last` tokens nobody needs the cache: only what the outcome asks for is computed, be it a few layers.
    """
    with mx.stream(generation_stream):
        with patch or nullcontext():
            logits = model.model(mx.array(tokens), cache=cache)
        results = [] if outcome is None else outcome(logits)
        del logits  # so that they go as soon as the results are there
        mx.eval(results, [] if last else [part.state for part in cache])
    mx.clear_cache()
    return results


def _shared_beginning(passages: Sequence[RowToRead]) -> int:
    """Return how many tokens all passages begin with, none of them at a position whose outcome is wanted."""
    # Whatever lies between the first and the last in order begins with what these two begin with.
    first, last = (extreme(passage.tokens for passage in passages) for extreme in (min, max))
    differs = (place for place, (a, b) in enumerate(zip(first, last, strict=False)) if a != b)
    return min(next(differs, len(first)), min(passage.start for passage in passages))


def _read_beginning(model: Model, tokens: Sequence[int]) -> Cache:
    cache: Cache = make_prompt_cache(model.model)
    for piece in _cut(range(len(tokens)), PREFILL_CHUNK):
        _forward(model, np.array([tokens[piece.start : piece.stop]], np.int32), cache)
    return cache


def _batches(model: Model, passages: Sequence[RowToRead], shared: int, *, together: bool) -> Iterator[tuple[int, ...]]:
    """Yield the places of passages to read together, the shortest first, so that little padding is read."""
    lengths = [len(passage.tokens) for passage in passages]
    most = _most_rows(model, max(lengths)) if together else 1
    batch: list[int] = []
    own = 0  # tokens of the batch, padding not counted
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        new = lengths[place] - shared
        padded = (len(batch) + 1) * new
        wasteful = own >= _FULL and padded > _PADDING * (own + new)
        if batch and (len(batch) == most or padded > _PASS_TOKENS or wasteful):
            yield tuple(batch)
            batch, own = [], 0
        batch.append(place)
        own += new
    yield tuple(batch)


def _most_rows(model: Model, tokens: int) -> int:
    """Return how many rows of `tokens` tokens may be read together, as far as their caches and last logits go."""
    held = -(-tokens // _CACHE_STEP) * _CACHE_STEP + _CACHE_STEP
    logits = 4 * model.fingerprint.vocabulary
    return max(1, min(_CACHE_BYTES // max(1, cache_bytes(model.model, held)), _LOGITS_BYTES // logits))


def _width(rows: int, *, logits: int = 0) -> int:
    """Return how many tokens of each of `rows` go into one forward pass that gives so many `logits` for each token."""
    together = min(_PASS_TOKENS, _LOGITS_BYTES // (4 * logits)) if logits else _PASS_TOKENS
    return max(1, min(PREFILL_CHUNK, together // rows))


def _can_repeat(cache: Cache) -> bool:
    """Whether all that `cache` holds is one row, and says so in its shape."""
    leaves: list[Any] = [leaf[1] for leaf in tree_flatten([part.state for part in cache])]
    arrays = [leaf for leaf in leaves if isinstance(leaf, mx.array)]
    return all(array.ndim > 0 and array.shape[0] == 1 for array in arrays)


def _repeated(model: Model, cache: Cache, rows: int, shared: int) -> Cache:
    """Return a cache for `rows` rows that have all read the shared beginning; it shares nothing with `cache`."""
    if shared == 0:
        fresh: Cache = make_prompt_cache(model.model)
        return fresh
    with mx.stream(generation_stream):
        copied = copy.deepcopy(cache)
        if rows > 1:
            for part in copied:
                part.state = tree_map(partial(_repeat, rows=rows), part.state)
    return copied


def _repeat(leaf: Any, rows: int) -> Any:
    return mx.repeat(leaf, rows, axis=0) if isinstance(leaf, mx.array) else leaf


def _cut(positions: range, width: int) -> Iterator[range]:
    return (positions[first : first + width] for first in range(0, len(positions), width))
