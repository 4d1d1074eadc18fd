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

from billy_mlx.extraction.evidence import Outcome
from billy_mlx.extraction.vector import PersonaVector, read_layer
from billy_mlx.measure.activations import Text, project, read_all
from billy_mlx.measure.vocabulary import distinct_share, repeated_share
from billy_mlx.model.answers import Answers
from billy_mlx.model.cache import PromptStore
from billy_mlx.model.decode import Decoding
from billy_mlx.model.layers import UNSTEERED, Directions
from billy_mlx.model.memory import check_rows
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import chat_prompt, check_length
from billy_mlx.model.rows import Row
from billy_mlx.model.sample import Sampling
from billy_mlx.steps import mapped

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
    rows = [row for way in ways for row in _rows(model, trial, way, plain)]
    longest = max(rows, key=lambda row: len(row.prompt)).prompt
    check_length(model, list(longest), trial.max_tokens)
    check_rows(model, min(trial.batch, len(rows)), len(longest) + trial.max_tokens, prompts=len(rows))
    texts: list[tuple[str, tuple[int, ...]]] = []
    store = PromptStore(_SHARED_PROMPT_BYTES)
    for start in range(0, len(rows), trial.batch):
        writing = _write(model, rows[start : start + trial.batch], store)
        texts += yield from mapped(writing, partial(_share, start, len(rows), 0.0, _WRITING))
    to_read = [Text(plain[place % len(plain)], tokens) for place, (_, tokens) in enumerate(texts)]
    reading = read_all(model, to_read)
    readings = yield from mapped(reading, partial(_share, 0, len(rows), _WRITING, 1.0))
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


def _rows(model: Model, trial: SweepWriting, way: Way, plain: Sequence[tuple[int, ...]]) -> list[Row]:
    def prompt(number: int) -> tuple[int, ...]:
        if not way.system_prompts:
            return plain[number]
        system = way.system_prompts[number % len(way.system_prompts)]
        return tuple(chat_prompt(model.tokenizer, trial.prompts[number], system=system))

    return [
        Row(prompt(number), way.directions, trial.sampling, seed=trial.seed + number, max_tokens=trial.max_tokens)
        for number in range(len(trial.prompts))
    ]


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
    model: Model, rows: Sequence[Row], store: PromptStore
) -> Generator[float, None, list[tuple[str, tuple[int, ...]]]]:
    """Write `rows` as one batch, yielding how many of them that amounts to so far."""
    answers = Answers(rows, model.tokenizer.eos_token_ids)
    for step in Decoding(model, rows, store=store):
        answers.take(step)
        yield sum(done / row.max_tokens for done, row in zip(answers.done, rows, strict=True))
    return [(text, tuple(tokens)) for text, tokens in zip(answers.texts, answers.tokens, strict=True)]


def _share(before: float, total: float, since: float, upto: float, done: float) -> float:
    return since + (upto - since) * (before + done) / total
