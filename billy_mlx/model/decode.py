"""Rows through the model, step by step.

Decoding is a generator that yields after every chunk of a prompt and after every token, so that whoever drives it can
do something else in between, change a row's directions, or stop. The model is patched only inside a step: between two
steps anyone else may use it.
"""

import copy
import itertools
from collections.abc import Generator, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import mlx.core as mx
from mlx_lm.generate import generation_stream
from mlx_lm.models.cache import make_prompt_cache, trim_prompt_cache

from billy_mlx.model.batch import Batch, Observer
from billy_mlx.model.cache import Cache, PromptStore, can_always_trim, merge
from billy_mlx.model.layers import Directions, Steering, stack, steer
from billy_mlx.model.load import Model
from billy_mlx.model.metal import wired
from billy_mlx.model.rows import Emitted, Row, RowState, Step

PREFILL_CHUNK = 256
_CLEAR_EVERY = 256


class Decoding:
    """Rows being decoded: iterate over it for `Step`s.

    Args:
        rows: decoded as one batch, or one after another where the model's caches cannot be batched.
        store: caches kept between requests; without it nothing outlives this decoding.
        observer: reads the residual stream of every response token; with it a row that ends by length is fed its last
            token once more, so that this token is seen too.

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
        self._states = [RowState(index, row, model.tokenizer) for index, row in enumerate(rows)]
        self._store = PromptStore() if store is None else store
        self._observer = observer
        self._batch: Batch | None = None

    def steer(self, row: int, directions: Directions) -> None:
        """Give a row other directions: the step already scheduled keeps the old ones, every later one has these."""
        self._states[row].directions = directions
        if self._batch is not None:
            self._batch.restack()

    def stop(self, row: int | None = None) -> None:
        """End one row, or all of them, at once; what was written stays."""
        for state in self._states if row is None else [self._states[row]]:
            state.stop_requested = True

    def __iter__(self) -> Iterator[Step]:
        with wired():
            if len(self._states) > 1 and self._model.batches:
                yield from self._decode(self._states)
            else:
                for state in self._states:
                    yield from self._decode([state])

    def _decode(self, states: list[RowState]) -> Iterator[Step]:
        prefixes = [_prefix(state) for state in states]
        progress = _Progress(total=sum(len(prompt) for prompt, _ in set(prefixes)))
        caches: dict[Prefix, Cache] = {}
        for prefix, state in zip(prefixes, states, strict=True):
            if prefix not in caches and not self._stopping(states):
                caches[prefix] = yield from self._prefill(prefix, state.directions, states, progress)
        if stopped := _interrupt(states):
            yield Step(stopped)
        going = [(state, prefix) for state, prefix in zip(states, prefixes, strict=True) if not state.finish_reason]
        if not going:
            return
        if len(states) == 1:
            yield from self._generate_alone(states[0], prefixes[0], caches[prefixes[0]])
            return
        merged = merge([caches[prefix] for _, prefix in going])
        yield from self._generate(Batch(self._model, [state for state, _ in going], merged, self._observer))

    def _prefill(
        self, prefix: "Prefix", directions: Directions, states: list[RowState], progress: "_Progress"
    ) -> Generator[Step, None, Cache]:
        """Read a prompt but for its last token, in chunks, from where a kept cache ends."""
        prompt, key = prefix
        kept, reused = self._store.take(prompt, key, branch=len(states) > 1)
        cache = make_prompt_cache(self._model.model) if kept is None else kept
        self.reused += reused
        progress.read += reused
        steering = Steering(stack([directions] if key else []), norm_preserving=directions.norm_preserving)
        for start in range(reused, len(prompt), PREFILL_CHUNK):
            chunk = mx.array(prompt[start : start + PREFILL_CHUNK])
            with mx.stream(generation_stream), steer(self._model.blocks, steering) if key else nullcontext():
                self._model.model(chunk[None], cache=cache)
                mx.eval([part.state for part in cache])
            mx.clear_cache()
            self.forwarded += chunk.size
            progress.read += chunk.size
            yield Step(prompt_tokens_read=progress.read, prompt_tokens=progress.total)
            if self._stopping(states):
                prompt = prompt[: start + chunk.size]
                break
        if len(states) > 1 or self._stopping(states):
            # Rows of a batch are copied into its cache, so that each prompt's own may serve the next one.
            self._store.put(prompt, key, cache)
        return cache

    def _stopping(self, states: list[RowState]) -> bool:
        return all(state.stop_requested for state in states)

    def _generate_alone(self, state: RowState, prefix: "Prefix", cache: Cache) -> Iterator[Step]:
        """Decode one row in its prompt's own cache, and keep of that cache what can be used again."""
        prompt, key = prefix
        trimmable = can_always_trim(cache)
        if not trimmable:
            self._store.put(prompt, key, copy.deepcopy(cache))
        before, directions = self.forwarded, state.directions
        intact = True
        try:
            yield from self._generate(Batch(self._model, [state], cache, self._observer))
        except (Exception, KeyboardInterrupt):
            intact = False  # the blocks may have taken up different numbers of tokens
            raise
        finally:
            if trimmable and intact:
                # What was written under other directions than the prompt was read cannot be prompt again.
                uniform = state.directions is directions and key == directions.key
                added = self.forwarded - before
                usable = min(added, 1 + len(state.tokens)) if uniform else 0
                trim_prompt_cache(cache, added - usable)
                self._store.put(state.context[: len(prompt) + usable], key, cache)

    def _generate(self, batch: Batch) -> Iterator[Step]:
        self._batch = batch
        drawn = self._step(batch, mx.array([state.row.prompt[-1] for state in batch.states]), 0)
        for n in itertools.count(1):
            states, ahead = batch.states, None
            emitted = self._read(states, drawn) if batch.needs_tokens else ()
            # The last token of a row need not be read by the model, unless its residual is wanted.
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
        return state.finish_reason is None and (n < state.row.max_tokens or self._observer is not None)

    def _step(self, batch: Batch, feed: mx.array, n: int) -> mx.array:
        self.forwarded += feed.size
        return batch.step(feed, n)

    def _read(self, states: list[RowState], drawn: mx.array) -> tuple[Emitted, ...]:
        drawn_tokens: list[int] = drawn.tolist()  # type: ignore[assignment]  # waits for the step
        return tuple(state.read(token) for state, token in zip(states, drawn_tokens, strict=True))


Prefix = tuple[tuple[int, ...], str]
"""The tokens before the last one of a prompt, and the key of the directions they are read under."""


def _prefix(state: RowState) -> Prefix:
    return state.row.prompt[:-1], state.directions.key if state.directions.everywhere else ""


def _take(drawn: mx.array, places: list[int]) -> mx.array:
    return drawn if len(places) == drawn.size else drawn[mx.array(places)]


def _interrupt(states: list[RowState]) -> tuple[Emitted, ...]:
    return tuple(state.interrupt() for state in states if state.stop_requested and state.finish_reason is None)


@dataclass
class _Progress:
    total: int
    read: int = 0
