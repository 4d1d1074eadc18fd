"""What goes on in a model while it writes or reads words: its residual stream, and how likely it finds them.

Persona vectors are made of response-average activations, and texts are placed along vectors by them.
"""

import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from billy_mlx.model.layers import UNSTEERED, Directions, Recording, record
from billy_mlx.model.model import Model
from billy_mlx.model.prefill import ForwardPass, Measured, RowToRead, read_passages
from billy_mlx.steps import finish

Floats = NDArray[np.float32]

_LARGEST_EXPONENT = 700.0  # the exponential of more is no float any more


@dataclass(frozen=True)
class Average:
    """The residual stream of one row, averaged over its response tokens.

    Attributes:
        mean: (layers, D) float32.
        norm: (layers,) mean norm of the residual.
        tokens: how many tokens were averaged over; with 0 the other two are zero.
        start: (layers, D) float32, the residual at the last token of the prompt, where the first token is drawn; zero
            for a row that never came to it.
    """

    mean: Floats
    norm: Floats
    tokens: int
    start: Floats

    @property
    def steered(self) -> Floats:
        """The mean (layers, D) over the tokens that are steered: the last one of the prompt, and the response's."""
        share = np.float32(1 / (self.tokens + 1))
        return np.asarray(self.start * share + self.mean * (self.tokens * share), np.float32)


@dataclass(frozen=True)
class Text:
    """Tokens to read: `response` is what is asked about, `prompt` what stands before it."""

    prompt: tuple[int, ...]
    response: tuple[int, ...]


@dataclass(frozen=True)
class Reading:
    """What the unsteered model makes of a response.

    Attributes:
        average: of the residual stream over the response's tokens; its `start` is zero where no prompt stands before.
        log_likelihood: sum of the natural logarithms of their probabilities, each given all that stands before it. A
            first token with no prompt before it adds nothing.
    """

    average: Average
    log_likelihood: float

    @property
    def perplexity(self) -> float:
        """The inverse of the geometric mean of the tokens' probabilities: 1 is the least; also of no token at all."""
        return math.exp(min(-self.log_likelihood / max(self.average.tokens, 1), _LARGEST_EXPONENT))


class ResponseAverages:
    """An observer of decoding that keeps a running sum per row and layer, in float32 whatever the model's dtype."""

    def __init__(self) -> None:
        self._rows: list[int] = []
        self._starts: dict[int, mx.array] = {}
        self._sums: list[mx.array] = []
        self._done: dict[int, Average] = {}

    def __call__(
        self, rows: Sequence[int], stream: Mapping[int, mx.array], counted: mx.array | None
    ) -> Sequence[mx.array]:
        """Add the streams (R, 1, D) of one token of each of `rows`, where `counted` (R,) says it is of a response.

        Without `counted` they are those of the last tokens of the prompts.
        """
        h = mx.stack([stream[layer][:, 0] for layer in sorted(stream)], axis=1).astype(mx.float32)  # (R, layers, D)
        if counted is None:
            self._starts |= dict(zip(rows, h, strict=True))
            return [h]
        weight = counted.astype(mx.float32)
        token = [h * weight[:, None, None], mx.linalg.norm(h, axis=-1) * weight[:, None], weight]
        if list(rows) != self._rows:
            self._turn_to(list(rows))
        self._sums = [total + new for total, new in zip(self._sums, token, strict=True)] if self._sums else token
        return self._sums

    def averages(self) -> dict[int, Average]:
        """Return the average of every row seen, by row."""
        self._turn_to([])
        return self._done

    def _turn_to(self, rows: list[int]) -> None:
        """Put away the rows that have ended. Rows only ever end, or give way to other rows altogether."""
        staying = [place for place, row in enumerate(self._rows) if row in rows]
        if self._sums:
            for place, row in enumerate(self._rows):
                if row not in rows:
                    total, norms, tokens = (each[place] for each in self._sums)
                    self._done[row] = _average(total, norms, tokens, self._starts.pop(row))
        self._sums = [total[mx.array(staying)] for total in self._sums] if staying else []
        self._rows = rows


def read_all(model: Model, texts: Sequence[Text]) -> Generator[int, None, list[Reading]]:
    """Return what the model makes of each of `texts`, yielding how many are read so far after every batch.

    The texts are read without any steering, so that a score says what the words carry and not what was added.

    Raises:
        UnsteerableModel: the model's residual stream cannot be read.
    """
    readings = [Reading(empty_average(model), 0.0)] * len(texts)
    done = sum(not text.response for text in texts)
    for places, batch in _read(model, texts, likelihoods=True):
        for place, average, likelihood in zip(places, _averages(batch), batch.sums[-1], strict=True):
            readings[place] = Reading(average, float(likelihood))
        done += len(places)
        yield done
    return readings


