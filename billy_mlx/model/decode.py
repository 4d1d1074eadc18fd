"""Rows through the model, step by step.

Decoding is a generator that yields after every chunk of a prompt and after every token, so that whoever drives it can
do something else in between, change a row's directions, or stop. The model is patched only inside a step: between two
steps anyone else may use it.
"""

import copy
import itertools
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import mlx.core as mx
from mlx_lm.generate import generation_stream
from mlx_lm.models.cache import make_prompt_cache, trim_prompt_cache

from billy_mlx.model.batch import Batch, Observer
from billy_mlx.model.cache import Cache, PromptStore, can_always_trim, join, merge
from billy_mlx.model.layers import Directions, Steering, stack, steer
from billy_mlx.model.memory import wired
from billy_mlx.model.model import Model
from billy_mlx.model.rows import Emitted, Row, RowState, Step

PREFILL_CHUNK = 256
_CLEAR_EVERY = 256


class Decoding:
    """Rows being decoded: iterate over it for `Step`s. A second loop goes on where the first was left.

    Args:
        rows: decoded as one batch; where the model's rows go together only with prompts of one length, or not at all,
            one length after another or one row after another.
        store: caches kept between requests; without it nothing outlives this decoding.
        observer: reads the residual stream of the last token of every prompt and of every response token; with it the
            last token of every row is fed to the model as well, so that it is seen too.

    Raises:
        ModelError: a prompt has a token that the model has no embedding for.
        UsageError: a direction is beyond what the model's residual stream can hold, or a bias is for no token of it.

    Attributes:
        forwarded: tokens sent through the model so far, over all rows.
        reused: prompt tokens that did not have to be read, because a cache held them.
    """

    def __init__(
        self, model: Model, rows: Sequence[Row], *, store: PromptStore | None = None, observer: Observer | None = None
    ) -> None:
        self.forwarded = 0
        self.reused = 0
        self._model = model
        self._states = [RowState(index, row, model.spelling) for index, row in enumerate(rows)]
        for row in rows:
            model.require_known(row.prompt)
            model.require_biasable(row.sampling)
            model.require_addable(row.directions, "A direction")
        self._store = PromptStore() if store is None else store
        self._keeps_store = store is not None
        self._observer = observer
        self._whole = True  # every block has taken up the same tokens: false only within a forward pass
        self._steps = self._run()

    def steer(self, row: int, directions: Directions) -> int:
        """Give a row other directions as soon as can be; return the index of the first token drawn under them.

        Decoding is one token ahead: the token after the last one received keeps the old ones. So does the first token
        if the prompt is being read, and the old or the new directions are for the prompt as well.
        """
        self._model.require_addable(directions, "A direction")
        return self._states[row].steer(directions)

    def plan(self, row: int, directions: Directions, first_token: int) -> None:
        """Give a row other directions from a token on that is not drawn yet, and forget the plans from there on."""
        self._model.require_addable(directions, "A direction")
        self._states[row].plan(directions, first_token)

    def reused_by(self, row: int) -> int:
        """Return how many tokens of a row's prompt a cache held."""
        return self._states[row].reused

    def stop(self, row: int | None = None) -> None:
        """End one row, or all of them, at once; what was written stays."""
        for state in self._states if row is None else [self._states[row]]:
            state.stop_requested = True

    def __iter__(self) -> Iterator[Step]:
        return self._steps

    def __len__(self) -> int:
        return len(self._states)

    def _run(self) -> Iterator[Step]:
        with wired():
            for states in self._together():
                yield from self._decode(states)

    def _together(self) -> list[list[RowState]]:
        """Return the rows in groups that are decoded as one batch, one group after another."""
        if len(self._states) == 1 or not self._model.batches_equals:
            return [[state] for state in self._states]
        if self._model.batches:
            return [self._states]
        by_length: dict[int, list[RowState]] = {}
        for state in self._states:
            by_length.setdefault(len(state.row.prompt), []).append(state)
        return list(by_length.values())

    def _decode(self, states: list[RowState]) -> Iterator[Step]:
        for state in states:
            state.begin()
        starts = [(_prefix(state), state.directions) for state in states]
        progress = _Progress(total=sum(len(prompt) for prompt, _ in {prefix for prefix, _ in starts}))
        caches: dict[Prefix, Cache] = {}
        for prefix, directions in starts:
            sharing = [state for state, (own, _) in zip(states, starts, strict=True) if own == prefix]
            if prefix not in caches and not _stopping(sharing):
                caches[prefix] = yield from self._prefill(prefix, directions, sharing, progress, alone=len(states) == 1)
        if stopped := _interrupt(states):
            yield Step(stopped)
        going = [(state, prefix) for state, (prefix, _) in zip(states, starts, strict=True) if not state.finish_reason]
        if len(states) == 1 and going:
            yield from self._generate_alone(*going[0], caches[going[0][1]])
        elif going:
            merged = (merge if self._model.batches else join)([caches[prefix] for _, prefix in going])
            caches.clear()  # the batch has copies
            if not self._keeps_store:
                self._store.clear()
            yield from self._generate(Batch(self._model, [state for state, _ in going], merged, self._observer))

    def _prefill(
        self,
        prefix: "Prefix",
        directions: Directions,
        sharing: list[RowState],
        progress: "_Progress",
        *,
        alone: bool,
    ) -> Generator[Step, None, Cache]:
        """Read a prompt but for its last token, in chunks, from where a kept cache ends."""
        prompt, key = prefix
        kept, read = self._store.take(prompt, key, branch=not alone)
        cache = make_prompt_cache(self._model.model) if kept is None else kept
        self.reused += read
        for state in sharing:
            state.reused = read
        progress.read += read
        steering = Steering(stack([directions] if key else []), norm_preserving=directions.norm_preserving)
        goes_on = False
        try:
            while read < len(prompt) and not _stopping(sharing):
                chunk = prompt[read : read + PREFILL_CHUNK]
                self._read_chunk(chunk, cache, steer(self._model.blocks, steering) if key else nullcontext())
                read += len(chunk)
                progress.read += len(chunk)
                yield Step(prompt_tokens_read=progress.read, prompt_tokens=progress.total)
            goes_on = alone and not _stopping(sharing)
        finally:
            # Rows of a batch are copied into its cache, so that each prompt's own may serve the next one.
            if self._whole and not goes_on:
                self._store.put(prompt[:read], key, cache)
        return cache

    def _read_chunk(self, chunk: Sequence[int], cache: Cache, patch: AbstractContextManager[object]) -> None:
        self._whole = False
        with mx.stream(generation_stream), patch:
            self._model.model(mx.array([list(chunk)]), cache=cache)
            mx.eval([part.state for part in cache])
        mx.clear_cache()
        self._whole = True
        self.forwarded += len(chunk)

    def _generate_alone(self, state: RowState, prefix: "Prefix", cache: Cache) -> Iterator[Step]:
        """Decode one row in its prompt's own cache, and keep of that cache what can be used again."""
        prompt, key = prefix
        trimmable = can_always_trim(cache)
        if not trimmable:
            self._store.put(prompt, key, copy.deepcopy(cache))
        before = self.forwarded
        try:
            yield from self._generate(Batch(self._model, [state], cache, self._observer))
        finally:
            if trimmable and self._whole:
                # What was written under other directions than the prompt was read cannot be prompt again.
                uniform = not state.switched and key == state.directions.key
                added = self.forwarded - before
                usable = min(added, 1 + len(state.tokens)) if uniform else 0
                trim_prompt_cache(cache, added - usable)
                self._store.put(state.context[: len(prompt) + usable], key, cache)

    def _generate(self, batch: Batch) -> Iterator[Step]:
        drawn = self._step(batch, mx.array([state.row.prompt[-1] for state in batch.states]), 0)
        for n in itertools.count(1):
            states, ahead = batch.states, None
            emitted = self._read(states, drawn) if batch.needs_tokens else ()
            going = [place for place, state in enumerate(states) if self._goes_on(state, n)]
            batch.narrow(going)
            if going:
                ahead = self._step(batch, _take(drawn, going), n)
            emitted = emitted or self._read(states, drawn)
            yield Step(emitted)
            if stopped := _interrupt(batch.states):
                yield Step(stopped)
            alive = [place for place, state in enumerate(batch.states) if state.finish_reason is None]
            batch.narrow(alive)
            if ahead is None or not alive:
                return
            drawn = _take(ahead, alive)
            if n % _CLEAR_EVERY == 0:
                mx.clear_cache()

    def _goes_on(self, state: RowState, n: int) -> bool:
        """Whether the n-th token of a row is fed to the model: the last one only to be observed."""
        return self._observer is not None or (state.finish_reason is None and n < state.row.max_tokens)

    def _step(self, batch: Batch, feed: mx.array, n: int) -> mx.array:
        self._whole = False
        turned = [state.draw(n) for state in batch.states]
        if any(turned):
            batch.restack()
        drawn = batch.step(feed, n)
        self._whole = True
        self.forwarded += feed.size
        return drawn

    def _read(self, states: list[RowState], drawn: mx.array) -> tuple[Emitted, ...]:
        drawn_tokens: list[int] = drawn.tolist()  # type: ignore[assignment]  # waits for the step
        return tuple(state.read(token) for state, token in zip(states, drawn_tokens, strict=True))


Prefix = tuple[tuple[int, ...], str]
"""The tokens before the last one of a prompt, and the key of the directions they are read under."""


def _prefix(state: RowState) -> Prefix:
    return state.row.prompt[:-1], state.directions.key if state.directions.everywhere else ""


def _take(drawn: mx.array, places: list[int]) -> mx.array:
    return drawn if len(places) == drawn.size else drawn[mx.array(places)]


def _stopping(states: list[RowState]) -> bool:
    return all(state.stop_requested for state in states)


def _interrupt(states: list[RowState]) -> tuple[Emitted, ...]:
    return tuple(state.interrupt() for state in states if state.stop_requested and state.finish_reason is None)


@dataclass
class _Progress:
    total: int
    read: int = 0
