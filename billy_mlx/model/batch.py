"""Rows that go through the model together: one forward pass and one draw per step, nothing read back in between."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

import mlx.core as mx
from mlx_lm.generate import generation_stream

from billy_mlx.model.cache import Cache
from billy_mlx.model.layers import Patch, Steering, record, stack, steer
from billy_mlx.model.load import Model
from billy_mlx.model.repetition import breaker_tokens, penalties
from billy_mlx.model.rows import RowState, Thinking
from billy_mlx.model.sample import draw, repetition_penalty, row_keys

Observer = Callable[[Sequence[int], Mapping[int, mx.array], mx.array], Sequence[mx.array]]
"""Called with the indices of R rows, each layer's stream (R, 1, D) at the token just read, and (R,) which of these
tokens belong to a response; returns what must be evaluated with this step."""


class Batch:
    """R rows with one cache, stepped together.

    Attributes:
        states: the rows still going, in the order of the cache's rows.
    """

    def __init__(self, model: Model, states: Sequence[RowState], cache: Cache, observer: Observer | None) -> None:
        self.states = list(states)
        self.cache = cache
        self._model = model
        self._observer = observer
        self._keys = row_keys([state.row.seed for state in states])
        self._thinking = _ThinkingGate([state.row.thinking for state in states])
        self._contexts = [mx.array(list(state.row.prompt)) for state in states]
        self._breakers: frozenset[int] | None = None
        self._steering = Steering({})
        self._patch: Patch | None = None
        self.restack()

    @property
    def needs_tokens(self) -> bool:
        """Whether a row's sampling must know the tokens so far on the host."""
        return any(state.row.sampling.needs_tokens for state in self.states)

    def restack(self) -> None:
        """Take up the rows' directions as they are now; they hold from the next step on."""
        rows = [state.directions for state in self.states]
        self._directions = stack(rows)
        flags = [row.norm_preserving for row in rows]
        self._norm_preserving = mx.array(flags)[:, None, None] if any(flags) else False
        self._steering.switch(self._directions, norm_preserving=self._norm_preserving)

    def narrow(self, keep: Sequence[int]) -> None:
        """Go on with the rows at places `keep` only; the others cost nothing from here on."""
        if len(keep) == len(self.states):
            return
        self.states = [self.states[place] for place in keep]
        if keep:
            places = mx.array(list(keep))
            for part in self.cache:
                part.filter(places)
            self._keys = self._keys[places]
            self._thinking.narrow(keep)
            self._contexts = [self._contexts[place] for place in keep]
            self.restack()

    def step(self, feed: mx.array, n: int) -> mx.array:
        """Read the tokens `feed` (R,) and return the tokens drawn after them (R,), scheduled but not waited for.

        Args:
            feed: a token per row.
            n: the step, from 0, in which the last token of the prompt is read.
        """
        with mx.stream(generation_stream):
            self._gate(feed, n)
            with ExitStack() as patches:
                if self._directions:
                    patches.enter_context(self._steered())
                recording = patches.enter_context(record(self._model.blocks)) if self._observer and n > 0 else None
                logits = self._model.model(feed[:, None], cache=self.cache)[:, -1]
            watched: Sequence[mx.array] = ()
            if recording is not None and self._observer is not None:
                rows = [state.index for state in self.states]
                watched = self._observer(rows, recording.latest, self._counted(feed))
            drawn = draw(self._penalised(logits, feed, n), [s.row.sampling for s in self.states], self._step_keys(n))
            mx.async_eval(drawn, *watched)
        return drawn

    def _steered(self) -> Patch:
        if self._patch is None:
            self._patch = steer(self._model.blocks, self._steering)
        return self._patch

    def _step_keys(self, n: int) -> mx.array:
        return self._keys + mx.array([n, 0], mx.uint32)

    def _gate(self, feed: mx.array, n: int) -> None:
        """Hold the directions back in rows that are still thinking."""
        if n > 0:
            self._thinking.see(feed, first=n == 1)
        if not self._directions or self._thinking.open is None:
            return
        if any(state.thinks for state in self.states):
            gate = self._thinking.open[:, None, None]
            directions = {layer: direction * gate for layer, direction in self._directions.items()}
            self._steering.switch(directions, norm_preserving=self._norm_preserving)
        else:
            self._thinking.done()
            self._steering.switch(self._directions, norm_preserving=self._norm_preserving)

    def _counted(self, feed: mx.array) -> mx.array:
        """Return (R,) bool: the tokens that belong to a response, known without waiting for their values."""
        eos = mx.array(sorted(self._model.tokenizer.eos_token_ids) or [-1])
        counted = (feed[:, None] != eos).all(axis=-1)
        return counted if self._thinking.open is None else counted & self._thinking.open

    def _penalised(self, logits: mx.array, feed: mx.array, n: int) -> mx.array:
        if all(s.row.sampling.repetition_penalty == 1 and not s.row.sampling.needs_tokens for s in self.states):
            return logits
        return mx.concatenate([self._penalised_row(place, logits[place][None], feed, n) for place in self._places()])

    def _places(self) -> range:
        return range(len(self.states))

    def _penalised_row(self, place: int, logits: mx.array, feed: mx.array, n: int) -> mx.array:
        state = self.states[place]
        sampling = state.row.sampling
        if sampling.repetition_penalty != 1:
            if n > 0:
                self._contexts[place] = mx.concatenate([self._contexts[place], feed[place][None]])
            self._contexts[place] = self._contexts[place][-sampling.repetition_context :]
            logits = repetition_penalty(logits, self._contexts[place], sampling.repetition_penalty)
        if sampling.needs_tokens:
            added = penalties(state.context, sampling, self._breaker_tokens())
            if added:
                logits = logits.at[:, mx.array(list(added))].add(mx.array(list(added.values()), logits.dtype))
        return logits

    def _breaker_tokens(self) -> frozenset[int]:
        if self._breakers is None:
            tokenizer = self._model.tokenizer
            texts = tokenizer.batch_decode([[token] for token in range(len(tokenizer.get_vocab()))])
            self._breakers = breaker_tokens(texts)
        return self._breakers


class _ThinkingGate:
    """Which rows are past their thinking block, followed on the device so that decoding stays one step ahead.

    Attributes:
        open: (R,) bool, or None when no row of the batch thinks any more.
    """

    def __init__(self, marks: Sequence[Thinking | None]) -> None:
        self._marks = list(marks)
        self._recent = [mx.array([], mx.uint32) for _ in marks]
        self.open = mx.array([mark is None for mark in marks]) if any(marks) else None

    def see(self, feed: mx.array, *, first: bool) -> None:
        if self.open is None:
            return
        self.open = self.open | mx.stack([self._ends(place, feed[place], first) for place in range(len(self._marks))])

    def narrow(self, keep: Sequence[int]) -> None:
        self._marks = [self._marks[place] for place in keep]
        self._recent = [self._recent[place] for place in keep]
        if self.open is not None:
            self.open = self.open[mx.array(list(keep))]

    def done(self) -> None:
        self.open = None

    def _ends(self, place: int, token: mx.array, first: bool) -> mx.array:
        mark = self._marks[place]
        if mark is None:
            return mx.array(True)
        self._recent[place] = mx.concatenate([self._recent[place], token[None]])[-len(mark.end) :]
        ended = mx.array(False)
        if len(self._recent[place]) == len(mark.end):
            ended = (self._recent[place] == mx.array(mark.end, mx.uint32)).all()
        return ended | (token != mark.start[0]) if first and not mark.opened else ended
