"""How many blocks a model has and what passes between them: asked of the model, for configs name that in many ways."""

from dataclasses import dataclass

import mlx.core as mx
import mlx.nn as nn
from mlx_lm.models.cache import make_prompt_cache

from billy_mlx.model.layers import record


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
    with record(blocks) as recording:
        logits = network(mx.zeros((1, 2), mx.int32), cache=make_prompt_cache(network))
    stream = recording.latest.get(len(blocks) - 1)
    width, dtype = (None, None) if stream is None else (stream.shape[-1], str(stream.dtype).rpartition(".")[2])
    return Shape(len(blocks), width, int(logits.shape[-1]), dtype)
