"""The one place that drives decoding: recipes in, steps while they are written, and a take of each."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import mlx.core as mx

from billy_mlx.blend.blend import Blend
from billy_mlx.blend.directions import directions as directions_of
from billy_mlx.blend.prompt_tokens import prompt_tokens
from billy_mlx.blend.provenance import CACHE_RULE, model_marks, surroundings, vector_mark
from billy_mlx.blend.recipe import Cost, MadeWith, Recipe, Take, Turn
from billy_mlx.errors import UsageError, VectorMismatch
from billy_mlx.model.batch import Observer
from billy_mlx.model.cache import PromptStore
from billy_mlx.model.decode import Decoding
from billy_mlx.model.layers import Directions
from billy_mlx.model.memory import check_rows
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import check_length, end_token
from billy_mlx.model.rows import Emitted, Row, Step
from billy_mlx.model.sampling import FinishReason
from billy_mlx.model.thinking import Thinking
from billy_mlx.vectors.library import accept_vectors, load_vectors
from billy_mlx.vectors.vector import PersonaVector


class Writer:
    """Recipes being written: iterate for the steps, ask for the `takes` at any time.

    The recipes that are there when the iteration begins are written as one batch. One that is added later is written
    after those under way; once all are written, another loop writes it.

    Args:
        model: what writes.
        recipes: what is to be written.
        store: caches kept between writers; without it nothing outlives this one.
        vectors: persona vectors in memory, such as sums and multiples, by the id that blends call each by, whatever its
            own persona_id; directions (layers, D) of this model in units of the residual stream, as `PersonaVector` has
            them. One of these comes before one on disk; ids that are not among them are loaded from disk.
        directions: for each recipe what is added to the model instead of what its voice adds, such as random directions
            of the same length.
        observer: reads the residual stream, as `Decoding` has it.
        now: when the writing began; the present, if it is left out.

    Attributes:
        vectors: by id, those that the blends so far needed, from memory or from disk.

    Raises:
        BillyError: before anything is written: an empty or too long prompt, an unknown persona, a missing or foreign
            vector, weights that cancel, a model that cannot be steered, too little memory; also what `accept_vectors`
            raises, even of a vector that no blend names.
    """

    def __init__(
        self,
        model: Model,
        recipes: Sequence[Recipe] = (),
        *,
        store: PromptStore | None = None,
        vectors: Mapping[str, PersonaVector] | None = None,
        directions: Sequence[Directions] | None = None,
        observer: Observer | None = None,
        now: datetime | None = None,
    ) -> None:
        self._model, self._store, self._observer = model, store, observer
        self._in_memory = {} if vectors is None else accept_vectors(vectors, model.id, model.fingerprint)
        self.vectors: dict[str, PersonaVector] = {}
        self._marks: dict[str, str] = {}  # checksums, of vectors by id
        self._made_with = MadeWith(
            model=model.id,
            fingerprint=model_marks(model.fingerprint),
            vectors={},
            programs=surroundings(),
            cache=CACHE_RULE,
            date=(now or datetime.now(UTC)).isoformat(timespec="seconds"),
        )
        self._lines: list[_Line] = []
        self._waiting: list[_Line] = []
        self._load({persona_id for recipe in recipes for persona_id in recipe.voice.persona_ids})
        given = [None] * len(recipes) if directions is None else directions
        self._admit([self._line(*each) for each in zip(recipes, given, strict=True)])
        self._finished = False
        self._steps = self._run()

    def add(self, recipe: Recipe, *, directions: Directions | None = None) -> int:
        """Have one more recipe written; return its index.

        Args:
            recipe: what is to be written.
            directions: as for the constructor.

        Raises:
            BillyError: as the constructor does.
        """
        self._load(set(recipe.voice.persona_ids))
        self._admit([self._line(recipe, directions)])
        if self._finished:
            self._finished, self._steps = False, self._run()
        return len(self._lines) - 1

    def __iter__(self) -> Iterator[Step]:
        return self._steps

    def __len__(self) -> int:
        return len(self._lines)

    def steer(self, index: int, voice: Blend | str, *, first_token: int | None = None) -> Turn:
        """Have a recipe go on in another voice.

        Args:
            index: of the recipe.
            voice: a blend, or the text of one.
            first_token: the first token to be drawn under it, which must not be drawn yet; None for as soon as can be.
                Turns that were planned from there on are forgotten.

        Returns:
            The turn that begins, as far as it is known: decoding is one token ahead of what is read.

        Raises:
            BillyError: as the constructor does for voices; the recipe goes on as it was.
        """
        voice = Blend.of(voice)
        line = self._lines[index]
        self._load(set(voice.persona_ids))
        added = self._added(voice)
        first = line.turn_to(added, first_token)
        turn = _turn(first, voice, added)
        line.turns = [*(before for before in line.turns if before.first_token < first), turn]
        return turn

    def stop(self, index: int | None = None) -> None:
        """End one text, or all of them; what was written stays."""
        for line in self._lines if index is None else [self._lines[index]]:
            line.stop()

    def done(self, index: int) -> int:
        """Return how many tokens of a recipe need no longer be waited for: all of them once it has ended."""
        line = self._lines[index]
        return len(line.text_tokens) if line.ended is None else line.recipe.max_tokens

    def take(self, index: int) -> Take:
        """Return what has come of a recipe so far."""
        line = self._lines[index]
        # A voice whose first token was never drawn did not speak.
        turns = tuple(turn for turn in line.turns if turn.first_token < max(len(line.tokens), 1))
        spoke = {persona_id for turn in turns for persona_id in turn.voice.persona_ids}
        return Take(
            recipe=line.recipe,
            text=line.text,
            prompt=line.row.prompt,
            tokens=tuple(line.tokens),
            end_token=line.end_token,
            turns=turns,
            ended=line.ended,
            cost=line.cost,
            made_with=replace(self._made_with, vectors={each: self._mark(each) for each in sorted(spoke)}),
        )

    def takes(self) -> list[Take]:
        """Return what has come of each recipe so far, in their order."""
        return [self.take(index) for index in range(len(self._lines))]

    def _line(self, recipe: Recipe, given: Directions | None) -> "_Line":
        model = self._model
        prompt = prompt_tokens(model, recipe.prompt, thinking=recipe.thinking)
        check_length(model, prompt, recipe.max_tokens)
        added = self._added(recipe.voice) if given is None else given
        if given is not None and given.key:
            model.require_addable(given, "A direction")
        thinking = None if recipe.steer_thinking else Thinking.of(model.tokenizer, prompt, asked=recipe.thinks)
        row = Row(
            prompt=tuple(prompt),
            directions=added,
            sampling=recipe.sampling,
            seed=recipe.seed,
            max_tokens=recipe.max_tokens,
            stop=recipe.stop,
            end_tokens=tuple(end_token(model, token) for token in recipe.end_tokens),
            continues=not recipe.prompt.chat or bool(recipe.prompt.prefix),
            thinking=thinking,
        )
        model.require_known(row.prompt)
        model.require_biasable(row.sampling)
        ends = {*model.tokenizer.eos_token_ids, *row.end_tokens}
        return _Line(self._marked(recipe), row, [_turn(0, recipe.voice, added)], ends)

    def _marked(self, recipe: Recipe) -> Recipe:
        """Return a recipe with the checksums of the vectors in memory that its voice uses."""
        used = tuple((each, self._mark(each)) for each in recipe.voice.persona_ids if each in self._in_memory)
        for persona_id, mark in recipe.vectors:
            if persona_id in recipe.voice.persona_ids and (persona_id, mark) not in used:
                raise VectorMismatch(
                    f"the recipe was made with another vector called {persona_id} than there is now; "
                    f"give the same one, or leave out the recipe's `vectors`"
                )
        return replace(recipe, vectors=used)

    def _mark(self, persona_id: str) -> str:
        """Return the checksum of a vector, which is taken once."""
        if persona_id not in self._marks:
            self._marks[persona_id] = vector_mark(self.vectors[persona_id])
        return self._marks[persona_id]

    def _added(self, voice: Blend) -> Directions:
        added = directions_of(voice, self.vectors)
        if added.key:
            _ = self._model.blocks  # refuses a model that cannot be steered
        self._model.require_addable(added, str(voice))
        return added

    def _load(self, ids: set[str]) -> None:
        missing = ids - self.vectors.keys()
        self.vectors |= {persona_id: self._in_memory[persona_id] for persona_id in missing & self._in_memory.keys()}
        on_disk = sorted(missing - self._in_memory.keys())
        self.vectors |= load_vectors(self._model, on_disk)

    def _admit(self, lines: "Sequence[_Line]") -> None:
        """Have `lines` written with those that wait already, if memory holds them all."""
        together = [*self._waiting, *lines]
        if lines:
            longest = max(len(line.row.prompt) + line.row.max_tokens for line in together)
            rows = [line.row for line in together]
            prompts = {(row.prompt, row.directions.everywhere and row.directions.key) for row in rows}
            averaged = self._observer is not None
            check_rows(self._model, len(together), longest, prompts=len(prompts), averaged=averaged)
        self._lines += lines
        self._waiting = together

    def _run(self) -> Iterator[Step]:
        while self._waiting:
            lines, self._waiting = self._waiting, []
            yield from self._write(lines, len(self._lines) - len(lines))
        self._finished = True

    def _write(self, lines: "Sequence[_Line]", first: int) -> Iterator[Step]:
        """Write `lines` as one batch, of which the first one has the index `first`."""
        mx.reset_peak_memory()
        batch = _Batch(Decoding(self._model, [line.row for line in lines], store=self._store, observer=self._observer))
        for place, line in enumerate(lines):
            line.begin(batch, place)
        for step in batch.decoding:
            now = time.perf_counter()
            for news in step.emitted:
                lines[news.row].read(news, now)
            yield replace(step, emitted=tuple(replace(news, row=first + news.row) for news in step.emitted))
        batch.ended = time.perf_counter()
        batch.peak = mx.get_peak_memory()


@dataclass
class _Batch:
    """Lines that are written together."""

    decoding: Decoding
    began: float = field(default_factory=time.perf_counter)
    first_token: float = 0.0
    ended: float = 0.0
    peak: int = 0


@dataclass(eq=False)
class _Line:
    """A recipe on its way: what is read and written of it."""

    recipe: Recipe
    row: Row
    turns: list[Turn]
    ends: set[int]
    text: str = ""
    tokens: list[int] = field(default_factory=list)
    end_token: int | None = None
    ended: FinishReason | None = None
    batch: _Batch | None = None
    place: int = 0
    last_token: float = 0.0
    stopping: bool = False
    planned: dict[int, Directions] = field(default_factory=dict)

    @property
    def text_tokens(self) -> list[int]:
        return self.tokens if self.end_token is None else self.tokens[:-1]

    @property
    def cost(self) -> Cost:
        batch, row = self.batch, self.place
        if batch is None:
            return Cost()
        rows = len(batch.decoding)
        each, rest = divmod(batch.decoding.forwarded, rows)
        return Cost(
            reused=batch.decoding.reused_by(row),
            reading_seconds=max(0.0, batch.first_token - batch.began),
            writing_seconds=max(0.0, self.last_token - batch.first_token),
            seconds=((batch.ended or time.perf_counter()) - batch.began) / rows,
            forwarded=each + (row < rest),
            rows=rows,
            peak_memory_gb=(batch.peak or mx.get_peak_memory()) / 1e9,
        )

    def begin(self, batch: _Batch, place: int) -> None:
        self.batch, self.place = batch, place
        for first, added in self.planned.items():
            batch.decoding.plan(place, added, first)
        if self.stopping:
            batch.decoding.stop(place)

    def read(self, news: Emitted, now: float) -> None:
        """Take in what a step has brought."""
        assert self.batch is not None
        self.batch.first_token = self.batch.first_token or now
        self.last_token = now
        self.text += news.text
        if news.token is not None:
            self.tokens.append(news.token)
            self.end_token = news.token if news.token in self.ends else None
        if news.withdrawn:
            del self.tokens[len(self.tokens) - news.withdrawn :]
            self.end_token = None
        self.ended = news.finish_reason

    def turn_to(self, added: Directions, first: int | None) -> int:
        """Add something else from a token on, or as soon as can be; return the first token drawn under it."""
        if self.batch is None:
            first = 0 if first is None else first
            self.planned = {token: plan for token, plan in self.planned.items() if token < first} | {first: added}
            if first == 0:
                self.row = replace(self.row, directions=added)
            return first
        if first is None:
            return self.batch.decoding.steer(self.place, added)
        self.batch.decoding.plan(self.place, added, first)
        return first

    def stop(self) -> None:
        self.stopping = True
        if self.batch is not None:
            self.batch.decoding.stop(self.place)


def generate(
    model: Model,
    recipe: Recipe | str,
    voice: Blend | str | None = None,
    *,
    vectors: Mapping[str, PersonaVector] | None = None,
    **settings: Any,
) -> Take:
    """Return what `model` writes by a recipe, or to a message.

    Args:
        model: what writes.
        recipe: also the text of one message.
        voice: takes the place of the recipe's own; also the text of a blend.
        vectors: vectors in memory, by the id that the voice calls each by, as `Writer` takes them; ids that are not
            among them are loaded from disk.
        settings: as `Recipe.of` takes them, where `recipe` is a text.

    Raises:
        UsageError: settings are given beside a recipe, which has its own.
        BillyError: as `Writer` does.
    """
    if settings and not isinstance(recipe, str):
        raise UsageError(f"the recipe has settings of its own; leave out {', '.join(settings)}, or give a text")
    recipe = Recipe.of(recipe, **settings) if isinstance(recipe, str) else recipe
    if voice is not None:
        recipe = replace(recipe, voice=Blend.of(voice))
    writer = Writer(model, [recipe], vectors=vectors)
    for _ in writer:
        pass
    return writer.take(0)


def _turn(first: int, voice: Blend, added: Directions) -> Turn:
    return Turn(first, voice, tuple(sorted(added.by_layer)), added.key, added.everywhere)
