"""What answers score without a judge: by their ideas among all arms' ideas, and as the unsteered model reads them."""

from collections import defaultdict
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

import numpy as np

from billy_mlx.bench.cache import TextCache, TextKey
from billy_mlx.bench.equal_length import AnswerText, Content, Scores, Values, mean_of, scored_alike, some_ideas
from billy_mlx.bench.metrics import NATS, projection_metric
from billy_mlx.bench.run import BenchProgress
from billy_mlx.measure.activations import Reading, Text, project, read_all
from billy_mlx.measure.diversity import clusters, mean_distance, rarity, same_idea_threshold, vendi_score
from billy_mlx.measure.embedding import Embedder, Floats, centred
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import going_on_prompt
from billy_mlx.steps import mapped
from billy_mlx.vectors.vector import PersonaVector

Embeddings = Mapping[tuple[str, str], Floats]
"""(D,) by item and text, less what all ideas for the item share: that they are about the same thing."""

_AT_ONCE = 128  # texts whose streams are held at the same time
_OTHER_ITEMS = 2


def idea_scores(
    embedder: Embedder, subjects: Sequence[AnswerText], groups: Mapping[str, str]
) -> Generator[BenchProgress, None, list[Scores]]:
    """Return the number of ideas, their rarity and their diversity, yielding how far the embedding is.

    Args:
        embedder: says what texts mean.
        subjects: what is scored.
        groups: of arms; one that is not in it is a group of its own.
    """
    embeddings = yield from _embedded(embedder, subjects)
    thresholds = _thresholds(subjects, embeddings)
    whole, matched = (
        _Pool(pairs, embeddings, thresholds, groups)
        for pairs in (
            [(s, s.whole) for s in subjects],
            [(s, s.matched) for s in subjects if s.matched is not None],
        )
    )

    def scored(subject: AnswerText, content: Content) -> Values:
        rows = [embeddings[subject.item.id, part] for part in content.parts]
        parts = np.stack(rows) if rows else np.zeros((0, 1), np.float32)
        labels, rare = (matched if content is subject.matched else whole).of(subject)
        return {
            "ideas": float(len(set(labels))) if subject.task.lists_ideas else None,
            "rarity": mean_of(rare),
            "embedding diversity": mean_distance(parts),
            "vendi": vendi_score(parts),
        }

    return scored_alike(subjects, scored)


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


@dataclass(frozen=True)
class TextReading:
    """A text after a prompt: nats a token that it surprises by, and where it lies, by persona."""

    nats: float
    places: dict[str, float]


