"""A judge's scores for ideas, one by one with what was asked in view; or for whole answers, as the paper has them.

The judge never learns which arm an answer is from. Before its scores count, it is tried on what is known to
differ: originality with pairs of ideas written for the purpose, the rest with the very ideas that are to be judged.
"""

import random
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from billy_mlx.bench.cache import TextCache, digest
from billy_mlx.bench.comparisons import agreement
from billy_mlx.bench.equal_length import AnswerText, Content, Scores, Values, mean_of, scored_alike, some_ideas, spread
from billy_mlx.bench.metrics import CRITERIA, judge_metric
from billy_mlx.bench.result import FEWEST_ITEMS, Estimate, Reliability
from billy_mlx.bench.run import BenchProgress
from billy_mlx.bench.tasks import Item, Task, load_items
from billy_mlx.extraction.pole import Score
from billy_mlx.measure.statistics import auc, mean_interval
from billy_mlx.steps import mapped
from billy_mlx.vectors.measurements import JUDGE_AUC

_APART = {
    "originality": "unusual ideas from plain ones",
    "elaboration": "ideas from the same words shuffled",
    "adherence": "ideas for the task at hand from ideas for another one",
}
# The same in other words: a judge that means what it says gives about the same order.
_REWORDED = {
    "originality": "Asked the same, hardly anybody else would answer this: it surprises, and it fits all the same. "
    "What is said again and again, or is the first thing to think of, gets little. Do not be taken in by fine words.",
    "elaboration": "The answer says enough to see it before you or to carry it out: what exactly, and how. It holds "
    "together from one word to the next. A mere hint, or words in a muddle, gets little.",
    "adherence": "The answer does just what was asked for, and would make no sense as an answer to some other "
    "question. What passes by the question gets little.",
}


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
        reliable_only: do not ask a judge for what it cannot be relied on to judge.
        whole_answers: have an answer scored as a whole, and not idea by idea.
        projected: items whose control answers are read for what the blends carry.
    """

    ideas: int | None = None
    criteria: tuple[str, ...] = CRITERIA
    trial_items: int = 10
    trial_texts: int = 4
    reliable_only: bool = False
    whole_answers: bool = False
    projected: int = 24


ALL = Bounds()

QUICK = Bounds(
    ideas=2, criteria=("originality", "adherence"), trial_items=3, trial_texts=2, reliable_only=True, projected=3
)


@dataclass(frozen=True)
class Asked:
    """What a judge is asked about texts that answer the same prompt."""

    criterion: str
    prompt: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class JudgeTrial:
    """Texts for one item that a judge should tell apart."""

    task: Task
    item: str
    prompt: str
    better: tuple[str, ...]
    worse: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """All of them, each once."""
        return tuple(dict.fromkeys((*self.better, *self.worse)))


class CachedJudge:
    """A judge with a file of its own in a folder of scores; one process at a time may ask it.

    Attributes:
        name: the judge's.
        key: likewise; another key has another file.

    Raises:
        BillyError: the file is damaged, or cannot be read or written.
    """

    def __init__(self, judge: AnyJudge, folder: Path) -> None:
        self.name, self.key = judge.name, judge.key
        self._judge = judge
        self._kept: TextCache[Score] = TextCache(folder / f"judge-{digest(judge.key)}.jsonl", Score)  # type: ignore[arg-type]

    def score(self, criterion: str, answers: Sequence[tuple[str, str]]) -> Generator[int, None, list[Score]]:
        """Return what `Judge.score` does. Only new answers are asked for; they are kept once all of them are scored.

        Raises:
            BillyError: the judge raises it, or the disk takes no more.
        """
        kept = self._kept
        new = [each for each in dict.fromkeys(answers) if (criterion, *each) not in kept.found]
        if new:
            known = len(answers) - len(new)
            scores = yield from mapped(self._judge.score(criterion, new), lambda done: known + done)
            kept.add({(criterion, *each): score for each, score in zip(new, scores, strict=True)})
        return [kept.found[criterion, *each] for each in answers]


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
        scores = yield from mapped(scoring, partial(_judging_progress, stage, done, total))
        for text, score in zip(each.texts, scores, strict=True):
            found[each.criterion, each.prompt, text] = None if score is None else 1 + score / 25
        done += len(each.texts)
    return found


def judge_trials(subjects: Sequence[AnswerText], bounds: Bounds) -> dict[str, list[JudgeTrial]]:
    """Return by criterion what a judge of `subjects` is tried with.

    Originality: the unusual and the plain ideas that come with our own items of the same tasks. Elaboration: what is
    to be judged against the same words shuffled. Adherence: what is to be judged against answers to the next item.
    """
    tasks = {subject.task.id: subject.task for subject in subjects}
    own, anchored = _own_texts(subjects, bounds), _anchored(tasks, bounds.trial_items)
    trials = {
        "originality": [JudgeTrial(tasks[i.task], i.id, i.prompt, i.unusual, i.plain) for i in anchored],
        "elaboration": [replace(trial, worse=tuple(map(shuffled, trial.better))) for trial in own],
        "adherence": [replace(trial, worse=other.better) for trial, other in _with_next(own)],
    }
    return {name: [trial for trial in trials[name] if trial.better and trial.worse] for name in bounds.criteria}


def check_judge(
    judge: AnyJudge, trials: Mapping[str, Sequence[JudgeTrial]]
) -> Generator[BenchProgress, None, list[Reliability]]:
    """Return for each criterion how well the judge tells apart what differs, yielding how far it is."""
    asked = [
        Asked(criterion, trial.prompt, trial.texts)
        for name, own in trials.items()
        for trial in own
        for criterion in (criterion_of(trial.task, name), _REWORDED[name])
    ]
    found = yield from ask(judge, asked, "trying the judge")
    return [_reliability(judge.name, name, own, found) for name, own in trials.items()]


def shuffled(text: str) -> str:
    """Return the words of `text` in another order, always the same one."""
    words = text.split()
    random.Random(0).shuffle(words)
    return " ".join(words)


def verdict(judge: str, criterion: str, found: Estimate | None) -> tuple[bool, str]:
    """Return whether a judge can be relied on for a criterion, and that in a sentence.

    It can if its AUC is at least 0.6 and the interval leaves out chance, over at least five items.
    """
    if found is None:
        return False, f"{judge} could not be tried for {criterion}: no scores came, or for fewer than two items"
    usable = found.mean >= JUDGE_AUC and found.low > 0.5 and found.enough
    numbers = f"AUC {found.mean:.2f}, {found.low:.2f} to {found.high:.2f} over {found.items} items; chance is 0.5"
    if usable:
        return True, f"{judge} tells {_APART[criterion]} ({numbers}), so its scores for {criterion} can be relied on"
    if not found.enough:
        return False, f"{judge} was tried for {criterion} on too few items to rely on it ({numbers})"
    asked = f"{JUDGE_AUC} and an interval above 0.5, over {FEWEST_ITEMS} items or more, are asked for"
    return False, f"{judge} does not tell {_APART[criterion]} well enough ({numbers}; {asked})"


def _judging_progress(stage: str, before: int, total: int, done: int) -> BenchProgress:
    return BenchProgress(stage, (before + done) / total)


def _reliability(
    judge: str, name: str, trials: Sequence[JudgeTrial], found: Mapping[tuple[str, str, str], float | None]
) -> Reliability:
    def scores(trial: JudgeTrial, texts: Sequence[str], *, reworded: bool = False) -> list[float | None]:
        criterion = _REWORDED[name] if reworded else criterion_of(trial.task, name)
        return [found[criterion, trial.prompt, text] for text in texts]

    separation = _share([_separation(scores(t, t.better), scores(t, t.worse)) for t in trials])
    pairs = {
        trial.item: [
            (one, other)
            for one, other in zip(scores(trial, trial.texts), scores(trial, trial.texts, reworded=True), strict=True)
            if one is not None and other is not None
        ]
        for trial in trials
    }
    checks = {
        f"AUC: {_APART[name]}": separation,
        "rank correlation with itself, asked in other words": agreement(pairs),
        "share without a score": _share(
            [mean_of(float(score is None) for score in scores(trial, trial.texts)) for trial in trials]
        ),
    }
    usable, sentence = verdict(judge, name, separation)
    told = {check: estimate for check, estimate in checks.items() if estimate is not None}
    return Reliability(f"judge: {judge}, {name}", name, told, usable, sentence)


def _separation(better: Sequence[float | None], worse: Sequence[float | None]) -> float | None:
    """Return the chance that one of `better` scores above one of `worse`; None if either has no scores."""
    above, below = ([score for score in scores if score is not None] for scores in (better, worse))
    return float(auc(np.array(above), np.array(below))) if above and below else None


def _share(by_item: Sequence[float | None]) -> Estimate | None:
    interval = mean_interval([value for value in by_item if value is not None])
    return None if interval is None else Estimate(*interval).within(0.0, 1.0)


def _anchored(tasks: Collection[str], per_task: int) -> list[Item]:
    """Return our items that have plain and unusual ideas: so many of each of `tasks`, or more if that is too few."""
    items = [item for item in load_items(tasks) if item.plain and item.unusual]
    able = {item.task for item in items}
    most = max(per_task, -(-FEWEST_ITEMS // max(1, len(able))))
    return [item for task in tasks for item in [each for each in items if each.task == task][:most]]


def _own_texts(subjects: Sequence[AnswerText], bounds: Bounds) -> list[JudgeTrial]:
    """Return for some items of each task some of the texts that are to be judged, with nothing to tell them from."""
    texts: dict[str, dict[str, None]] = {}
    for subject in subjects:
        texts.setdefault(subject.item.id, {}).update(dict.fromkeys(judged_texts(subject, subject.whole, bounds)))
    by_task: dict[str, list[JudgeTrial]] = {}
    for subject in {subject.item.id: subject for subject in subjects}.values():
        own = list(texts[subject.item.id])
        if own:
            better = tuple(own[place] for place in spread(len(own), bounds.trial_texts))
            trial = JudgeTrial(subject.task, subject.item.id, subject.item.prompt, better, ())
            by_task.setdefault(subject.task.id, []).append(trial)
    return [own[place] for own in by_task.values() for place in spread(len(own), bounds.trial_items)]


def _with_next(trials: Sequence[JudgeTrial]) -> Iterator[tuple[JudgeTrial, JudgeTrial]]:
    """Yield every trial with the next one of its task, the first after the last; not one that is alone."""
    for place, trial in enumerate(trials):
        following = (*trials[place + 1 :], *trials[:place])
        other = next((each for each in following if each.task.id == trial.task.id), None)
        if other is not None:
            yield trial, other
