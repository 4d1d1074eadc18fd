"""Whether a running draft still holds together: how strange its latest words are to the unsteered model.

Strange is no fault by itself: where much could follow, the model's own words are unlikely as well. So a draft is held
against what the unsteered model would have drawn at the same places, which needs no text of its own to compare with.
"""

import math
from collections import deque
from collections.abc import Sequence

import mlx.core as mx
from mlx_lm.generate import generation_stream
from mlx_lm.models.cache import make_prompt_cache

from billy_mlx.engine.messages import Coherence, Job
from billy_mlx.measure.activations import log_likelihoods
from billy_mlx.model.cache import Cache
from billy_mlx.model.model import Model
from billy_mlx.model.sampling import Sampling

_CHUNK = 24  # tokens that are read at once: few, since the writer's own wait meanwhile
_BEFORE = 3 * _CHUNK  # tokens of the prompt that are read
_LATEST = 2 * _CHUNK  # tokens that are judged
_APART = 6  # tokens the writer gets between two chunks, at least
_MOST_RECENT = 256  # tokens on which repetition is penalised, as far as is looked at
_COLD = 1e-3  # a temperature that takes the likeliest
_LARGEST_EXPONENT = 700.0  # the exponential of more is no float any more


class Gauge:
    """Follows one voice of a draft. Its cache is only ever added to, so that it serves any model.

    Args:
        model: what writes; it must not be steered while the gauge reads.
        prompt: what the draft goes on from, at least one token.
        sampling: how the draft is drawn, and what it is compared with.
        voice: which of a batch it is.
    """

    def __init__(self, model: Model, prompt: Sequence[int], sampling: Sampling, voice: int = 0) -> None:
        self._model, self._sampling, self._voice = model, sampling, voice
        self._cache: Cache = make_prompt_cache(model.model)
        self._waiting = list(prompt[-_BEFORE:])
        self._width = min(sampling.repetition_context, _MOST_RECENT)
        self._recent = list(prompt[:-_BEFORE][-self._width :])
        self._foretell_prompt = len(self._waiting) - 1  # tokens, of those to read, that are not followed by the draft's
        self._taken = voice  # tokens; from there on, so that not all voices of a batch are read at once
        self._surprise: deque[float] = deque(maxlen=_LATEST)
        self._expected: deque[float] = deque(maxlen=_LATEST)

    def take(self, token: int) -> bool:
        """Take note of the draft's next token, and return whether it is time to read."""
        self._waiting.append(token)
        self._taken += 1
        return self._taken % _APART == 0 and len(self._waiting) > _CHUNK

    def read(self, job: Job) -> Coherence | None:
        """Read a chunk of what was taken, and return how the draft holds together if enough of it is read."""
        chunk, following = self._waiting[:_CHUNK], self._waiting[1 : _CHUNK + 1]
        del self._waiting[:_CHUNK]
        surprise, expected = self._forward(chunk, following)
        of_prompt = min(self._foretell_prompt, _CHUNK)
        self._foretell_prompt -= of_prompt
        self._surprise.extend(surprise[of_prompt:])
        self._expected.extend(expected[of_prompt:])
        if of_prompt == _CHUNK or len(self._surprise) < _LATEST:
            return None
        nats, usual = sum(self._surprise) / _LATEST, sum(self._expected) / _LATEST
        return Coherence(job, self._voice, _exp(nats), _exp(nats - usual))

    def _forward(self, chunk: Sequence[int], following: Sequence[int]) -> tuple[list[float], list[float]]:
        """Return how surprising, in nats, each of `following` was, and what the model would have drawn there."""
        self._recent = [*self._recent[-self._width :], *chunk]
        windows = _windows(self._recent, len(chunk), self._width)
        with mx.stream(generation_stream):
            logits = self._model.model(mx.array([chunk]), cache=self._cache)
            surprise = -log_likelihoods(logits, mx.array([following]))[0]
            expected = expected_surprise(logits[0], mx.array(windows), self._sampling)
            del logits  # so that they go as soon as the results are there
            mx.eval(surprise, expected, [part.state for part in self._cache])
        mx.clear_cache()
        return surprise.tolist(), expected.tolist()  # type: ignore[return-value]  # of one dimension each


def expected_surprise(logits: mx.array, recent: mx.array, sampling: Sampling) -> mx.array:
    """Return (T,) float32: the nats by which a draw by `sampling` surprises on average, by the logits as they are.

    Of `sampling` only the penalty on repetition, min_p and the temperature count; the rest changes little, or is rare.

    Args:
        logits: (T, V) of any dtype.
        recent: (T, W) the tokens that the penalty is on at each place.
        sampling: how is drawn.
    """
    wide = logits.astype(mx.float32)
    chosen, penalty = mx.take_along_axis(wide, recent, axis=-1), sampling.repetition_penalty
    scores = mx.put_along_axis(wide, recent, mx.where(chosen < 0, chosen * penalty, chosen / penalty), axis=-1)
    if sampling.min_p > 0:
        scores = mx.where(scores < scores.max(axis=-1, keepdims=True) + math.log(sampling.min_p), -mx.inf, scores)
    drawn = mx.softmax(scores / (sampling.temperature or _COLD), axis=-1)
    return mx.logsumexp(wide, axis=-1) - (drawn * wide).sum(axis=-1)


def _windows(tokens: Sequence[int], count: int, width: int) -> list[list[int]]:
    """Return the `width` tokens up to each of the last `count` ones; where there are fewer, the first is repeated."""
    ends = range(len(tokens) - count + 1, len(tokens) + 1)
    windows = [list(tokens[max(0, end - width) : end]) for end in ends]
    return [[window[0]] * (width - len(window)) + window for window in windows]


def _exp(nats: float) -> float:
    return math.exp(min(nats, _LARGEST_EXPONENT))
