"""Ways of writing to the same prompts with the same seeds, and what each does to the text, held against plain writing.

Finished texts are read by the unsteered model behind the plain prompt: what is measured is in the words, not in what
was added while they were written, nor in a system prompt.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from billy_mlx.blend.recipe import Prompt, Recipe
from billy_mlx.blend.writer import Writer
from billy_mlx.measure.activations import Text, project, read_all
from billy_mlx.measure.vocabulary import distinct_share, repeated_share
from billy_mlx.model.cache import PromptStore
from billy_mlx.model.layers import UNSTEERED, Directions
from billy_mlx.model.memory import check_rows
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import chat_prompt, check_length
from billy_mlx.model.sampling import Sampling
from billy_mlx.steps import mapped
from billy_mlx.vectors.measurements import Outcome
from billy_mlx.vectors.vector import PersonaVector, read_layer

_WRITING = 0.6  # of the work, roughly; the rest is reading
_MOST_NATS = 10.0  # of surprise a token more than the control's: e to the power of more means nothing any longer
_SHARED_PROMPT_BYTES = 1 << 28


@dataclass(frozen=True)
class SweepWriting:
    """How the texts of a sweep are written.

    Attributes:
        prompts: what they are written to.
        max_tokens: of every text.
        batch: texts written at the same time.
        seed: of the text to the first prompt; every prompt after it has the next.
    """

    prompts: tuple[str, ...]
    max_tokens: int
    batch: int
    seed: int
    sampling: Sampling


@dataclass(frozen=True, eq=False)
class Way:
    """How texts are written: with directions, behind system prompts that are taken in turn, with both or with neither.

    Attributes:
        system_prompts: none for the plain prompt.
    """

    directions: Directions = UNSTEERED
    system_prompts: tuple[str, ...] = ()


PLAINLY = Way()


@dataclass(frozen=True, eq=False)
class SweepText:
    """A finished text, and what the unsteered model makes of it behind the plain prompt.

    Attributes:
        activations: (D,) mean of the residual stream at the layer where texts are read.
        nats: what the text surprises the model by, over all its tokens.
    """

    text: str
    activations: NDArray[np.float32]
    nats: float
    tokens: int


class Sweep:
    """Sweeps with one model; the texts that are written plainly are written once for a trial."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._controls: dict[SweepWriting, Sequence[SweepText]] = {}

    def run(self, trial: SweepWriting, ways: Sequence[Way]) -> Generator[float, None, list[Sequence[SweepText]]]:
        """Return the texts of each of `ways`, yielding the share done.

        Raises:
            UsageError: a prompt does not fit into the model's context.
            ModelError: a batch does not fit into memory.
        """
        missing = [] if trial in self._controls else [PLAINLY]
        written = yield from write_and_read(self._model, trial, [*missing, *ways])
        if missing:
            self._controls[trial] = written.pop(0)
        return written

    def control(self, trial: SweepWriting) -> Sequence[SweepText]:
        """Return what was written plainly in a trial that has been run."""
        return self._controls[trial]


