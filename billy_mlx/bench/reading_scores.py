"""What the unsteered model makes of answers: how likely they are, where they lie, and whether they fit the prompt."""

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from billy_mlx.bench.kept_texts import KeptTexts, Key
from billy_mlx.bench.matching import AnswerText, Content, Scores, Values, mean_of, scored_alike, some_ideas
from billy_mlx.bench.metrics import NATS, projection_metric
from billy_mlx.bench.run import BenchProgress
from billy_mlx.extraction.vector import PersonaVector
from billy_mlx.measure.activations import Reading, Text, project, read_all
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import going_on_prompt
from billy_mlx.steps import mapped

_AT_ONCE = 128  # texts whose streams are held at the same time
_OTHER_ITEMS = 2

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Axis:
    """Where a persona is read: at one layer, with what counts as 0 and 1 there.

    Attributes:
        direction: (D,) the persona vector.
        neutral_mean: (D,).
    """

    layer: int
    direction: Floats
    neutral_mean: Floats
    scale: float

    @classmethod
    def of(cls, vector: PersonaVector) -> "Axis":
        """Return the axis of `vector` at the layer it was calibrated to, or at half of the depth until it is."""
        layer = len(vector.directions) // 2 if vector.calibration is None else vector.calibration.layer
        neutral = np.zeros_like(vector.reading) if vector.neutral_mean is None else vector.neutral_mean
        return cls(layer, vector.reading[layer], neutral[layer], float(vector.projection_scale[layer]))

    @property
    def key(self) -> str:
        """Changes with whatever decides where a text lies."""
        numbers = np.concatenate([self.direction, self.neutral_mean, [self.scale, self.layer]])
        return sha256(numbers.astype(np.float64).tobytes()).hexdigest()[:16]

    def place(self, reading: Reading) -> float:
        """Return where a text lies: 0 for the average neutral answer, 1 for the persona's."""
        here = reading.average.mean[None, [self.layer]]
        along = project(here, self.direction[None], self.neutral_mean[None], np.array([self.scale], np.float32))
        return float(along[0, 0])


def reading_scores(
    model: Model,
    subjects: Sequence[AnswerText],
    axes: Mapping[str, Axis],
    kept: KeptTexts["TextReading"],
    most_ideas: int | None = None,
) -> Generator[BenchProgress, None, list[Scores]]:
    """Return the negative log-likelihood, adherence and the place on every axis, yielding how far the reading is.

    Everything is read as an answer to a prompt, without any system message: the answers to their own item's, and each
    idea to its own item's and to those of the next two items of the task.

    Args:
        model: unsteered.
        subjects: what is scored.
        axes: by persona.
        kept: what was found of texts by the same model along the same axes: they are not read again.
        most_ideas: of an answer that are read by themselves; None for all.
    """
    others = _other_prompts(subjects)
    asked: dict[str, set[str]] = {}
    for subject in subjects:
        for content in _contents(subject):
            asked.setdefault(subject.item.prompt, set()).add(content.text)
            for prompt in [subject.item.prompt, *others[subject.item.id]]:
                asked.setdefault(prompt, set()).update(some_ideas(subject, content, most_ideas))
    yield from _read(model, asked, axes, kept)
    found = kept.found

    def scored(subject: AnswerText, content: Content) -> Values:
        own = found.get((subject.item.prompt, content.text))
        return {
            NATS: None if own is None else own.nats,
            **{projection_metric(persona): None if own is None else own.places[persona] for persona in axes},
            "adherence": mean_of(
                _belonging(found, idea, subject, others[subject.item.id])
                for idea in some_ideas(subject, content, most_ideas)
            ),
        }

    return scored_alike(subjects, scored)


@dataclass(frozen=True)
class TextReading:
    """A text after a prompt: nats a token that it surprises by, and where it lies, by persona."""

    nats: float
    places: dict[str, float]


def _belonging(found: Mapping[Key, TextReading], idea: str, subject: AnswerText, others: Sequence[str]) -> float | None:
    """Return how many nats a token `idea` is likelier after its own prompt than after `others`, on the average."""
    own = found.get((subject.item.prompt, idea))
    elsewhere = mean_of(found[prompt, idea].nats for prompt in others if (prompt, idea) in found)
    return None if own is None or elsewhere is None else elsewhere - own.nats


def _read(
    model: Model, asked: Mapping[str, Collection[str]], axes: Mapping[str, Axis], kept: KeptTexts[TextReading]
) -> Generator[BenchProgress, None, None]:
    """Find what is not known yet of texts after each prompt; of one without a token, or beyond the context, nothing.

    The texts of one prompt are read together, so that the prompt is read once, and some at a time: what is kept of a
    text is a few numbers, and not its streams.
    """
    new = {prompt: [text for text in texts if (prompt, text) not in kept.found] for prompt, texts in asked.items()}
    done, total = 0, sum(map(len, new.values()))
    for prompt, texts in new.items():
        for some in _some(sorted(texts, key=lambda text: (len(text), text))):
            found: dict[Key, TextReading] = {}
            reading = read_all(model, [_as_answer(model, prompt, text) for text in some])
            readings = yield from mapped(reading, partial(_progress, done, total))
            for text, read in zip(some, readings, strict=True):
                if read.average.tokens:
                    nats = -read.log_likelihood / read.average.tokens
                    found[prompt, text] = TextReading(
                        nats, {persona: axis.place(read) for persona, axis in axes.items()}
                    )
            kept.add(found)
            done += len(some)


def _progress(before: int, total: int, done: int) -> BenchProgress:
    return BenchProgress("reading the answers", (before + done) / total)


def _as_answer(model: Model, prompt: str, text: str) -> Text:
    """Return `text` as an answer to `prompt`, cut to what the model's context holds."""
    before = going_on_prompt(model.tokenizer, "", user=prompt)
    whole = going_on_prompt(model.tokenizer, text.strip(), user=prompt)[: model.context_length]
    return Text(tuple(whole[: len(before)]), tuple(whole[len(before) :]))


def _other_prompts(subjects: Sequence[AnswerText]) -> dict[str, list[str]]:
    """Return the prompts of the next two items of the task, by the item's id, the first ones after the last."""
    by_task: dict[str, dict[str, str]] = {}
    for subject in subjects:
        by_task.setdefault(subject.task.id, {})[subject.item.id] = subject.item.prompt
    others = {}
    for prompts in by_task.values():
        ids = sorted(prompts)
        for place, id in enumerate(ids):
            following = [ids[(place + step) % len(ids)] for step in range(1, min(_OTHER_ITEMS, len(ids) - 1) + 1)]
            others[id] = [prompts[other] for other in following]
    return others


def _contents(subject: AnswerText) -> list[Content]:
    return [content for content in (subject.whole, subject.matched) if content is not None]


def _some(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    return (texts[at : at + _AT_ONCE] for at in range(0, len(texts), _AT_ONCE))
