"""Which answers a vector is made from: the paper's filter, if the judge is good enough to be asked."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import add

import numpy as np

from billy_mlx.errors import VectorError
from billy_mlx.extraction.judge import COHERENCE, Judge, trait_criterion
from billy_mlx.extraction.pole import Kept, Pole, Score
from billy_mlx.measure.statistics import auc
from billy_mlx.steps import mapped
from billy_mlx.vectors.card import Persona
from billy_mlx.vectors.measurements import JUDGE_AUC, Judgement

LEAST_KEPT = 20
"""Answers that a filter must leave of each pole: from fewer, a mean over 24 questions is a mean over a few of them."""

_MIDDLE = 50.0  # of 100 points: above it is the persona, below it is neutral; from it on an answer is coherent
_AUDITION = 48  # answers of each pole after which a judge that cannot tell them apart is asked no more


@dataclass(frozen=True)
class Selection:
    """Which answers of either pole count, and how that was decided."""

    positive: Kept
    neutral: Kept
    judgement: Judgement


def keep_all(positive: Pole, neutral: Pole, judgement: Judgement | None = None) -> Selection:
    """Return the selection of every answer."""
    return Selection([True] * len(positive), [True] * len(neutral), judgement or Judgement())


def select(
    judge: Judge, persona: Persona, positive: Pole, neutral: Pole, questions: Sequence[str]
) -> Generator[float, None, Selection]:
    """Let `judge` score the answers of both poles and return those to keep, yielding what share of it is done.

    Kept are answers as the persona that get more than 50 of 100 points for it, and neutral ones that get fewer, where
    the judge finds them coherent (50 or more): the filter of arXiv 2507.21509 and 2510.10157. A judge that does not
    tell the poles apart (AUC below 0.6), or puts more than half of both on the same side of 50, decides nothing.

    Args:
        judge: is asked about every answer with its question; scores are kept beside the answers.
        persona: whose answers are judged, by its rubric.
        positive: answers as the persona.
        neutral: answers as nobody in particular.
        questions: by number, the questions that were answered.

    Raises:
        VectorError: the filter leaves too few answers of a pole.
    """
    progress = _Progress(2 * (len(positive) + len(neutral)))
    criterion, poles = trait_criterion(persona), (positive, neutral)
    for most in (min(_AUDITION, len(positive), len(neutral)), max(map(len, poles))):
        traits = []
        for pole in poles:
            traits.append((yield from progress.of(pole, "trait", _scores(judge, criterion, pole, questions, most))))
        judgement = _judgement(judge, *traits)
        if not _can_filter(judgement):
            return keep_all(positive, neutral, judgement)
    kept = []
    for pole, trait, is_neutral in zip(poles, traits, (False, True), strict=True):
        scoring = _scores(judge, COHERENCE, pole, questions, len(pole))
        coherence = yield from progress.of(pole, "coherence", scoring)
        kept.append([_passes(*pair, is_neutral=is_neutral) for pair in zip(trait, coherence, strict=True)])
    _require_enough(persona, judge, kept)
    return Selection(kept[0], kept[1], replace(judgement, filtered=True))


class _Progress:
    """How much of the judging is done, over several generators, of which one may go on where another left off."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._scored: dict[tuple[Pole, str], int] = {}

    def of(
        self, pole: Pole, criterion: str, judging: Generator[int, None, list[Score]]
    ) -> Generator[float, None, list[Score]]:
        def share(done: int) -> float:
            self._scored[pole, criterion] = done
            return sum(self._scored.values()) / self._total

        scores = yield from mapped(judging, share)
        share(len(scores))
        return scores


def _scores(
    judge: Judge, criterion: str, pole: Pole, questions: Sequence[str], most: int
) -> Generator[int, None, list[Score]]:
    """Return the scores of the first `most` answers, a batch of the pole at a time: what is scored is kept."""
    scores = pole.scores(judge.key, criterion)
    at = 0
    for batch in pole:
        wanted = batch[: max(0, most - at)][max(0, len(scores) - at) :]
        at += len(batch)
        if not wanted:
            continue
        judging = judge.score(criterion, [(questions[rollout.question], rollout.answer) for rollout in wanted])
        scores = [*scores, *(yield from mapped(judging, partial(add, len(scores))))]
        pole.save_scores(judge.key, criterion, scores)
    return scores[:most]


def _judgement(judge: Judge, positive: Sequence[Score], neutral: Sequence[Score]) -> Judgement:
    """Return how well the scores tell the poles apart; not at all if less than half of a pole's answers got one."""
    given = [np.array([score for score in scores if score is not None]) for scores in (positive, neutral)]
    judged = min(len(positive), len(neutral))
    if any(2 * len(some) < len(every) for some, every in zip(given, (positive, neutral), strict=True)):
        return Judgement(judge.name, judged=judged)
    medians = (float(np.median(given[0])), float(np.median(given[1])))
    return Judgement(judge.name, float(auc(*given)), medians, judged=judged)


def _can_filter(judgement: Judgement) -> bool:
    if judgement.auc is None or judgement.medians is None:
        return False
    positive, neutral = judgement.medians
    return judgement.auc >= JUDGE_AUC and neutral < _MIDDLE < positive


def _passes(trait: Score, coherence: Score, *, is_neutral: bool) -> bool:
    if trait is None or coherence is None or coherence < _MIDDLE:
        return False
    return bool(trait < _MIDDLE if is_neutral else trait > _MIDDLE)


def _require_enough(persona: Persona, judge: Judge, kept: Sequence[Kept]) -> None:
    for pole, own in zip((f"as {persona.name}", "without any persona"), kept, strict=True):
        if sum(own) < LEAST_KEPT:
            raise VectorError(
                f"{judge.name} finds {sum(own)} of {len(own)} answers {pole} good enough for a vector of "
                f"{persona.name}, and {LEAST_KEPT} are needed; ask for more answers (--rollouts), judge with another "
                f"model (--judge MODEL), write the card's prompts more plainly, or keep every answer (--judge none)"
            )
