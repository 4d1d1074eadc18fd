"""What the unsteered model thinks likely."""

from collections.abc import Generator, Sequence

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from billy_mlx.errors import UsageError
from billy_mlx.model.model import Model
from billy_mlx.model.prefill import ForwardPass, RowToRead, read_passages


def next_token_probabilities(
    model: Model, prompts: Sequence[Sequence[int]], tokens: Sequence[int]
) -> Generator[int, None, NDArray[np.float32]]:
    """Return how probable each of `tokens` is right after each of N prompts, as (N, len(tokens)).

    The softmax is over the whole vocabulary. Yields how many prompts are read so far, after every batch of them.

    Raises:
        UsageError: a prompt is empty.
    """
    if not all(prompts):
        raise UsageError("The prompt is empty; give the text to go on from")
    asked = mx.array(list(tokens), mx.int32)
    lengths = [len(prompt) for prompt in prompts]

    def measure(piece: ForwardPass) -> Sequence[mx.array]:
        last = np.array([lengths[place] - 1 for place in piece.places]) - piece.positions.start
        here = (last >= 0) & (last < len(piece.positions))
        columns = mx.array(np.where(here, last, 0))[:, None, None]
        logits = mx.take_along_axis(piece.logits, columns, axis=1)[:, 0].astype(mx.float32)  # (B, V)
        return [mx.where(mx.array(here)[:, None], mx.softmax(logits, axis=-1)[:, asked], 0)]

    passages = [RowToRead(tuple(prompt), len(prompt) - 1) for prompt in prompts]
    probabilities = np.zeros((len(prompts), len(tokens)), np.float32)
    done = 0
    for batch in read_passages(model, passages, measure):
        probabilities[list(batch.places)] = batch.sums[0]
        done += len(batch.places)
        yield done
    return probabilities


def log_likelihoods(logits: mx.array, following: mx.array) -> mx.array:
    """Return the natural logarithm of the probability of every `following` token, (B, T) float32.

    Args:
        logits: (B, T, V) of any dtype.
        following: (B, T) the token that came after.
    """
    wide = logits.astype(mx.float32)
    chosen = mx.take_along_axis(wide, following[..., None], axis=-1)[..., 0]
    return chosen - mx.logsumexp(wide, axis=-1)