def write_and_read(
    model: Model, trial: SweepWriting, ways: Sequence[Way]
) -> Generator[float, None, list[Sequence[SweepText]]]:
    """Return for each of `ways` the texts to all prompts, yielding what share of the work is done."""
    plain = [tuple(chat_prompt(model.tokenizer, prompt)) for prompt in trial.prompts]
    prompts = [prompt for way in ways for prompt in _prompts(model, trial, way, plain)]
    longest = max(prompts, key=len)
    check_length(model, list(longest), trial.max_tokens)
    check_rows(model, min(trial.batch, len(prompts)), len(longest) + trial.max_tokens, prompts=len(prompts))
    jobs = [
        (_recipe(trial, prompt, place % len(plain)), ways[place // len(plain)].directions)
        for place, prompt in enumerate(prompts)
    ]
    texts: list[tuple[str, tuple[int, ...]]] = []
    store = PromptStore(_SHARED_PROMPT_BYTES)
    for start in range(0, len(jobs), trial.batch):
        writing = _write(model, jobs[start : start + trial.batch], store)
        texts += yield from mapped(writing, partial(_share, start, len(jobs), 0.0, _WRITING))
    to_read = [Text(plain[place % len(plain)], tokens) for place, (_, tokens) in enumerate(texts)]
    reading = read_all(model, to_read)
    readings = yield from mapped(reading, partial(_share, 0, len(jobs), _WRITING, 1.0))
    layer = read_layer(model.fingerprint.layers)
    written = [
        SweepText(text, reading.average.mean[layer], -reading.log_likelihood, reading.average.tokens)
        for (text, _), reading in zip(texts, readings, strict=True)
    ]
    return [written[start : start + len(plain)] for start in range(0, len(written), len(plain))]


def effects(
    vector: PersonaVector, written: Sequence[SweepText], control: Sequence[SweepText]
) -> NDArray[np.floating[Any]]:
    """Return (prompts,): how much further along the reading than a plain one each text lies, in gaps of the poles."""
    return _along(vector, written) - _along(vector, control)


def outcome(vector: PersonaVector, written: Sequence[SweepText], control: Sequence[SweepText]) -> Outcome:
    """Return what a way of writing did, over all prompts."""

    def ratio(measure: Callable[[SweepText], float]) -> float:
        return _mean(measure, written) / max(_mean(measure, control), 1e-6)

    surprise = _nats_per_token(written) - _nats_per_token(control)
    return Outcome(
        effect=float(effects(vector, written, control).mean()),
        perplexity=float(np.exp(min(surprise, _MOST_NATS))),
        distinct=ratio(lambda each: distinct_share(each.text)),
        repetition=_mean(_repeated, written) - _mean(_repeated, control),
        length=ratio(lambda each: each.tokens),
    )


def _prompts(
    model: Model, trial: SweepWriting, way: Way, plain: Sequence[tuple[int, ...]]
) -> Sequence[tuple[int, ...]]:
    """Return the tokens of each prompt, behind the system prompts of a way."""
    systems = way.system_prompts
    if not systems:
        return plain
    return [
        tuple(chat_prompt(model.tokenizer, prompt, system=systems[number % len(systems)]))
        for number, prompt in enumerate(trial.prompts)
    ]


def _recipe(trial: SweepWriting, prompt: tuple[int, ...], number: int) -> Recipe:
    return Recipe(
        Prompt(tokens=prompt),
        sampling=trial.sampling,
        seed=trial.seed + number,
        max_tokens=trial.max_tokens,
        steer_thinking=True,  # a text this short may be all thought
    )


def _along(vector: PersonaVector, written: Sequence[SweepText]) -> NDArray[np.floating[Any]]:
    """Return (prompts,): where each text lies along the reading, in gaps between the poles."""
    layer = read_layer(len(vector.directions))
    at = slice(layer, layer + 1)
    activations = np.stack([each.activations for each in written])[:, None]
    neutral = np.zeros_like(vector.reading) if vector.neutral_mean is None else vector.neutral_mean
    return project(activations, vector.reading[at], neutral[at], vector.projection_scale[at])[:, 0]


def _nats_per_token(written: Sequence[SweepText]) -> float:
    return sum(each.nats for each in written) / max(1, sum(each.tokens for each in written))


def _repeated(written: SweepText) -> float:
    return repeated_share(written.text)


def _mean(measure: Callable[[SweepText], float], written: Sequence[SweepText]) -> float:
    return float(np.mean([measure(each) for each in written]))


def _write(
    model: Model, jobs: Sequence[tuple[Recipe, Directions]], store: PromptStore
) -> Generator[float, None, list[tuple[str, tuple[int, ...]]]]:
    """Write recipes as one batch, yielding how many of them that amounts to so far."""
    recipes, directions = zip(*jobs, strict=True)
    writer = Writer(model, recipes, directions=directions, store=store)
    for _ in writer:
        yield sum(writer.done(place) / recipe.max_tokens for place, recipe in enumerate(recipes))
    return [(take.text, take.text_tokens) for take in writer.takes()]


def _share(before: float, total: float, since: float, upto: float, done: float) -> float:
    return since + (upto - since) * (before + done) / total
