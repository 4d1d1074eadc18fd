"""Reading text: what the residual stream is while the unsteered model goes through words already written."""

from collections.abc import Sequence

import mlx.core as mx
import numpy as np
from mlx_lm.models.cache import make_prompt_cache

from billy_mlx.measure.averages import Average
from billy_mlx.model.layers import record
from billy_mlx.model.model import Model


def read(model: Model, prompt: Sequence[int], response: Sequence[int]) -> Average:
    """Return the residual stream averaged over the tokens of `response`, which follows `prompt`.

    The text is read without any steering, so that a score says what the words carry and not what was added.
    """
    if not response:
        return empty_average(model)
    with record(model.blocks) as recording:
        model.model(mx.array([[*prompt, *response]]), cache=make_prompt_cache(model.model))
    streams = [recording.latest[layer][0, len(prompt) :].astype(mx.float32) for layer in range(len(model.blocks))]
    mean = mx.stack([h.mean(axis=0) for h in streams])  # (layers, D)
    norm = mx.stack([mx.linalg.norm(h, axis=-1).mean() for h in streams])
    return Average(np.array(mean), np.array(norm), len(response))


def empty_average(model: Model) -> Average:
    """Return the average over no token at all, which is zero."""
    layers, width = model.fingerprint.layers, model.fingerprint.width
    return Average(np.zeros((layers, width), np.float32), np.zeros(layers, np.float32), 0)
