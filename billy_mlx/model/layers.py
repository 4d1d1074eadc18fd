"""The only code that touches a model's blocks: `steer` adds to what a block hands on, `record` reads it.

A patched block keeps its identity, its parameters and its attributes; it only gets a subclass of its own class for
as long as the `with` lasts. Replacing the block instead is silently lost on the models whose `layers` is a new list
at every access. Patches nest: one entered later sees what one entered earlier does, so `record` inside `steer` reads
the steered stream. They are left in the reverse order, as `with` does by itself.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any, Self

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx_lm.models.cache import make_prompt_cache
from numpy.typing import NDArray

LARGEST_FLOAT16 = 65504.0

Hook = Callable[[int, mx.array], mx.array]
InputHook = Callable[[int, tuple[Any, ...], dict[str, Any]], None]


@dataclass(frozen=True, eq=False)
class Directions:
    """What is added for one row: a direction per steered layer, and where.

    Attributes:
        by_layer: layer to (D,) float32, in units of the residual stream.
        everywhere: add at every token, not only from the last prompt token on.
        norm_preserving: scale each token's residual back to the norm it had before.
    """

    by_layer: Mapping[int, NDArray[np.float32]] = field(default_factory=dict)
    everywhere: bool = False
    norm_preserving: bool = False

    @cached_property
    def key(self) -> str:
        """A digest that is equal for directions that do the same; empty if nothing is added."""
        if not self.by_layer:
            return ""
        digest = sha256(b"norm" if self.norm_preserving else b"")
        for layer in sorted(self.by_layer):
            digest.update(f"{layer}:".encode() + self.by_layer[layer].astype(np.float32).tobytes())
        return digest.hexdigest()[:16]

    def excess(self, dtype: str | None) -> tuple[int, float] | None:
        """Return a layer and a size of a number there that a stream of `dtype` cannot hold; None if it holds them all.

        What preserves norms is added in float32 and scaled back before it is stored.
        """
        largest = (
            LARGEST_FLOAT16 if dtype == "float16" and not self.norm_preserving else float(np.finfo(np.float32).max)
        )
        for layer, direction in self.by_layer.items():
            size = float(np.abs(direction).max(initial=0.0))
            if not size <= largest:  # also true of NaN
                return layer, size
        return None


UNSTEERED = Directions()


class Steering:
    """Directions for R rows, switchable between two steps.

    Args:
        directions: layer to (D,) for every row, or (R, 1, D) for a direction per row.
        start: the position in the sequence, counted from 0, of the first steered token; one for all rows or one per
            row. Positions are counted as the blocks see tokens go by, whatever the chunks of the prefill.
        first: the position of the first token that the blocks will see: how many their cache holds already.
        norm_preserving: scale each token's residual back to its norm; (R, 1, 1) bool where rows differ.
    """

    def __init__(
        self,
        directions: Mapping[int, mx.array],
        *,
        start: int | Sequence[int] = 0,
        first: int = 0,
        norm_preserving: bool | mx.array = False,
    ) -> None:
        self._start = [start] if isinstance(start, int) else list(start)
        self._first = first
        self.rewind()
        self.switch(directions, norm_preserving=norm_preserving)

    def switch(self, directions: Mapping[int, mx.array], *, norm_preserving: bool | mx.array = False) -> None:
        """Add `directions` from the next forward pass on; nothing is rebuilt."""
        self._directions = {layer: _per_row(direction) for layer, direction in directions.items()}
        self._cast: dict[int, mx.array] = {}
        self._norm_preserving = norm_preserving

    def rewind(self) -> None:
        """Count positions from the first one again, for a new sequence in a cache like the one before."""
        self._seen: dict[int, int] = {}
        self._masks: dict[tuple[int, int], mx.array] = {}

    def add(self, layer: int, h: mx.array) -> mx.array:
        """Return `h` (B, T, D), the output of block `layer`, with this layer's direction added; the dtype stays."""
        rows, tokens, width = h.shape
        seen = self._seen.get(layer, self._first)
        self._seen[layer] = seen + tokens
        direction = self._directions.get(layer)
        if direction is None or seen + tokens <= min(self._start):
            return h
        # Broadcasting would make one row of several, or several of one, without a word.
        if not {direction.shape[0], len(self._start)} <= {1, rows} or direction.shape[-1] != width:
            raise ValueError(
                f"{direction.shape[0]} directions of width {direction.shape[-1]} and {len(self._start)} starts "
                f"for {rows} rows of width {width} at layer {layer}"
            )
        narrowed = self._narrowed(layer, direction, h.dtype)
        steered = h + narrowed if h.dtype != mx.float16 else _sum_within_float16(h, narrowed)
        if self._norm_preserving is not False:
            steered = _norm_preserved(h, direction, steered, self._norm_preserving)
        return steered if seen >= max(self._start) else mx.where(self._mask(seen, tokens), steered, h)

    def _narrowed(self, layer: int, direction: mx.array, dtype: mx.Dtype) -> mx.array:
        """Return a direction in the stream's own type: a wider one would widen the whole stream after it."""
        if layer not in self._cast:  # once, not at every token
            self._cast[layer] = direction.astype(dtype)
        return self._cast[layer]

    def _mask(self, seen: int, tokens: int) -> mx.array:
        """Return (R, T, 1): which tokens of this pass are steered. Made once for all blocks."""
        if (seen, tokens) not in self._masks:
            start = mx.array(self._start)[:, None, None]
            self._masks = {(seen, tokens): mx.arange(seen, seen + tokens)[None, :, None] >= start}
        return self._masks[seen, tokens]


