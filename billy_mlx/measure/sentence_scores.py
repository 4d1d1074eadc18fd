"""How much each sentence of a paragraph is of each persona, read by the unsteered model, a small step at a time."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import mlx.core as mx
import numpy as np
from mlx_lm.generate import generation_stream
from mlx_lm.models.cache import make_prompt_cache
from numpy.typing import NDArray

from billy_mlx.measure.activations import project
from billy_mlx.model.cache import Cache
from billy_mlx.model.layers import record
from billy_mlx.model.memory import wired
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import going_on_prompt
from billy_mlx.sentences import starts

Floats = NDArray[np.float32]

_ASKED = "Write a passage of a story."  # directions are of answers, so a paragraph is read as one
_STEP = 64  # tokens in one forward pass: a writer who begins to write waits no longer than for these


@dataclass(frozen=True, eq=False)
class Scale:
    """Where a persona is measured, at one layer, and what counts as 0 and 1 of it.

    Attributes:
        layer: whose outgoing residual stream is read, from 0.
        direction: (D,) the persona vector, of any length.
        neutral_mean: (D,) what counts as 0.
        unit: what counts as 1: the distance between the poles along the direction.
    """

    layer: int
    direction: Floats
    neutral_mean: Floats
    unit: float


@dataclass(frozen=True)
class Sentence:
    """One sentence, characters `start` to `end` of its paragraph, and its scores by persona."""

    start: int
    end: int
    scores: Mapping[str, float]


class SentenceReader:
    """Reads paragraphs with one model; what stands before all of them is read once.

    Args:
        scales: by persona; at least one.
    """

    def __init__(self, model: Model, scales: Mapping[str, Scale]) -> None:
        self._model, self._scales = model, scales
        self._before = going_on_prompt(model.tokenizer, "", user=_ASKED)
        self._beginning: Cache | None = None

    def read(self, paragraph: str) -> Iterator[tuple[Sentence, ...] | None]:
        """Yield None after every step, and at last the sentences of `paragraph`.

        A sentence is scored by the average over its tokens, given all that stands before it. What the model's context
        does not hold is left out.

        Raises:
            UnsteerableModel: the model's residual stream cannot be read.
        """
        tokens, spans = self._spans(paragraph)
        last = self._model.context_length or len(tokens)
        spans = [span for span in spans if span.last <= last]
        if not spans:
            yield ()
            return
        if self._beginning is None:
            self._beginning = make_prompt_cache(self._model.model)
            for at in range(0, len(self._before), _STEP):
                self._forward(self._before[at : at + _STEP], self._beginning)
                yield None
        cache, first = copy.deepcopy(self._beginning), len(self._before)
        sums = np.zeros((len(spans), len(self._layers), self._model.width), np.float32)
        for at in range(first, spans[-1].last, _STEP):
            sums += self._forward(tokens[at : min(at + _STEP, spans[-1].last)], cache, at, spans)
            yield None
        yield self._sentences(spans, sums)

    @property
    def _layers(self) -> list[int]:
        return sorted({scale.layer for scale in self._scales.values()})

    def _spans(self, paragraph: str) -> tuple[list[int], list["_Span"]]:
        """Return the tokens of all that is read, and which of them are whose.

        A sentence's first token is found by counting those of all before it, which goes with every tokenizer. The white
        space before a sentence belongs to it, as tokenizers join it to the word that follows.
        """
        begins = [place for place in starts(paragraph) if paragraph[place:].strip()]
        ends = [*(len(paragraph[:place].rstrip()) for place in begins[1:]), len(paragraph.rstrip())]
        tokens = self._tokens(paragraph.rstrip())
        borders = [len(self._before), *(len(self._tokens(paragraph[:end])) for end in ends[:-1]), len(tokens)]
        # Where a token reaches over a border, it is the later sentence's; each has one at least.
        firsts = [min(first, len(tokens) - 1) for first in borders[:-1]]
        return tokens, [
            _Span(start, end, first, max(last, first + 1))
            for start, end, first, last in zip(begins, ends, firsts, borders[1:], strict=True)
        ]

    def _tokens(self, text: str) -> list[int]:
        return going_on_prompt(self._model.tokenizer, text, user=_ASKED)

    def _forward(self, tokens: list[int], cache: Cache, at: int = 0, spans: Sequence["_Span"] = ()) -> Floats:
        """Read `tokens`, which begin at position `at`, and return (spans, layers, D): the streams' sums over each."""
        self._model.require_known(tokens)
        positions = np.arange(at, at + len(tokens))
        inside = np.array([(span.first <= positions) & (positions < span.last) for span in spans], np.float32)
        with wired(), mx.stream(generation_stream):
            with record(self._model.blocks) as recording:
                self._model.model(mx.array([tokens]), cache=cache)  # nobody asks for the logits: they are not computed
            streams = [recording.latest[layer][0].astype(mx.float32) for layer in self._layers]
            recording.latest.clear()
            sums = mx.stack([mx.array(inside) @ h for h in streams], axis=1) if spans else mx.zeros(0)
            mx.eval(sums, [part.state for part in cache])
        return np.array(sums)

    def _sentences(self, spans: Sequence["_Span"], sums: Floats) -> tuple[Sentence, ...]:
        lengths = np.array([span.last - span.first for span in spans], np.float32)
        means = sums / lengths[:, None, None]
        scales = list(self._scales.values())
        found = project(  # every persona at the layer where it is read: (spans, personas, D)
            means[:, [self._layers.index(scale.layer) for scale in scales]],
            np.stack([scale.direction for scale in scales]),
            np.stack([scale.neutral_mean for scale in scales]),
            np.array([scale.unit for scale in scales], np.float32),
        )
        return tuple(
            Sentence(span.start, span.end, dict(zip(self._scales, map(float, row), strict=True)))
            for span, row in zip(spans, found, strict=True)
        )


@dataclass(frozen=True)
class _Span:
    """A sentence's characters, `start` to `end`, and its tokens, `first` to `last`, the last ones not included."""

    start: int
    end: int
    first: int
    last: int