def reading_scores(
    model: Model,
    subjects: Sequence[AnswerText],
    axes: Mapping[str, Axis],
    kept: TextCache["TextReading"],
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


class _Pool:
    """The ideas of all answers, each item's in clusters."""

    def __init__(
        self,
        pairs: Sequence[tuple[AnswerText, Content]],
        embeddings: Embeddings,
        thresholds: Mapping[str, float],
        groups: Mapping[str, str],
    ) -> None:
        by_item: dict[str, list[tuple[AnswerText, str]]] = defaultdict(list)
        for subject, content in pairs:
            by_item[subject.item.id] += [(subject, idea) for idea in content.ideas]
        self._found: dict[tuple[str, str, int], list[tuple[int, float]]] = defaultdict(list)
        for item, ideas in by_item.items():
            if not ideas:
                continue
            threshold = thresholds[ideas[0][0].task.id]
            labels = clusters(np.stack([embeddings[item, idea] for _, idea in ideas]), threshold)
            rare = rarity(labels, _owners(ideas, groups))
            for (subject, _), label, value in zip(ideas, labels, rare, strict=True):
                self._found[_key(subject)].append((label, value))

    def of(self, subject: AnswerText) -> tuple[list[int], list[float]]:
        """Return cluster and rarity of each idea of a subject, in their order."""
        found = self._found.get(_key(subject), [])
        return [label for label, _ in found], [value for _, value in found]


def _owners(ideas: Sequence[tuple[AnswerText, str]], groups: Mapping[str, str]) -> list[str]:
    """Return which group each idea for an item is of: that of the first answer with the same ideas, to the letter."""
    said: defaultdict[tuple[str, str, int], list[str]] = defaultdict(list)
    for subject, idea in ideas:
        said[_key(subject)].append(idea)
    first: dict[tuple[str, ...], str] = {}
    for subject, _ in ideas:
        arm = subject.answer.arm
        first.setdefault(tuple(said[_key(subject)]), groups.get(arm, arm))
    return [first[tuple(said[_key(subject)])] for subject, _ in ideas]


def _embedded(embedder: Embedder, subjects: Sequence[AnswerText]) -> Generator[BenchProgress, None, Embeddings]:
    by_item: dict[str, dict[str, None]] = defaultdict(dict)
    for subject in subjects:
        for content in (subject.whole, subject.matched):
            if content is not None:
                by_item[subject.item.id] |= dict.fromkeys((*content.ideas, *content.parts))
    texts = list(dict.fromkeys(text for own in by_item.values() for text in own))
    rows = yield from mapped(embedder.embed(texts), partial(_embedding_progress, len(texts)))
    by_text = dict(zip(texts, rows, strict=True))
    return {
        (item, text): row
        for item, own in by_item.items()
        if own
        for text, row in zip(own, centred(np.stack([by_text[text] for text in own])), strict=True)
    }


def _thresholds(subjects: Sequence[AnswerText], embeddings: Embeddings) -> dict[str, float]:
    """Return for each task how near two ideas must be to count as the same one.

    What ideas for one item share has been taken away from them, or two items alone would lie on either side of their
    mean, and all ideas for one of them would be nearer than any for both.
    """
    ideas: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for subject in subjects:
        ideas[subject.task.id] += [(subject.item.id, idea) for idea in subject.whole.ideas]
    return {
        task: same_idea_threshold(np.stack([embeddings[idea] for idea in own]), [item for item, _ in own])
        for task, own in ideas.items()
        if own
    }


def _key(subject: AnswerText) -> tuple[str, str, int]:
    return subject.answer.arm, subject.item.id, subject.answer.seed


def _embedding_progress(total: int, done: int) -> BenchProgress:
    return BenchProgress("comparing the ideas", done / total)


def _belonging(
    found: Mapping[TextKey, TextReading], idea: str, subject: AnswerText, others: Sequence[str]
) -> float | None:
    """Return how many nats a token `idea` is likelier after its own prompt than after `others`, on the average."""
    own = found.get((subject.item.prompt, idea))
    elsewhere = mean_of(found[prompt, idea].nats for prompt in others if (prompt, idea) in found)
    return None if own is None or elsewhere is None else elsewhere - own.nats


def _read(
    model: Model, asked: Mapping[str, Collection[str]], axes: Mapping[str, Axis], kept: TextCache[TextReading]
) -> Generator[BenchProgress, None, None]:
    """Find what is not known yet of texts after each prompt; of one without a token, or beyond the context, nothing.

    The texts of one prompt are read together, so that the prompt is read once, and some at a time: what is kept of a
    text is a few numbers, and not its streams.
    """
    new = {prompt: [text for text in texts if (prompt, text) not in kept.found] for prompt, texts in asked.items()}
    done, total = 0, sum(map(len, new.values()))
    for prompt, texts in new.items():
        for some in _some(sorted(texts, key=lambda text: (len(text), text))):
            found: dict[TextKey, TextReading] = {}
            reading = read_all(model, [_as_answer(model, prompt, text) for text in some])
            readings = yield from mapped(reading, partial(_reading_progress, done, total))
            for text, read in zip(some, readings, strict=True):
                if read.average.tokens:
                    nats = -read.log_likelihood / read.average.tokens
                    found[prompt, text] = TextReading(
                        nats, {persona: axis.place(read) for persona, axis in axes.items()}
                    )
            kept.add(found)
            done += len(some)


def _reading_progress(before: int, total: int, done: int) -> BenchProgress:
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
