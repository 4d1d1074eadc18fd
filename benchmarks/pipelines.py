"""Two ways from a persona to its vector, each metered: ours, and the published one at its best on mlx-lm."""

import shutil
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import billy_mlx  # noqa: F401  puts a fast BLAS into the process, before mlx is imported

# isort: split
import mlx.core as mx
import numpy as np
from mlx_lm.generate import batch_generate
from mlx_lm.models.cache import make_prompt_cache
from mlx_lm.sample_utils import make_sampler
from numpy.typing import NDArray
from paired import Timing, timed

from billy_mlx.extraction.extract import extract
from billy_mlx.extraction.rollouts import RolloutSettings
from billy_mlx.model.layers import Patch, record
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import chat_prompt
from billy_mlx.vectors.card import Persona, load_questions

Floats = NDArray[np.floating[Any]]
Tokens = Sequence[int]


@dataclass(frozen=True)
class Cost:
    """What a piece of work took: time, and the tokens and passes through the model's blocks, padding included."""

    timing: Timing
    tokens: float
    passes: float

    def plus(self, other: "Cost", share: float = 1) -> "Cost":
        """Return this and a share of `other`."""
        wall = self.timing.wall + share * other.timing.wall
        cpu = self.timing.cpu + share * other.timing.cpu
        return Cost(Timing(wall, cpu), self.tokens + share * other.tokens, self.passes + share * other.passes)


class Ours:
    """Our extraction at one size. It writes the neutral pole at once, and every persona's when it is told to.

    Args:
        personas: among how many of them the neutral pole is shared.
        folder: a place for what is kept between runs; BILLY_HOME must be the folder `home` in it.

    Attributes:
        neutral: what the neutral pole took.
        costs: of every persona so far, its share of the neutral pole included.
    """

    def __init__(self, model: Model, settings: RolloutSettings, personas: int, folder: Path) -> None:
        self.settings = settings
        self.costs: list[Cost] = []
        self._model = model
        self._share = 1 / personas
        self._home = folder / "home"
        self._kept = folder / f"neutral-{settings.batch}-{answer_count(settings)}"
        self._kept.mkdir()
        self.neutral = self._extract([])
        if self.neutral.tokens == 0:
            sys.exit("no neutral answers were written, so there is nothing to time")
        shutil.copytree(self._home, self._kept, dirs_exist_ok=True)

    def run(self, persona: Persona) -> None:
        """Extract one persona."""
        self.costs.append(self._extract([persona]).plus(self.neutral, self._share))

    def _extract(self, personas: Sequence[Persona]) -> Cost:
        # Answers of the persona that an earlier run has kept would not be written again.
        shutil.rmtree(self._home, ignore_errors=True)
        shutil.copytree(self._kept, self._home)
        # Without what all personas have in common, which is read once per model, whatever is extracted from it.
        steps = extract(self._model, personas, settings=self.settings, common=())
        return _cost(self._model, lambda: deque(steps, maxlen=0))


class Published:
    """The published pipeline: for every persona it writes both poles and then reads all of that again.

    Attributes:
        writing: what the first half took, of every persona so far.
        reading: likewise the second.
    """

    def __init__(self, model: Model, settings: RolloutSettings) -> None:
        self.settings = settings
        self.writing: list[Cost] = []
        self.reading: list[Cost] = []
        self._model = model

    @property
    def costs(self) -> list[Cost]:
        """What every persona so far took."""
        return [writing.plus(reading) for writing, reading in zip(self.writing, self.reading, strict=True)]

    def run(self, persona: Persona) -> None:
        """Extract one persona."""
        neutral = load_questions().neutral_prompts
        poles = [pole_prompts(self._model, self.settings, prompts) for prompts in (persona.prompts, neutral)]
        answers: list[list[Tokens]] = []
        self.writing.append(_cost(self._model, lambda: answers.extend(map(self._write, poles))))
        if {len(answer) for pole in answers for answer in pole} != {self.settings.max_tokens}:
            sys.exit("an answer of the published pipeline ended early, so the work was not the same")
        self.reading.append(_cost(self._model, lambda: deque(map(self._read_again, poles, answers), maxlen=0)))

    def _write(self, prompts: Sequence[Tokens]) -> list[Tokens]:
        sampling = self.settings.sampling
        written = batch_generate(
            self._model.model,
            self._model.tokenizer,
            [list(prompt) for prompt in prompts],
            max_tokens=self.settings.max_tokens,
            return_token_ids=True,
            sampler=make_sampler(sampling.temperature, sampling.top_p, sampling.min_p, top_k=sampling.top_k),
            completion_batch_size=self.settings.batch,
            prefill_batch_size=self.settings.batch,
        )
        return list(written.token_ids)

    def _read_again(self, prompts: Sequence[Tokens], answers: Sequence[Tokens]) -> Floats:
        return read_again(self._model, prompts, answers)


def read_again(model: Model, prompts: Sequence[Tokens], answers: Sequence[Tokens], *, before: int = 0) -> Floats:
    """Return (N, layers, D), the residual stream averaged over every answer, in a pass of its own for each.

    Args:
        before: how many tokens before the answer count as well.
    """
    return np.stack([_averaged(model, *each, before) for each in zip(prompts, answers, strict=True)])


def _averaged(model: Model, prompt: Tokens, answer: Tokens, before: int) -> Floats:
    with record(model.blocks) as recording:
        # Nobody asks for the logits, so they are not worked out.
        model.model(mx.array([[*prompt, *answer]]), cache=make_prompt_cache(model.model))
    streams = [recording.latest[layer][0, len(prompt) - before :] for layer in range(len(model.blocks))]
    return np.array(mx.stack([h.astype(mx.float32).mean(axis=0) for h in streams]))


def pole_prompts(model: Model, settings: RolloutSettings, system_prompts: Sequence[str]) -> list[tuple[int, ...]]:
    """Return the prompts of one pole: the system prompts are taken in turn, as ours are."""
    questions, number = load_questions().questions, len(system_prompts)
    return [
        tuple(chat_prompt(model.tokenizer, questions[question], system=system_prompts[(question + turn) % number]))
        for turn, question in settings.order(len(questions))
    ]


def answer_count(settings: RolloutSettings) -> int:
    """Return how many answers one pole has."""
    return len(settings.order(len(load_questions().questions)))


def _cost(model: Model, work: Callable[[], object]) -> Cost:
    passes: list[int] = []

    def count(_: int, h: mx.array) -> mx.array:
        passes.append(h.shape[0] * h.shape[1])
        return h

    with Patch(model.blocks[:1], count):
        timing = timed(work)
    return Cost(timing, sum(passes), len(passes))
