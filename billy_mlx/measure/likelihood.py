"""What a model thinks likely: tokens that come next, and sentences written by hand.

The sentences measure what steering or a system prompt does, without asking the model to write: neither sampling nor a
reader of texts comes between.
"""

from collections.abc import Callable, Generator, Sequence
from functools import partial

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from billy_mlx.errors import UsageError
from billy_mlx.measure.activations import Text, read_likelihoods
from billy_mlx.model.layers import UNSTEERED, Directions
from billy_mlx.model.model import Model
from billy_mlx.model.prefill import ForwardPass, RowToRead, read_passages
from billy_mlx.model.prompt import check_length, going_on_prompt

Opening = Callable[[str], Sequence[int]]
"""Gives the tokens of an answer that has begun with a text, those of the prompt before it included."""


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


def opening(model: Model, asked: str, *, system: str | None = None) -> Opening:
    """Return what puts a text after a prompt, as the beginning of the model's answer."""
    return partial(going_on_prompt, model.tokenizer, user=asked, system=system)


def likelihoods_per_token(
    model: Model, sentences: Sequence[str], begun: Opening, added: Directions = UNSTEERED
) -> Generator[int, None, NDArray[np.float64]]:
    """Return (N,), each sentence's mean log-probability in nats a token, yielding how many are read.

    Subtract a reading of the plain prompt without steering to get what steering or a system prompt gains.

    Args:
        model: reads, and is steered.
        sentences: to be read as answers.
        begun: puts the prompt before them.
        added: as `generate` adds them, from the last token of the prompt on or everywhere.

    Raises:
        UsageError: a sentence has no words, or is too long for the model's context.
        UnsteerableModel: something is to be added, and that cannot be done to this model.
    """
    texts = _texts(model, sentences, begun)
    likelihoods = yield from read_likelihoods(model, texts, added)
    return likelihoods / np.array([len(text.response) for text in texts], np.float64)


def _texts(model: Model, sentences: Sequence[str], begun: Opening) -> list[Text]:
    """Return the sentences as tokens behind their prompt, which has as many as without a sentence."""
    before = len(begun(""))
    texts = []
    for sentence in sentences:
        whole = list(begun(sentence.strip()))
        check_length(model, whole, 0)
        if len(whole) <= before:
            raise UsageError("A sentence has no words; write it out or leave it away")
        texts.append(Text(tuple(whole[:before]), tuple(whole[before:])))
    return texts
