"""A model that is loaded."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx_lm.tokenizer_utils import TokenizerWrapper

from billy_mlx.errors import ModelError, UsageError
from billy_mlx.model.config import context_length
from billy_mlx.model.fingerprint import Fingerprint
from billy_mlx.model.layers import Directions
from billy_mlx.model.selftest import equal_rows_agree, require_steerable, rows_agree
from billy_mlx.model.shape import Shape, shape_of
from billy_mlx.model.speed import measured_speed
from billy_mlx.model.spelling import Spelling


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
        require_steerable(self.model, blocks, self.id)
        return blocks

    @cached_property
    def batches(self) -> bool:
        """Whether rows decoded together get what each gets alone; otherwise fewer are at once."""
        return rows_agree(self.model)

    @cached_property
    def batches_equals(self) -> bool:
        """Whether at least rows whose prompts have the same length get together what each gets alone."""
        return self.batches or equal_rows_agree(self.model)

    @cached_property
    def reading_speed(self) -> float:
        """Tokens a second at the beginning of a text, on this machine; measured when it is first asked for."""
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
        last, count = max(tokens), self.shape.outputs
        if last >= count:
            raise ModelError(
                f"{self.id} has embeddings for {count:,} tokens and is given token number {last:,}: its tokenizer is "
                "another model's; get the model again"
            )

    @property
    def width(self) -> int:
        """D, the width of the residual stream."""
        return self.fingerprint.width

    @property
    def context_length(self) -> int | None:
        """The most tokens it was made for, or None without such a bound."""
        return context_length(self.config)
