"""Writing what is not written yet, and reading how likely hand-written sentences are."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import version

from tqdm import tqdm
from voice_arms import KNOWN, Voice, group_of
from voice_readout import Texts
from voice_shelf import Name, Reading, Shelf, Text
from voice_tasks import Task, asked, digest, load_seeds, load_tasks

from billy_mlx import Model, PersonaVector, load_vectors
from billy_mlx.blend.prompt_tokens import prompt_tokens
from billy_mlx.blend.recipe import Prompt, Recipe
from billy_mlx.blend.writer import Writer
from billy_mlx.measure.activations import Text as ToRead
from billy_mlx.measure.activations import read_likelihoods
from billy_mlx.measure.likelihood import likelihoods_per_token, opening
from billy_mlx.model.cache import PromptStore
from billy_mlx.model.layers import Directions
from billy_mlx.steps import finish
from billy_mlx.vectors.card import SentenceSet

ASKED = "Write a sentence."
"""What the hand-written sentences are read as answers to."""

_STORE_BYTES = 1 << 30


@dataclass(frozen=True)
class Job:
    """A text to write, what is added meanwhile, and the prompt without a system prompt behind which it is read."""

    name: Name
    key: str
    origin: str
    recipe: Recipe
    added: Directions
    plain: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class VoiceWriter:
    """A model that writes what the shelf has not got.

    Attributes:
        batch: rows at the same time.
    """

    model: Model
    shelf: Shelf
    batch: int
    _prompts: dict[tuple[Task, str | None, int], tuple[int, ...]] = field(default_factory=dict)
    _vectors: dict[str, PersonaVector] = field(default_factory=dict)
    _store: PromptStore = field(default_factory=partial(PromptStore, _STORE_BYTES))

    def texts(self, voices: Sequence[Voice], tasks: Sequence[Task], seeds: int, max_tokens: int) -> Texts:
        """Return the texts of `voices`, written where they are not there."""
        jobs = {voice: self._jobs(voice, tasks, seeds, max_tokens) for voice in voices}
        every = [job for rows in jobs.values() for row in rows for job in row]
        self._write(every)
        self._name(every)
        return {voice: [[self.shelf.texts[job.key] for job in row] for row in rows] for voice, rows in jobs.items()}

    def readings(self, voices: Sequence[Voice], sentences: SentenceSet) -> dict[Voice, Reading]:
        """Return how likely the sentences of each voice's group and the plain ones are; of `dose-0` those of all."""
        found = {}
        for voice in tqdm(voices, desc="likelihood", disable=None):
            ids = group_of(voice.persona) if voice.persona else KNOWN
            added = self.directions(voice)
            of_whom = [(each, sentences.by_persona[each]) for each in ids]
            key = digest(
                "reading, prompts in turn", self._fingerprint, added.key, voice.prompts, sentences.plain, of_whom, ASKED
            )
            self.shelf.refresh()
            if key not in self.shelf.readings:
                plain, *own = self._read(voice, added, [sentences.plain, *(own for _, own in of_whom)])
                by_persona = dict(zip(ids, own, strict=True))
                self.shelf.add([Reading(key, voice.arm, voice.persona, self._fingerprint, plain, by_persona)])
            found[voice] = self.shelf.readings[key]
        return found

    def directions(self, voice: Voice) -> Directions:
        """Return what a voice adds; vectors are loaded once."""
        ids = () if voice.blend is None else voice.blend.persona_ids
        missing = [persona_id for persona_id in ids if persona_id not in self._vectors]
        self._vectors.update(load_vectors(self.model, missing))
        return voice.directions(self._vectors)

    @property
    def _fingerprint(self) -> str:
        return f"{self.model.fingerprint.base}-{self.model.fingerprint.weights}"

    def _jobs(self, voice: Voice, tasks: Sequence[Task], seeds: int, max_tokens: int) -> list[list[Job]]:
        """Return for every task the jobs of all seeds."""
        added = self.directions(voice)
        kind, half = tasks[0].kind, tasks[0].half
        every = [task.text for task in load_tasks(kind, half, sys.maxsize)]  # whichever of them are asked for now
        origin = digest(self._fingerprint, added.key, voice.prompts, load_seeds(half), every)
        jobs: list[list[Job]] = []
        for task in tasks:
            recipe, plain = self._recipe(voice, task, max_tokens)
            jobs.append([])
            for number, seed in enumerate(load_seeds(half, seeds)):
                name = Name(voice.arm, voice.persona, kind, half, task.number, number, max_tokens)
                seeded = replace(recipe, seed=seed + task.number)
                jobs[-1].append(Job(name, self._key(seeded, added, plain), origin, seeded, added, plain))
        return jobs

    def _recipe(self, voice: Voice, task: Task, max_tokens: int) -> tuple[Recipe, tuple[int, ...]]:
        """Return what is to be written, but for the seed, and the prompt that says nothing of a persona."""
        recipe = asked(self.model, task, None, max_tokens=max_tokens)
        continues = bool(recipe.prompt.prefix) or not recipe.prompt.chat
        tokens = self._tokens(task, voice.system(task.number), max_tokens)
        prompt = Prompt(tokens=tokens, chat=not continues)
        return replace(recipe, prompt=prompt, thinking=recipe.thinks), self._tokens(task, None, max_tokens)

    def _key(self, recipe: Recipe, added: Directions, plain: Sequence[int]) -> str:
        ends = sorted(self.model.tokenizer.eos_token_ids)
        how = (recipe.sampling, recipe.seed, recipe.max_tokens, recipe.stop, ends)
        sent = (recipe.prompt.tokens, plain, added.key, *how)
        return digest(self._fingerprint, *sent)

    def _tokens(self, task: Task, system: str | None, max_tokens: int) -> tuple[int, ...]:
        key = (task, system, max_tokens)
        if key not in self._prompts:
            recipe = asked(self.model, task, system, max_tokens=max_tokens)
            self._prompts[key] = tuple(prompt_tokens(self.model, recipe.prompt, thinking=recipe.thinking))
        return self._prompts[key]

    def _write(self, jobs: Sequence[Job]) -> None:
        """Write what nobody has written yet, a batch at a time, so that at most a batch is lost."""
        with tqdm(total=len(jobs), desc="texts", disable=None) as bar:
            while True:
                self.shelf.refresh()
                left = list({job.key: job for job in jobs if job.key not in self.shelf.texts}.values())
                bar.update(len(jobs) - len(left) - bar.n)
                if not left:
                    return
                self.shelf.add(self._written(left[: self.batch]))

    def _written(self, jobs: Sequence[Job]) -> list[Text]:
        recipes, directions = [job.recipe for job in jobs], [job.added for job in jobs]
        writer = Writer(self.model, recipes, directions=directions, store=self._store)
        for _ in writer:
            pass
        takes = writer.takes()
        to_read = [ToRead(job.plain, take.text_tokens) for job, take in zip(jobs, takes, strict=True)]
        likelihoods = self._likelihoods(to_read)
        made_with = f"{self.model.id}, mlx {version('mlx')}, mlx-lm {version('mlx-lm')}"
        return [
            Text(*_known(job), self._fingerprint, made_with, take.text, len(take.text_tokens), -float(likelihood))
            for job, take, likelihood in zip(jobs, takes, likelihoods, strict=True)
        ]

    def _likelihoods(self, texts: Sequence[ToRead]) -> Sequence[float]:
        """Return how likely each text is; where long prompts are shared, each of them is read once."""
        prompts = list(dict.fromkeys(text.prompt for text in texts))
        spared = sum(len(text.prompt) for text in texts) - sum(map(len, prompts))
        if spared <= sum(len(text.response) for text in texts):
            return finish(read_likelihoods(self.model, texts)).tolist()
        found = [0.0] * len(texts)
        for prompt in prompts:
            places = [place for place, text in enumerate(texts) if text.prompt == prompt]
            read = finish(read_likelihoods(self.model, [texts[place] for place in places]))
            for place, likelihood in zip(places, read, strict=True):
                found[place] = float(likelihood)
        return found

    def _name(self, jobs: Sequence[Job]) -> None:
        """Have every text found under its name, also one that was written for another arm or before something else."""
        misnamed = []
        for job in jobs:
            named = self.shelf.named.get(job.name)
            if named is None or (named.key, named.origin) != (job.key, job.origin):
                kept = self.shelf.texts[job.key]
                own = (job.key, job.name, job.origin, self._fingerprint, kept.made_with)
                misnamed.append(Text(*own, kept.text, kept.tokens, kept.nats))
        self.shelf.add(misnamed)

    def _read(self, voice: Voice, added: Directions, sentences: Sequence[Sequence[str]]) -> Iterator[list[float]]:
        """Yield the likelihoods of each of several lists of sentences.

        Sentence number i, which of every persona's is about the same subject, is read behind system prompt i modulo
        how many there are.
        """
        systems = voice.prompts or (None,)
        found = [[0.0] * len(some) for some in sentences]
        for number, system in enumerate(systems):
            places = [(at, i) for at, some in enumerate(sentences) for i in range(number, len(some), len(systems))]
            begun = opening(self.model, ASKED, system=system)
            read = finish(likelihoods_per_token(self.model, [sentences[at][i] for at, i in places], begun, added))
            for (at, i), likelihood in zip(places, read, strict=True):
                found[at][i] = float(likelihood)
        yield from found


def _known(job: Job) -> tuple[str, Name, str]:
    return job.key, job.name, job.origin