def read_averages(model: Model, texts: Sequence[Text]) -> Generator[int, None, list[Average]]:
    """Return the averages of `read_all` without the likelihoods: what comes after each token is not worked out.

    Raises:
        UnsteerableModel: the model's residual stream cannot be read.
    """
    averages = [empty_average(model)] * len(texts)
    done = sum(not text.response for text in texts)
    for places, batch in _read(model, texts, likelihoods=False):
        for place, average in zip(places, _averages(batch), strict=True):
            averages[place] = average
        done += len(places)
        yield done
    return averages


def read(model: Model, prompt: Sequence[int], response: Sequence[int]) -> Average:
    """Return the residual stream averaged over the tokens of `response`, as `read_averages` does for many."""
    return finish(read_averages(model, [Text(tuple(prompt), tuple(response))]))[0]


def mean_residuals(model: Model, texts: Sequence[Text], layer: int) -> Generator[int, None, Floats]:
    """Return (N, D), the residual stream at one layer averaged over each response's tokens, yielding how many are read.

    A third of the work of `read_all`: of what lies further up only the beginning that all texts share is computed, and
    no likelihood. Zeros for a text without a response.

    Raises:
        UnsteerableModel: the model's residual stream cannot be read.
    """
    means = np.zeros((len(texts), model.fingerprint.width), np.float32)
    asked = [place for place, text in enumerate(texts) if text.response]
    recording, own = record(model.blocks), [texts[place] for place in asked]

    def measure(piece: ForwardPass) -> Sequence[mx.array]:
        h = recording.latest[layer]
        recording.latest.clear()
        inside, _ = _counted(own, piece)
        return [_summed(h, inside), inside.sum(axis=1)]

    done = len(texts) - len(asked)
    for batch in read_passages(model, [_passage(text) for text in own], measure, patch=recording):
        streams, tokens = batch.sums
        means[[asked[place] for place in batch.places]] = streams / tokens[:, None]
        done += len(batch.places)
        yield done
    return means


def read_likelihoods(
    model: Model, texts: Sequence[Text], added: Directions = UNSTEERED
) -> Generator[int, None, NDArray[np.float64]]:
    """Return (N,), how likely each response is as `Reading.log_likelihood` has it, yielding how many are read.

    Args:
        model: reads; nothing is recorded of its stream.
        texts: with their prompts.
        added: steers the reading as `generate` does the writing, from the last token of the prompt on or everywhere.

    Raises:
        UnsteerableModel: something is to be added, and that cannot be done to this model.
    """
    likelihoods = np.zeros(len(texts))
    asked = [place for place, text in enumerate(texts) if text.response]
    own = [texts[place] for place in asked]

    def measure(piece: ForwardPass) -> Sequence[mx.array]:
        return [_likelihoods(own, piece)]

    done = len(texts) - len(asked)
    for batch in read_passages(model, [_passage(text) for text in own], measure, added=added):
        likelihoods[[asked[place] for place in batch.places]] = batch.sums[0]
        done += len(batch.places)
        yield done
    return likelihoods


def log_likelihoods(logits: mx.array, following: mx.array) -> mx.array:
    """Return the natural logarithm of the probability of every `following` token, (B, T) float32.

    Args:
        logits: (B, T, V) of any dtype.
        following: (B, T) the token that came after.
    """
    wide = logits.astype(mx.float32)
    chosen = mx.take_along_axis(wide, following[..., None], axis=-1)[..., 0]
    return chosen - mx.logsumexp(wide, axis=-1)


def empty_average(model: Model) -> Average:
    """Return the average over no token at all, which is zero."""
    layers, width = model.fingerprint.layers, model.fingerprint.width
    nothing = np.zeros((layers, width), np.float32)
    return Average(nothing, np.zeros(layers, np.float32), 0, nothing)