class Patch:
    """Runs `hook(layer, h)` on the output of every block while it is entered; may be entered again and again.

    Args:
        on_inputs: is shown what each block is called with, before it is.
    """

    def __init__(self, blocks: Sequence[nn.Module], hook: Hook, on_inputs: InputHook | None = None) -> None:
        self._blocks = blocks
        self._hook = hook
        self._on_inputs = on_inputs
        self._found: list[list[type]] = []
        self._classes: dict[tuple[int, type], type] = {}

    def __enter__(self) -> Self:
        self._found.append([type(block) for block in self._blocks])
        try:
            for layer, block in enumerate(self._blocks):
                block.__class__ = self._hooked(layer, type(block))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for block, cls in zip(self._blocks, self._found.pop(), strict=True):
            block.__class__ = cls

    def _hooked(self, layer: int, cls: type) -> type:
        if (layer, cls) not in self._classes:
            self._classes[layer, cls] = _hooked_class(cls, layer, self._hook, self._on_inputs)
        return self._classes[layer, cls]


class Recording(Patch):
    """Keeps what the blocks handed on: `latest[layer]` is (B, T, D) of the newest forward pass, not yet evaluated."""

    def __init__(self, blocks: Sequence[nn.Module]) -> None:
        self.latest: dict[int, mx.array] = {}
        super().__init__(blocks, self._keep)

    def _keep(self, layer: int, h: mx.array) -> mx.array:
        self.latest[layer] = h
        return h


@contextmanager
def bare(network: nn.Module) -> Iterator[None]:
    """Return a context in which a network is as it was loaded, whatever patches are entered: for passes that measure.

    A patch that counts tokens must not count theirs, and what they measure must not depend on it.
    """
    patched = [(part, type(part)) for part in network.modules() if hasattr(type(part), "_loaded")]
    for part, cls in patched:
        part.__class__ = cls._loaded
    try:
        yield
    finally:
        for part, cls in patched:
            part.__class__ = cls


def steer(blocks: Sequence[nn.Module], steering: Steering) -> Patch:
    """Return a context in which `steering` is added to the output of `blocks`, block i being layer i.

    Take `blocks` from a loaded model's `blocks`: it has been tested there that adding to them does what it says.
    """
    return Patch(blocks, steering.add)


def record(blocks: Sequence[nn.Module]) -> Recording:
    """Return a context that keeps the output of `blocks`: `with record(blocks) as recording: recording.latest[15]`."""
    return Recording(blocks)


def stack(rows: Sequence[Directions]) -> dict[int, mx.array]:
    """Return layer to (R, 1, D) float32 for `rows`, zero where a row adds nothing at a layer another one steers."""
    layers = {layer: direction.shape[-1] for row in rows for layer, direction in row.by_layer.items()}
    return {
        layer: mx.array(np.stack([row.by_layer.get(layer, np.zeros(width, np.float32)) for row in rows]))[:, None]
        for layer, width in layers.items()
    }


def _per_row(direction: mx.array) -> mx.array:
    return direction if direction.ndim == 3 else direction.reshape(-1, 1, direction.shape[-1])


def _norm_preserved(h: mx.array, direction: mx.array, steered: mx.array, which: bool | mx.array) -> mx.array:
    """Return `steered`, h + direction, scaled to the norm of `h` in the rows that `which` names."""
    # In float32, direction and all: both may pass the largest float16 before the sum is scaled back.
    wide, total = h.astype(mx.float32), h.astype(mx.float32) + direction.astype(mx.float32)
    norm = mx.linalg.norm(wide, axis=-1, keepdims=True)
    scaled = total * (norm / mx.maximum(mx.linalg.norm(total, axis=-1, keepdims=True), 1e-12))
    kept = (scaled if h.dtype != mx.float16 else _within_float16(scaled)).astype(h.dtype)
    return kept if which is True else mx.where(which, kept, steered)


def _within_float16(stream: mx.array) -> mx.array:
    """Return `stream` with what is beyond the largest float16 cut to that."""
    return mx.clip(stream, -LARGEST_FLOAT16, LARGEST_FLOAT16)


@mx.compile  # one kernel on Metal: a sum and a cut
def _sum_within_float16(h: mx.array, direction: mx.array) -> mx.array:
    return _within_float16(h + direction)


def _hooked_class(cls: type, layer: int, hook: Hook, on_inputs: InputHook | None) -> type:
    def call(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        if on_inputs is not None:
            on_inputs(layer, args, kwargs)
        out = cls.__call__(self, *args, **kwargs)
        if isinstance(out, tuple):  # the stream first, then what the model passes on beside it
            return (hook(layer, out[0]), *out[1:])
        return hook(layer, out)

    loaded = getattr(cls, "_loaded", cls)
    return type(cls.__name__, (cls,), {"__call__": call, "__module__": cls.__module__, "_loaded": loaded})


@dataclass(frozen=True)
class Shape:
    """Sizes of a model.

    Attributes:
        layers: how many blocks it has.
        width: D, of the residual stream; None if its blocks hand none on, so that it cannot be steered.
        outputs: V, how many logits it gives for a token: often more than its tokenizer has tokens.
        dtype: of the residual stream, as in "float16"; None without one.
    """

    layers: int
    width: int | None
    outputs: int
    dtype: str | None


def shape_of(network: nn.Module) -> Shape:
    """Return the sizes of a model of mlx-lm, from a forward pass that is never evaluated.

    Raises:
        Exception: of any kind, from a model that does not run.
    """
    blocks = list(network.layers)
    with bare(network), record(blocks) as recording:
        logits = network(mx.zeros((1, 2), mx.int32), cache=make_prompt_cache(network))
    stream = recording.latest.get(len(blocks) - 1)
    width, dtype = (None, None) if stream is None else (stream.shape[-1], str(stream.dtype).rpartition(".")[2])
    return Shape(len(blocks), width, int(logits.shape[-1]), dtype)
