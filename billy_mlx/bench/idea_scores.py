"""How many ideas an answer has, how different they are, and how rare among all arms' ideas for the same item."""

from collections import defaultdict
from collections.abc import Generator, Mapping, Sequence
from functools import partial

import numpy as np

from billy_mlx.bench.matching import AnswerText, Content, Scores, Values, mean_of, scored_alike
from billy_mlx.bench.run import BenchProgress
from billy_mlx.measure.diversity import clusters, mean_distance, rarity, same_idea_threshold, vendi_score
from billy_mlx.measure.embedding import Embedder, Floats, centred
from billy_mlx.steps import mapped

Embeddings = Mapping[tuple[str, str], Floats]
"""(D,) by item and text, less what all ideas for the item share: that they are about the same thing."""


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
    rows = yield from mapped(embedder.embed(texts), partial(_progress, len(texts)))
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


def _progress(total: int, done: int) -> BenchProgress:
    return BenchProgress("comparing the ideas", done / total)
