"""Steering at some layers and doses, and what each does to the text, held against dose 0.

The same prompts and seeds for every layer and dose, and for the control. Finished texts are read by the unsteered
model: what is measured is in the words, not in what was added while they were written.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from billy_mlx.blend.blend import Blend, Dose, Unit
from billy_mlx.blend.directions import directions
from billy_mlx.extraction.evidence import Cell
from billy_mlx.extraction.vector import PersonaVector
from billy_mlx.measure.projection import project
from billy_mlx.measure.reading import Text, read_all
from billy_mlx.measure.vocabulary import distinct_share, repeated_share
from billy_mlx.model.answers import Answers
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


@dataclass(frozen=True)
class Trial:
    """How the texts of a sweep are written and where they are read.

    Attributes:
        seed: of the text to the first prompt; every prompt after it has the next.
        batch: texts written at the same time.
    """

    prompts: tuple[str, ...]
    read_layer: int
    max_tokens: int
    batch: int
    seed: int
    sampling: Sampling


@dataclass(frozen=True, eq=False)
class Written:
    """A finished text, and what the unsteered model makes of it.

    Attributes:
        activations: (D,) mean of the residual stream at the read layer.
        nats: what the text surprises the model by, over all its tokens.
    """

    text: str
    activations: NDArray[np.float32]
    nats: float
    tokens: int


@dataclass(frozen=True, eq=False)
class Tried:
    """One layer and dose: what it did, to each prompt's text (prompts,) and on the whole, and the texts themselves."""

    cell: Cell
    effects: NDArray[np.floating[Any]]
    written: Sequence[Written]
    control: Sequence[Written]


class Sweep:
    """Sweeps with one model; a control that several of them share is written once."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._controls: dict[Trial, Sequence[Written]] = {}

    def run(
        self, vector: PersonaVector, trial: Trial, grid: Sequence[tuple[int, float]]
    ) -> Generator[float, None, list[Tried]]:
        """Return what `vector` does at each layer and dose, in residual norms, of `grid`, yielding the share done.

        Raises:
            UsageError: a prompt does not fit into the model's context.
            ModelError: a batch does not fit into memory.
        """
        added = [_at_dose(vector, *place) for place in grid]
        missing = [] if trial in self._controls else [UNSTEERED]
        written = yield from write_and_read(self._model, trial, [*missing, *added])
        if missing:
            self._controls[trial] = written.pop(0)
        control = self._controls[trial]
        return [_tried(vector, place, own, control, trial) for place, own in zip(grid, written, strict=True)]


def write_and_read(
    model: Model, trial: Trial, steerings: Sequence[Directions]
) -> Generator[float, None, list[Sequence[Written]]]:
    """Return for each of `steerings` the texts to all prompts, yielding what share of the work is done."""
    prompts = [tuple(chat_prompt(model.tokenizer, prompt)) for prompt in trial.prompts]
    rows = [
        Row(prompt, added, trial.sampling, seed=trial.seed + number, max_tokens=trial.max_tokens)
        for added in steerings
        for number, prompt in enumerate(prompts)
    ]
    longest = max(prompts, key=len)
    check_length(model, list(longest), trial.max_tokens)
    check_rows(model, min(trial.batch, len(rows)), len(longest) + trial.max_tokens, prompts=len(prompts))
    texts: list[tuple[str, Text]] = []
    for start in range(0, len(rows), trial.batch):
        writing = _write(model, rows[start : start + trial.batch])
        texts += yield from mapped(writing, partial(_share, start, len(rows), 0.0, _WRITING))
    reading = read_all(model, [text for _, text in texts])
    readings = yield from mapped(reading, partial(_share, 0, len(rows), _WRITING, 1.0))
    written = [
        Written(text, reading.average.mean[trial.read_layer], -reading.log_likelihood, reading.average.tokens)
        for (text, _), reading in zip(texts, readings, strict=True)
    ]
    return [written[start : start + len(prompts)] for start in range(0, len(written), len(prompts))]


def _at_dose(vector: PersonaVector, layer: int, dose: float) -> Directions:
    blend = Blend(((vector.persona_id, 1.0),), dose=Dose(dose, Unit.RESIDUAL_NORMS), layers=(layer,))
    return directions(blend, {vector.persona_id: vector})


def _tried(
    vector: PersonaVector,
    place: tuple[int, float],
    written: Sequence[Written],
    control: Sequence[Written],
    trial: Trial,
) -> Tried:
    def ratio(measure: Callable[[Written], float]) -> float:
        return _mean(measure, written) / max(_mean(measure, control), 1e-6)

    effects = _along(vector, written, trial) - _along(vector, control, trial)
    surprise = _nats_per_token(written) - _nats_per_token(control)
    cell = Cell(
        layer=place[0],
        dose=place[1],
        effect=float(effects.mean()),
        perplexity=float(np.exp(min(surprise, _MOST_NATS))),
        distinct=ratio(lambda each: distinct_share(each.text)),
        repetition=_mean(_repeated, written) - _mean(_repeated, control),
        length=ratio(lambda each: each.tokens),
    )
    return Tried(cell, effects, written, control)


def _along(vector: PersonaVector, written: Sequence[Written], trial: Trial) -> NDArray[np.floating[Any]]:
    """Return (prompts,): where each text lies along `vector` at the read layer, in gaps between the poles."""
    at = slice(trial.read_layer, trial.read_layer + 1)
    activations = np.stack([each.activations for each in written])[:, None]
    neutral = np.zeros_like(vector.directions) if vector.neutral_mean is None else vector.neutral_mean
    return project(activations, vector.directions[at], neutral[at], vector.projection_scale[at])[:, 0]


def _nats_per_token(written: Sequence[Written]) -> float:
    return sum(each.nats for each in written) / max(1, sum(each.tokens for each in written))


def _repeated(written: Written) -> float:
    return repeated_share(written.text)


def _mean(measure: Callable[[Written], float], written: Sequence[Written]) -> float:
    return float(np.mean([measure(each) for each in written]))


def _write(model: Model, rows: Sequence[Row]) -> Generator[float, None, list[tuple[str, Text]]]:
    """Write `rows` as one batch, yielding how many of them that amounts to so far."""
    answers = Answers(rows, model.tokenizer.eos_token_ids)
    for step in Decoding(model, rows):
        answers.take(step)
        yield sum(done / row.max_tokens for done, row in zip(answers.done, rows, strict=True))
    written = zip(answers.texts, rows, answers.tokens, strict=True)
    return [(text, Text(row.prompt, tuple(tokens))) for text, row, tokens in written]


def _share(before: float, total: float, since: float, upto: float, done: float) -> float:
    return since + (upto - since) * (before + done) / total
