"""What of an answer is scored: all of it, and as much of it as the shortest answer to the item has."""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from billy_mlx.bench.ideas import split_ideas
from billy_mlx.bench.store import Answer
from billy_mlx.bench.tasks import Item, Task
from billy_mlx.sentences import starts

LEAST_WORDS = 10
"""An answer with fewer is no answer: it does not decide how much of the others is scored, and is not scored so."""

_WORD = re.compile(r"\S*[^\W_]\S*")  # what stands between spaces and holds a letter or a digit


@dataclass(frozen=True)
class Content:
    """An answer, or its beginning.

    Attributes:
        text: as it was written, without space around it.
        ideas: in it; of a piece of writing the whole is the one idea.
        parts: what is compared with one another within it: the ideas, or the sentences of a piece of writing.
    """

    text: str
    ideas: tuple[str, ...]
    parts: tuple[str, ...]


@dataclass(frozen=True)
class AnswerText:
    """An answer to be scored; `matched` is its beginning, or None where it has too few words."""

    answer: Answer
    item: Item
    task: Task
    whole: Content
    matched: Content | None


Values = dict[str, float | None]
"""By metric."""


@dataclass(frozen=True)
class Scores:
    """What one answer scored, whole and at matched length, in some of the metrics."""

    whole: Values
    matched: Values


def scored_alike(subjects: Sequence[AnswerText], scored: Callable[[AnswerText, Content], Values]) -> list[Scores]:
    """Return what `scored` gives the whole of each subject and its beginning; None where that is missing."""
    scores = []
    for subject in subjects:
        whole = scored(subject, subject.whole)
        matched = dict.fromkeys(whole) if subject.matched is None else scored(subject, subject.matched)
        scores.append(Scores(whole, matched))
    return scores


def mean_of(values: Iterable[float | None]) -> float | None:
    """Return the mean of the values there are, or None without any."""
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


def subjects(answers: Sequence[Answer], items: Sequence[Item], tasks: Mapping[str, Task]) -> list[AnswerText]:
    """Return what is scored of `answers`, in their order; an answer to none of `items` is left out.

    The beginning of an answer has as many words as the shortest answer to its item of any arm and seed, answers below
    `LEAST_WORDS` not counted; its ideas are those that end within them, and the first one in any case.
    """
    by_id = {item.id: item for item in items}
    answers = [answer for answer in answers if answer.item in by_id]
    shortest = _shortest(answers)
    found = []
    for answer in answers:
        item = by_id[answer.item]
        task = tasks[item.task]
        text = answer.text.strip()
        whole = _content(text, split_ideas(text, lists_ideas=task.lists_ideas), task)
        enough = word_count(text) >= LEAST_WORDS
        matched = _beginning(whole, shortest[item.id], task) if enough else None
        found.append(AnswerText(answer, item, task, whole, matched))
    return found


def some_ideas(subject: AnswerText, content: Content, most: int | None) -> list[str]:
    """Return at most so many of a subject's ideas, evenly spread over all of it, as far as `content` has them."""
    count = len(subject.whole.ideas)
    places = spread(count, count if most is None else most)
    return [content.ideas[place] for place in places if place < len(content.ideas)]


def spread(count: int, most: int) -> list[int]:
    """Return the places of at most `most` of `count` things, evenly spread, the first among them."""
    places: list[int] = np.linspace(0, count - 1, min(count, most)).round().astype(int).tolist()
    return places


def word_count(text: str) -> int:
    """Return how many words `text` has, numbers included, such as those of a list."""
    return len(_WORD.findall(text))


def first_words(text: str, count: int) -> str:
    """Return `text` up to the end of its word number `count`; all of it if it has no more."""
    ends = [word.end() for word in _WORD.finditer(text)]
    return text if count >= len(ends) else text[: ends[count - 1]] if count else ""


def _shortest(answers: Sequence[Answer]) -> dict[str, int]:
    counts: dict[str, list[int]] = defaultdict(list)
    for answer in answers:
        counts[answer.item].append(word_count(answer.text))
    return {item: min((n for n in own if n >= LEAST_WORDS), default=LEAST_WORDS) for item, own in counts.items()}


def _content(text: str, ideas: Sequence[str], task: Task) -> Content:
    return Content(text, tuple(ideas), tuple(ideas if task.lists_ideas else _sentences(text)))


def _beginning(whole: Content, words: int, task: Task) -> Content:
    text = first_words(whole.text, words)
    if not task.lists_ideas:
        return _content(text, [text] if whole.ideas else [], task)
    within = sum(end <= words for end in _ends(whole.text, whole.ideas))
    return _content(text, whole.ideas[: max(within, 1)], task)


def _ends(text: str, ideas: Sequence[str]) -> list[int]:
    """Return how many words of `text` there are up to the end of each idea.

    An idea is looked for by its letters behind the one before it; one that was changed too much to be found is taken
    to follow at once.
    """
    said = [_letters(word) for word in _WORD.findall(text)]
    ends, at = [], 0
    for idea in ideas:
        own = [_letters(word) for word in _WORD.findall(idea)]
        at = next((place for place in range(at, len(said)) if said[place : place + len(own)] == own), at) + len(own)
        ends.append(at)
    return ends


def _letters(word: str) -> str:
    return re.sub(r"[\W_]", "", word).lower()


def _sentences(text: str) -> list[str]:
    pieces = [text[start:end].strip() for start, end in pairwise([*starts(text), len(text)])]
    return [piece for piece in pieces if piece]
