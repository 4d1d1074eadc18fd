"""A model that is loaded, and how fast it reads here."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx_lm.generate import generation_stream
from mlx_lm.models.cache import make_prompt_cache
from mlx_lm.tokenizer_utils import TokenizerWrapper

from billy_mlx.errors import ModelError, UsageError
from billy_mlx.model.config import context_length
from billy_mlx.model.fingerprint import Fingerprint
from billy_mlx.model.layers import Directions, Shape, bare, shape_of
from billy_mlx.model.sampling import Sampling
from billy_mlx.model.selftest import equal_rows_agree, require_steerable, rows_agree
from billy_mlx.model.spelling import Spelling

if TYPE_CHECKING:
    from billy_mlx.model.cache import Cache


_WARM, _FEW, _MANY = 8, 32, 256  # tokens
_STEPS = 3
_QUICK_SECONDS = 0.1  # in which a machine has to read a few tokens, to be asked for many: that tells more
_DEEPER = 4  # times its width is as many tokens back as make a token take twice as long, roughly


@dataclass(frozen=True, eq=False)
class Model:
    """A loaded model: `model` and `tokenizer` as mlx-lm has them, and what this project asks about them.

    `id` is what `--model` takes to load it again; `path` the folder it was read from; `config` its config.json.
    """

    id: str
    path: Path
    model: nn.Module = field(repr=False)
    tokenizer: TokenizerWrapper = field(repr=False)
    config: dict[str, Any] = field(repr=False)
    fingerprint: Fingerprint

    @property
    def layers(self) -> Sequence[nn.Module]:
        """The blocks, in order: the objects themselves, though the list may be new each time."""
        layers: Sequence[nn.Module] = self.model.layers
        return layers

    @cached_property
    def spelling(self) -> Spelling:
        """What its tokens spell."""
        return Spelling(self.tokenizer)

    @cached_property
    def shape(self) -> Shape:
        """How many blocks and logits it has, and what passes between the blocks."""
        return shape_of(self.model)

    @cached_property
    def unspelt(self) -> mx.array | None:
        """(V,) float32, minus infinity for the outputs that no token has and zero for the others; None if all have one.

        Added to logits, it keeps what has no text from being drawn.
        """
        outputs = self.shape.outputs
        if outputs == self.fingerprint.vocabulary:
            return None
        mask = np.zeros(outputs, np.float32)
        mask[self.spelling.unspelt(outputs)] = -np.inf
        return mx.array(mask) if mask.any() else None

    @cached_property
    def blocks(self) -> list[nn.Module]:
        """The blocks, once the self-test has passed; `UnsteerableModel` if it does not."""
        blocks = list(self.layers)
        with bare(self.model):
            require_steerable(self.model, blocks, self.id)
        return blocks

    @cached_property
    def batches(self) -> bool:
        """Whether rows decoded together get what each gets alone; otherwise fewer are at once."""
        with bare(self.model):
            return rows_agree(self.model)

    @cached_property
    def batches_equals(self) -> bool:
        """Whether at least rows whose prompts have the same length get together what each gets alone."""
        with bare(self.model):
            return self.batches or equal_rows_agree(self.model)

    @cached_property
    def reading_speed(self) -> float:
        """Tokens a second at the beginning of a text, on this machine; measured when it is first asked for."""
        with bare(self.model):
            return measured_speed(self)

    def require_addable(self, added: Directions, what: str) -> None:
        """Raise UsageError if the residual stream cannot hold what `what` adds to it."""
        excess = added.excess(self.shape.dtype) if added.by_layer else None
        if excess is not None:
            layer, size = excess
            raise UsageError(
                f"{what} adds {size:,.0f} at layer {layer}, more than the {self.shape.dtype} of this model's residual "
                f"stream can hold; lower the dose"
            )

    def require_known(self, tokens: Sequence[int]) -> None:
        """Raise ModelError if one of `tokens` has no embedding: MLX would read whatever lies there in memory."""
        count = self.shape.outputs
        stranger = next((token for token in (min(tokens), max(tokens)) if not 0 <= token < count), None)
        if stranger is not None:
            raise ModelError(
                f"{self.id} has embeddings for {count:,} tokens and is given token number {stranger:,}: its "
                "tokenizer is another model's; get the model again"
            )

    def require_biasable(self, sampling: Sampling) -> None:
        """Raise UsageError if a bias is for a token that the model cannot write: MLX would add it anywhere."""
        count = self.shape.outputs
        stranger = next((token for token in dict(sampling.logit_bias) if token >= count), None)
        if stranger is not None:
            raise UsageError(
                f"logit_bias names token {stranger}, but the tokens of {self.id} go from 0 to {count - 1}; leave it out"
            )

    @property
    def width(self) -> int:
        """D, the width of the residual stream."""
        return self.fingerprint.width

    @property
    def context_length(self) -> int | None:
        """The most tokens it was made for, or None without such a bound."""
        return context_length(self.config)


def measured_speed(model: "Model") -> float:
    """Return how many tokens a second a model reads at the beginning of a text."""
    _read(model, _WARM)  # what is compiled and brought in with the first pass is not reading
    seconds = _read(model, _FEW)
    if seconds > _QUICK_SECONDS:
        return _FEW / seconds
    return _MANY / max(_read(model, _MANY), 1e-6)


def seconds_for_step(model: "Model", rows: int) -> float:
    """Return the seconds in which so many texts, written at once, are a token longer."""
    cache = make_prompt_cache(model.model)
    with bare(model.model):
        _forward(model, cache, rows, _FEW)
        begun = time.perf_counter()
        for _ in range(_STEPS):
            _forward(model, cache, rows, 1)
    mx.clear_cache()
    return (time.perf_counter() - begun) / _STEPS


def seconds_to_read(model: "Model", tokens: int) -> float:
    """Return about how long a text of so many tokens takes: the longer it is, the more each token has to look at."""
    return tokens / model.reading_speed * (1 + tokens / 2 / (_DEEPER * model.width))


def _read(model: "Model", tokens: int) -> float:
    """Return the seconds that one pass takes."""
    cache = make_prompt_cache(model.model)
    begun = time.perf_counter()
    _forward(model, cache, 1, tokens)
    mx.clear_cache()
    return time.perf_counter() - begun


def _forward(model: "Model", cache: "Cache", rows: int, tokens: int) -> None:
    with mx.stream(generation_stream):
        some = mx.arange(rows * tokens).reshape(rows, tokens) % model.shape.outputs
        model.model(some, cache=cache)
        mx.eval([part.state for part in cache])
