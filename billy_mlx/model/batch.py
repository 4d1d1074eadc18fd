"""Rows that go through the model together: one forward pass and one draw per step, none of which is waited for here."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

import mlx.core as mx
from mlx_lm.generate import generation_stream

from billy_mlx.model.cache import Cache, keep_rows
from billy_mlx.model.layers import Patch, Recording, Steering, record, stack, steer
from billy_mlx.model.model import Model
from billy_mlx.model.rows import RowState
from billy_mlx.model.sample import biased, breaker_tokens, draw, less_repeated, penalties, row_keys
from billy_mlx.model.thinking import ThinkingGate

Observer = Callable[[Sequence[int], Mapping[int, mx.array], mx.array | None], Sequence[mx.array]]
"""Called with the indices of R rows, each layer's stream (R, 1, D) at the token just read, and (R,) which of these
tokens belong to a response, None while they are the last ones of the prompts; returns what must be evaluated with this
step."""


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
        self._thinking = ThinkingGate([state.row.thinking for state in states])
        self._contexts = [mx.array(list(state.row.prompt)) for state in states]
        self._breakers: frozenset[int] | None = None
        self._never_excluded = _never_excluded(model) if any(s.row.sampling.xtc_probability for s in states) else None
        self._steering = Steering({})
        self._patch: Patch | None = None
        self._recording: Recording | None = None
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
            keep_rows(self.cache, keep)
            self._keys = self._keys[mx.array(list(keep))]
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
                if self._observer is not None:
                    patches.enter_context(self._recorded())
                logits = self._model.model(feed[:, None], cache=self.cache)[:, -1]
            if self._model.unspelt is not None:
                logits = logits + self._model.unspelt.astype(logits.dtype)
            logits = self._penalised(logits, feed, n)
            samplings = [state.row.sampling for state in self.states]
            drawn = draw(logits, samplings, self._keys + mx.array([n, 0], mx.uint32), self._kept_by_xtc())
            mx.async_eval(drawn, *self._thinking.to_evaluate(), *self._observe(feed, n))
        return drawn

    def _steered(self) -> Patch:
        if self._patch is None:
            self._patch = steer(self._model.blocks, self._steering)
        return self._patch

    def _recorded(self) -> Recording:
        if self._recording is None:
            self._recording = record(self._model.blocks)
        return self._recording

    def _gate(self, feed: mx.array, n: int) -> None:
        """Hold the directions back in rows that are still thinking, but for those that are steered everywhere."""
        if self._thinking.open is None:
            return
        directions = self._directions
        if any(state.thinks for state in self.states):
            if n > 0:
                self._thinking.see(feed, first=n == 1)
            everywhere = mx.array([state.directions.everywhere for state in self.states])
            gate = (self._thinking.open | everywhere)[:, None, None]
            directions = {layer: direction * gate for layer, direction in directions.items()}
        else:
            self._thinking.done()
        self._steering.switch(directions, norm_preserving=self._norm_preserving)

    def _observe(self, feed: mx.array, n: int) -> Sequence[mx.array]:
        if self._observer is None or self._recording is None:
            return ()
        rows = [state.index for state in self.states]
        if n == 0:
            return self._observer(rows, self._recording.latest, None)
        # Which tokens belong to a response is known without waiting for their values.
        counted = (feed[:, None] != self._ends()).all(axis=-1)
        if self._thinking.open is not None:
            counted = counted & self._thinking.open
        return self._observer(rows, self._recording.latest, counted)

    def _kept_by_xtc(self) -> list[tuple[int, ...]] | None:
        """Return the tokens that XTC leaves alone in each row."""
        if self._never_excluded is None:
            return None
        return [(*self._never_excluded, *state.row.end_tokens) for state in self.states]

    def _ends(self) -> mx.array:
        """Return (R, E), the tokens that end each row, filled up with what is no token."""
        ends = [sorted({*self._model.tokenizer.eos_token_ids, *state.row.end_tokens}) for state in self.states]
        width = max(1, *map(len, ends))
        return mx.array([[*row, *[-1] * (width - len(row))] for row in ends])

    def _penalised(self, logits: mx.array, feed: mx.array, n: int) -> mx.array:
        samplings = [state.row.sampling for state in self.states]
        if not any(each.logit_bias or each.recent or each.needs_tokens for each in samplings):
            return logits
        return mx.concatenate(
            [self._penalised_row(place, logits[place][None], feed, n) for place in range(len(self.states))]
        )

    def _penalised_row(self, place: int, logits: mx.array, feed: mx.array, n: int) -> mx.array:
        state = self.states[place]
        sampling = state.row.sampling
        logits = biased(logits, sampling)
        if sampling.recent:
            if n > 0:
                self._contexts[place] = mx.concatenate([self._contexts[place], feed[place][None]])
            self._contexts[place] = self._contexts[place][-sampling.recent :]
            logits = less_repeated(logits, self._contexts[place], sampling)
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


def _never_excluded(model: Model) -> tuple[int, ...]:
    """Return the tokens that XTC leaves alone, as mlx-lm does: those that end the text, and the new line."""
    tokenizer = model.tokenizer
    kept = {*tokenizer.eos_token_ids, *tokenizer.encode("\n", add_special_tokens=False)}
    return tuple(sorted(token for token in kept if token < model.shape.outputs))