def project(activations: Floats, vector: Floats, neutral_mean: Floats, scale: Floats) -> Floats:
    """Return how far activations lie along a persona vector, at every layer.

    Args:
        activations: (N, layers, D) response-average activations.
        vector: (layers, D) the persona vector, of any length.
        neutral_mean: (layers, D) what counts as 0.
        scale: (layers,) what counts as 1: the distance between the poles along the vector.

    Returns:
        (N, layers): 0 for the average neutral answer, 1 for the persona's.
    """
    unit = vector / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-12)
    along = np.einsum("nld,ld->nl", activations - neutral_mean, unit)
    return np.asarray(along / np.maximum(scale, 1e-12), np.float32)


def _average(total: mx.array, norms: mx.array, tokens: mx.array, start: mx.array) -> Average:
    count = int(np.array(tokens))
    share = np.float32(1 / max(count, 1))
    return Average(np.array(total) * share, np.array(norms) * share, count, np.array(start))


def _read(model: Model, texts: Sequence[Text], *, likelihoods: bool) -> Iterator[tuple[tuple[int, ...], Measured]]:
    """Yield the texts' places and the sums of every batch; a text without a response is in none."""
    asked = [place for place, text in enumerate(texts) if text.response]
    recording = record(model.blocks)
    measure = _Measure([texts[place] for place in asked], recording, likelihoods)
    passages = [_passage(texts[place]) for place in asked]
    for batch in read_passages(model, passages, measure, patch=recording):
        yield tuple(asked[place] for place in batch.places), batch


@dataclass(frozen=True, eq=False)
class _Measure:
    """Sums over the responses' tokens in a piece: streams (B, layers, D), norms (B, layers), count.

    Then the stream (B, layers, D) at the token before the response and, where they are wanted, likelihoods (B,).
    """

    texts: Sequence[Text]
    recording: Recording
    likelihoods: bool

    def __call__(self, piece: ForwardPass) -> Sequence[mx.array]:
        streams = [self.recording.latest.pop(layer) for layer in sorted(self.recording.latest)]
        inside, _ = _counted(self.texts, piece)
        return [
            mx.stack([_summed(h, inside) for h in streams], axis=1),
            mx.stack([_summed(mx.linalg.norm(h.astype(mx.float32), axis=-1), inside) for h in streams], axis=1),
            inside.sum(axis=1),
            mx.stack([_summed(h, _at_start(self.texts, piece)) for h in streams], axis=1),
            *([_likelihoods(self.texts, piece)] if self.likelihoods else []),
        ]


def _at_start(texts: Sequence[Text], piece: ForwardPass) -> mx.array:
    """Return (B, T): which token of a piece is the last one before its response."""
    last = np.array([len(texts[place].prompt) - 1 for place in piece.places])
    return mx.array(np.array(piece.positions)[None] == last[:, None])


def _likelihoods(texts: Sequence[Text], piece: ForwardPass) -> mx.array:
    """Return (B,), the sum over the responses' tokens that this piece foretells."""
    own = [texts[place] for place in piece.places]
    _, foretold = _counted(texts, piece)
    following = mx.array([[_token(text, position + 1) for position in piece.positions] for text in own])
    return mx.where(foretold, log_likelihoods(piece.logits, following), 0).sum(axis=1)


def _counted(texts: Sequence[Text], piece: ForwardPass) -> tuple[mx.array, mx.array]:
    """Return two of (B, T): which tokens of a piece are of the responses, and which foretell one of those."""
    own = [texts[place] for place in piece.places]
    at = np.array(piece.positions)[None]
    first = np.array([len(text.prompt) for text in own])[:, None]
    end = np.array([len(text.prompt) + len(text.response) for text in own])[:, None]
    return mx.array((at >= first) & (at < end)), mx.array((at >= first - 1) & (at < end - 1))


def _passage(text: Text) -> RowToRead:
    # The token before the response foretells its first one.
    return RowToRead(text.prompt + text.response, max(len(text.prompt) - 1, 0))


def _token(text: Text, position: int) -> int:
    beyond = position - len(text.prompt)
    return text.response[beyond] if 0 <= beyond < len(text.response) else 0


def _summed(values: mx.array, counted: mx.array) -> mx.array:
    """Return the sum of `values` (B, T, ...) over T in float32; what stands beyond a text may be anything."""
    counted = counted.reshape(*counted.shape, *[1] * (values.ndim - 2))
    return mx.where(counted, values.astype(mx.float32), 0).sum(axis=1)


def _averages(batch: Measured) -> list[Average]:
    streams, norms, tokens, starts = batch.sums[:4]
    return [
        Average(streams[row] / count, norms[row] / count, int(count), starts[row]) for row, count in enumerate(tokens)
    ]
