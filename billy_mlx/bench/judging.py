"""A judge's scores for ideas, one by one with what was asked in view; or for whole answers, as the paper has them.

The judge never learns which arm an answer is from. How far it can be relied on is told by `judge_check`.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from billy_mlx.bench.matching import AnswerText, Content, Scores, Values, mean_of, scored_alike, some_ideas
from billy_mlx.bench.metrics import CRITERIA, judge_metric
from billy_mlx.bench.run import BenchProgress
from billy_mlx.bench.tasks import Task
from billy_mlx.extraction.pole import Score
from billy_mlx.steps import mapped


class AnyJudge(Protocol):
    """Whoever scores as `extraction.judge.Judge` does."""

    name: str
    key: str

    def score(self, criterion: str, answers: Sequence[tuple[str, str]]) -> Generator[int, None, list[Score]]:
        """Return how well each answer to a question meets the criterion, from 0 to 100."""


@dataclass(frozen=True)
class Bounds:
    """How much is judged and read.

    Attributes:
        ideas: of an answer at most, evenly spread over it; None for all. Adherence is read of no more either.
        criteria: of `CRITERIA`.
        trial_items: of a task, that the judge is tried on before.
        trial_texts: of each kind, of an item.
        heeded_only: do not ask a judge for what it cannot be relied on to judge.
        whole_answers: have an answer scored as a whole, and not idea by idea.
        projected: items whose control answers are read for what the blends carry.
    """

    ideas: int | None = None
    criteria: tuple[str, ...] = CRITERIA
    trial_items: int = 10
    trial_texts: int = 4
    heeded_only: bool = False
    whole_answers: bool = False
    projected: int = 24


ALL = Bounds()
QUICK = Bounds(
    ideas=2, criteria=("originality", "adherence"), trial_items=3, trial_texts=2, heeded_only=True, projected=3
)


@dataclass(frozen=True)
class Asked:
    """What a judge is asked about texts that answer the same prompt."""

    criterion: str
    prompt: str
    texts: tuple[str, ...]


def judge_scores(
    judge: AnyJudge, subjects: Sequence[AnswerText], bounds: Bounds
) -> Generator[BenchProgress, None, list[Scores]]:
    """Return the judge's mean score of every answer for each criterion, from 1 to 5, yielding how far it is."""
    texts: dict[tuple[Task, str], dict[str, None]] = {}
    for subject in subjects:
        for content in (subject.whole, subject.matched):
            if content is not None:
                judged = judged_texts(subject, content, bounds)
                texts.setdefault((subject.task, subject.item.prompt), {}).update(dict.fromkeys(judged))
    asked = [
        Asked(criterion_of(task, name), prompt, tuple(own))
        for (task, prompt), own in texts.items()
        for name in bounds.criteria
    ]
    found = yield from ask(judge, asked, "judging")

    def scored(subject: AnswerText, content: Content) -> Values:
        judged = judged_texts(subject, content, bounds)
        return {
            judge_metric(name): mean_of(
                found[criterion_of(subject.task, name), subject.item.prompt, text] for text in judged
            )
            for name in bounds.criteria
        }

    return scored_alike(subjects, scored)


def judged_texts(subject: AnswerText, content: Content, bounds: Bounds) -> list[str]:
    """Return what of `content` is put before the judge: at matched length those of the whole that are still there."""
    if bounds.whole_answers:
        return [content.text] if content.text.strip() else []
    return some_ideas(subject, content, bounds.ideas)


def criterion_of(task: Task, name: str) -> str:
    """Return what the judge is told to look for."""
    criteria = dict(zip(CRITERIA, (task.originality, task.elaboration, task.adherence), strict=True))
    return criteria[name]


def ask(
    judge: AnyJudge, asked: Sequence[Asked], stage: str
) -> Generator[BenchProgress, None, Mapping[tuple[str, str, str], float | None]]:
    """Return the score, from 1 to 5, by criterion, prompt and text; None where the judge gave none.

    What is asked for the same prompt and criterion is asked together, so that these are read once.
    """
    found: dict[tuple[str, str, str], float | None] = {}
    done, total = 0, sum(len(each.texts) for each in asked)
    for each in (each for each in asked if each.texts):
        scoring = judge.score(each.criterion, [(each.prompt, text) for text in each.texts])
        scores = yield from mapped(scoring, partial(_progress, stage, done, total))
        for text, score in zip(each.texts, scores, strict=True):
            found[each.criterion, each.prompt, text] = None if score is None else 1 + score / 25
        done += len(each.texts)
    return found


def _progress(stage: str, before: int, total: int, done: int) -> BenchProgress:
    return BenchProgress(stage, (before + done) / total)
