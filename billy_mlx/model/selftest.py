"""Whether a model can be steered, and whether its rows can be decoded together: found out by trying.

Nothing here knows an architecture by name. A model passes if what it does is what steering assumes; otherwise it is
refused with what was seen, before anything is written with it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten
from mlx_lm.models.cache import make_prompt_cache

from billy_mlx.errors import UnsteerableModel
from billy_mlx.model.cache import Cache, can_batch, join, keep_rows, merge
from billy_mlx.model.layers import Patch, Steering, steer

# Two rows of five: rows, tokens and width cannot be taken for one another.
_ROWS, _TOKENS = 2, 5
_LENGTHS = (7, 4, 2, 0)  # of prompts read before the first common step; a prompt of one token leaves nothing to read
_KEPT = (0, 2, 3)  # of four rows, when the other one has ended
_PROBE_NORM = 0.1  # of the stream's own: in bfloat16 a smaller one could be rounded away


def require_steerable(model: nn.Module, blocks: list[nn.Module], name: str) -> None:
    """Raise UnsteerableModel unless adding to the output of `blocks` does what it says, and only that.

    Costs four forward passes over a few tokens.
    """
    unpatched = _logits(model)
    watch = _Watch()
    with Patch(blocks, watch.output, watch.inputs):
        watched = _logits(model)
    reason = watch.fault(len(blocks)) or _fault_of_adding(model, blocks, watch.streams, unpatched, watched)
    if reason:
        raise UnsteerableModel(f"{name} cannot be steered: {reason}; choose another model (billy model list)")


def rows_agree(model: nn.Module) -> bool:
    """Whether rows of unlike length decoded as one batch get the logits each gets alone.

    Some of mlx-lm's models have caches that can be merged and then fail, or are wrong without failing.
    """
    prompts = [range(3, 3 + length) for length in _LENGTHS]
    return can_batch(make_prompt_cache(model)) and _agree(model, prompts, merge)


def equal_rows_agree(model: nn.Module) -> bool:
    """Whether rows that have read as many tokens each, in one plain cache, get the logits each gets alone."""
    return all(_agree(model, [range(first, first + length) for first in range(3, 7)], join) for length in _LENGTHS)


def _agree(model: nn.Module, prompts: Sequence[range], together_in: Callable[[Sequence[Cache]], Cache]) -> bool:
    """Whether rows get together what each gets alone, in a step of all of them and in one of those that go on."""
    caches = [make_prompt_cache(model) for _ in prompts]
    for prompt, cache in zip(prompts, caches, strict=True):
        if prompt:
            model(mx.array([list(prompt)]), cache=cache)
    try:
        joined = together_in(caches)
        together = [model(mx.array([[1]] * len(caches)), cache=joined)[:, -1]]
        keep_rows(joined, _KEPT)
        together.append(model(mx.array([[2]] * len(_KEPT)), cache=joined)[:, -1])
        mx.eval(together)
    except (RuntimeError, ValueError, TypeError, AttributeError, IndexError):
        return False  # whatever mlx-lm's caches could not do: one row at a time always works
    alone = [mx.concatenate([model(mx.array([[1]]), cache=cache)[:, -1] for cache in caches])]
    alone.append(mx.concatenate([model(mx.array([[2]]), cache=caches[place])[:, -1] for place in _KEPT]))
    return all(_close(one, other) for one, other in zip(together, alone, strict=True))


def _close(logits: mx.array, expected: mx.array) -> bool:
    tolerance = 1e-3 if expected.dtype == mx.float32 else 0.1
    wide, logits = expected.astype(mx.float32), logits.astype(mx.float32)
    return bool(mx.abs(logits - wide).max() <= tolerance * mx.std(wide))


class _Watch:
    """Notes what the blocks are handed and hand on, without changing it."""

    def __init__(self) -> None:
        self.streams: list[mx.array] = []
        self._calls: list[int] = []
        self._handed_on = True
        self._beside: dict[int, set[int]] = {}
        self._kept: list[Any] = []  # so that no id is given twice

    def inputs(self, layer: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        leaves: list[Any] = [leaf[1] for leaf in tree_flatten([args, kwargs])]
        arrays = [leaf for leaf in leaves if isinstance(leaf, mx.array)]
        self._kept += arrays
        if self.streams:
            self._handed_on &= any(array is self.streams[-1] for array in arrays)
            shape = self.streams[-1].shape
            self._beside[layer] = {id(a) for a in arrays if a.shape == shape and a is not self.streams[-1]}

    def output(self, layer: int, h: mx.array) -> mx.array:
        self._calls.append(layer)
        self.streams.append(h)
        return h

    def fault(self, layers: int) -> str | None:
        """Return what was seen that steering does not allow for."""
        if self._calls != list(range(layers)):
            return "it never calls its blocks" if not self._calls else "it does not call each block once and in order"
        for h in self.streams:
            if h.ndim != 3 or h.shape[:2] != (_ROWS, _TOKENS):
                return f"its residual stream has shape {h.shape} for {_ROWS} rows of {_TOKENS} tokens"
        if not self._handed_on:
            return "its blocks are not handed what the block before them returned"
        if len({frozenset(ids) for layer, ids in self._beside.items() if layer > 0}) > 1:
            return "its blocks are handed another copy of the residual stream that steering does not reach"
        return None


def _fault_of_adding(
    model: nn.Module, blocks: list[nn.Module], streams: list[mx.array], unpatched: mx.array, watched: mx.array
) -> str | None:
    zeros = {layer: mx.zeros(h.shape[-1:], h.dtype) for layer, h in enumerate(streams)}
    with steer(blocks, Steering(zeros)):
        unmoved = _logits(model)
    if mx.isnan(unpatched).any():
        return "it gives no numbers as logits"
    if not (mx.array_equal(unpatched, watched) and mx.array_equal(unpatched, unmoved)):
        return "adding nothing to its residual stream changed what it says"
    noise = {
        layer: mx.random.normal(h.shape[-1:], key=mx.random.key(layer)) * (_PROBE_NORM * _rms(h))
        for layer, h in enumerate(streams)
    }
    with steer(blocks, Steering(noise)):
        moved = _logits(model)
    return "adding to its residual stream changed nothing" if mx.array_equal(unpatched, moved) else None


def _logits(model: nn.Module) -> mx.array:
    # Always with a fresh cache: some models compute something else without one.
    tokens = mx.arange(1, 1 + _ROWS * _TOKENS).reshape(_ROWS, _TOKENS)
    logits: mx.array = model(tokens, cache=make_prompt_cache(model))
    return logits


def _rms(h: mx.array) -> mx.array:
    return mx.sqrt(mx.mean(mx.square(h.astype(mx.float32))))
