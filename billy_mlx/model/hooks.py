"""What may be done to the residual stream besides adding to it: for experiments, in Python.

    with hook(model.blocks, ablate(vector.directions), layers=[15]):
        take = generate(model, "Describe a harbour at night.")

A hook is entered before the writer patches the blocks: it works on what a block hands on, and what the writer adds
comes on top of that.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from numpy.typing import ArrayLike

from billy_mlx.errors import UsageError
from billy_mlx.model.layers import Patch

Edit = Callable[[int, mx.array], mx.array]
"""Takes a layer and its stream (B, T, D), and returns what takes its place, of the same shape and dtype."""

Axes = ArrayLike | Mapping[int, ArrayLike]
"""(D,) for every layer, (layers, D), or layer to (D,); layers that are not in it are left alone."""


def hook(
    blocks: Sequence[nn.Module],
    edit: Edit,
    *,
    layers: Collection[int] | None = None,
    start: int = 0,
    stop: int | None = None,
    prompt: int | None = None,
    first: int = 0,
) -> Patch:
    """Return a context in which `edit` is done to what blocks hand on.

    Take `blocks` from a loaded model's `blocks`: it has been tested there that a change of their output is carried on.

    Args:
        blocks: of the model, block i being layer i.
        edit: what is done.
        layers: where; None for every layer.
        start: position of the first token it is done at, counted from 0 as the blocks see tokens go by.
        stop: position of the first token it is no longer done at; None for none.
        prompt: of a row alone, how many tokens its prompt has, such as `len(prompt_tokens(model, recipe.prompt))`. Then
            `start` and `stop` count tokens of the answer: `stop=20` is for the first twenty, `start=20` for those after
            them. The first one is drawn at the prompt's last token. Enter the hook anew for each text.
        first: position of the first token that the blocks will see: how many their cache holds already.

    Raises:
        UsageError: there is no such layer, or the positions are none.
    """
    if isinstance(layers, int):
        raise UsageError(f"layers is {layers}; give a list, such as layers=[{layers}]")
    wanted = range(len(blocks)) if layers is None else sorted({*layers})
    if not wanted or not 0 <= min(wanted) <= max(wanted) < len(blocks):
        raise UsageError(f"layers are {', '.join(map(str, wanted))}; they go from 0 to {len(blocks) - 1}")
    if start < 0 or first < 0 or (stop is not None and stop < start) or (prompt is not None and prompt < 1):
        raise UsageError(f"positions from {start} to {stop} are none; they count from 0, and go upwards")
    before = 0 if prompt is None else prompt - 1
    end = None if stop is None else before + stop
    return Patch(blocks, _Positioned(edit, frozenset(wanted), before + start, end, first))


def add(directions: Axes) -> Edit:
    """Return what adds a direction to every token, as steering does."""
    axes = _Axes(directions)

    def edit(layer: int, h: mx.array) -> mx.array:
        axis = axes.at(layer)
        return h if axis is None else h + axis.astype(h.dtype)

    return edit


def ablate(directions: Axes) -> Edit:
    """Return what takes out of every token all that it has along a direction: h - (h·u) u, with u of length 1."""

    def keep(along: mx.array) -> mx.array:
        return mx.zeros_like(along)

    return _along(directions, keep)


def clamp(directions: Axes, *, most: float) -> Edit:
    """Return what lets no token have more than `most` along a direction, in units of the residual stream."""

    def keep(along: mx.array) -> mx.array:
        return mx.minimum(along, most)

    return _along(directions, keep)


def gate(edit: Edit, probe: Axes, *, above: float) -> Edit:
    """Return `edit` where a token's projection on `probe`, of length 1, is above a value; elsewhere nothing is done."""
    axes = _Axes(probe)

    def gated(layer: int, h: mx.array) -> mx.array:
        axis = axes.at(layer)
        if axis is None:
            return h
        return mx.where(_projection(h, _unit(axis)) > above, edit(layer, h), h)

    return gated


class _Axes:
    def __init__(self, axes: Axes) -> None:
        by_layer = axes if isinstance(axes, Mapping) else None
        array = None if by_layer is not None else np.asarray(axes, np.float32)
        if array is not None and array.ndim not in (1, 2):
            raise UsageError(f"directions of shape {array.shape} are given; give (D,), (layers, D), or a layer to each")
        self._all = mx.array(array) if array is not None and array.ndim == 1 else None
        rows = enumerate(array) if array is not None and array.ndim == 2 else (by_layer or {}).items()
        self._count = None if array is None or array.ndim == 1 else len(array)
        self._by_layer = {layer: mx.array(np.asarray(row, np.float32)) for layer, row in rows}

    def at(self, layer: int) -> mx.array | None:
        if self._count is not None and layer >= self._count:
            raise UsageError(f"there are directions for {self._count} layers, and none for layer {layer}; give all")
        return self._by_layer.get(layer) if self._all is None else self._all


class _Positioned:
    """An edit at some layers and positions; counts the tokens that each layer has seen."""

    def __init__(self, edit: Edit, layers: frozenset[int], start: int, stop: int | None, first: int) -> None:
        self._edit, self._layers = edit, layers
        self._start, self._stop, self._first = start, stop, first
        self._seen: dict[int, int] = {}

    def __call__(self, layer: int, h: mx.array) -> mx.array:
        if layer not in self._layers:
            return h
        seen = self._seen.get(layer, self._first)
        after = self._seen[layer] = seen + h.shape[1]
        if after <= self._start or (self._stop is not None and seen >= self._stop):
            return h
        edited = self._edit(layer, h)
        if not isinstance(edited, mx.array):
            raise UsageError(
                f"the hook returns a {type(edited).__name__} at layer {layer}; return the stream, changed or not"
            )
        if edited.shape != h.shape or edited.dtype != h.dtype:
            raise UsageError(
                f"the hook makes {edited.shape} of {edited.dtype} out of {h.shape} of {h.dtype} at layer {layer}; "
                "return the same shape and dtype"
            )
        if seen >= self._start and (self._stop is None or after <= self._stop):
            return edited
        at = mx.arange(seen, after)[None, :, None]
        inside = at >= self._start if self._stop is None else (at >= self._start) & (at < self._stop)
        return mx.where(inside, edited, h)


def _along(directions: Axes, keep: Callable[[mx.array], mx.array]) -> Edit:
    """Return what changes the part of every token along a direction, and leaves the rest."""
    axes = _Axes(directions)

    def edit(layer: int, h: mx.array) -> mx.array:
        axis = axes.at(layer)
        if axis is None:
            return h
        unit = _unit(axis)
        along = _projection(h, unit)
        return (h.astype(mx.float32) + (keep(along) - along) * unit).astype(h.dtype)

    return edit


def _unit(axis: mx.array) -> mx.array:
    return axis / mx.maximum(mx.linalg.norm(axis), 1e-12)


def _projection(h: mx.array, unit: mx.array) -> mx.array:
    """Return (B, T, 1) float32: how far each token lies along a unit vector."""
    return (h.astype(mx.float32) * unit).sum(axis=-1, keepdims=True)
