"""How far two raters agree, and people's ratings beside the judge's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from billy_mlx.bench.blind import IdeaKey, Ratings
from billy_mlx.bench.matching import AnswerText, Content, mean_of
from billy_mlx.bench.metrics import human_metric, judge_metric
from billy_mlx.bench.result import FEWEST_ITEMS, Estimate, Reliability, ScoredAnswer
from billy_mlx.measure.statistics import stretch

Floats = NDArray[np.float64]

_ROUNDS = 2000

Pairs = Mapping[str, Sequence[tuple[float, float]]]
"""What two raters gave the same texts, by item."""


def agreement(pairs: Pairs, seed: int = 0) -> Estimate | None:
    """Return Spearman's rank correlation of two raters over all texts, with its interval, made as that of a mean.

    None with fewer than five items, or where a rater gave the same to all.
    """
    owner = np.repeat(np.arange(len(pairs)), [len(own) for own in pairs.values()])
    both = np.array([pair for own in pairs.values() for pair in own], np.float64).reshape(-1, 2)
    [found] = _correlations(np.ones((1, len(both))), both)
    items = np.unique(owner)
    if len(items) < FEWEST_ITEMS or not np.isfinite(found):
        return None
    drawn = np.random.default_rng(seed).multinomial(len(items), np.full(len(items), 1 / len(items)), size=_ROUNDS)
    again = _correlations(drawn[:, np.searchsorted(items, owner)].astype(np.float64), both)
    low, high = np.quantile(again[np.isfinite(again)] - found, [0.025, 0.975]) * stretch(len(items))
    return Estimate(float(found), float(found + min(low, 0)), float(found + max(high, 0)), len(items)).within(-1, 1)


def add_ratings(
    scored: Sequence[ScoredAnswer], subjects: Sequence[AnswerText], ratings: Iterable[Ratings]
) -> tuple[list[ScoredAnswer], list[Reliability]]:
    """Return the scores with people's ratings beside them, and how each person agrees with the judge and the others.

    Args:
        scored: of the `subjects`, in their order.
        subjects: whose ideas were rated.
        ratings: of each person.
    """
    raters = list(ratings)
    for rater in raters:
        scored = [_rated(score, subject, rater) for score, subject in zip(scored, subjects, strict=True)]
    reliability = [
        _reliability(scored, rater, criterion, len(own), raters)
        for rater in raters
        for criterion, own in _by_criterion(rater)
        if own
    ]
    return list(scored), reliability


def _rated(score: ScoredAnswer, subject: AnswerText, rater: Ratings) -> ScoredAnswer:
    whole = {
        human_metric(rater.rater, of): _mean_rating(subject, subject.whole, own) for of, own in _by_criterion(rater)
    }
    # A piece of writing was rated as a whole: what its beginning would have got is not known.
    beginning = subject.matched if subject.task.lists_ideas else None
    matched = {
        human_metric(rater.rater, of): None if beginning is None else _mean_rating(subject, beginning, own)
        for of, own in _by_criterion(rater)
    }
    return replace(score, values={**score.values, **whole}, matched={**score.matched, **matched})


def _mean_rating(subject: AnswerText, content: Content, ratings: Mapping[IdeaKey, float]) -> float | None:
    answer = subject.answer
    return mean_of(
        ratings.get(IdeaKey(answer.arm, answer.item, answer.seed, number)) for number in range(len(content.ideas))
    )


def _reliability(
    scored: Sequence[ScoredAnswer], rater: Ratings, criterion: str, rated: int, raters: Sequence[Ratings]
) -> Reliability:
    rivals = {"the judge": judge_metric(criterion)}
    rivals |= {other.rater: human_metric(other.rater, criterion) for other in raters if other.rater != rater.rater}
    checks = {}
    for name, metric in rivals.items():
        found = agreement(_pairs(scored, human_metric(rater.rater, criterion), metric))
        if found is not None:
            checks[f"rank correlation with {name}"] = found
    told = f"{rater.rater} rated {rated} ideas for {criterion} without knowing where they are from"
    return Reliability(
        f"human: {rater.rater}, {criterion}", criterion, checks, usable=True, verdict=f"{told}; {_agreeing(checks)}"
    )


def _agreeing(checks: Mapping[str, Estimate]) -> str:
    told = [f"{name} {found.mean:.2f} ({found.low:.2f} to {found.high:.2f})" for name, found in checks.items()]
    return "; ".join(told) or "how far that can be relied on is not known, as too few have scores of anybody else"


def _pairs(scored: Sequence[ScoredAnswer], one: str, other: str) -> Pairs:
    pairs: dict[str, list[tuple[float, float]]] = {}
    for score in scored:
        a, b = score.values.get(one), score.values.get(other)
        if a is not None and b is not None:
            pairs.setdefault(score.item, []).append((a, b))
    return pairs


def _by_criterion(rater: Ratings) -> list[tuple[str, Mapping[IdeaKey, float]]]:
    return [("originality", rater.originality), ("elaboration", rater.elaboration)]


def _correlations(weights: Floats, both: Floats) -> Floats:
    """Return (R,): the rank correlation of the columns of `both` (N, 2), once for each row of `weights` (R, N).

    A weight says how often a text is in the sample. Equal values share the mean of their ranks; nan without an order.
    """
    ranks = [weights @ (np.less.outer(own, own) + 0.5 * np.equal.outer(own, own)) for own in both.T]  # (R, N) each
    total = np.maximum(weights.sum(axis=1, keepdims=True), 1)
    a, b = (own - (weights * own).sum(axis=1, keepdims=True) / total for own in ranks)
    spread = np.sqrt((weights * a * a).sum(axis=1) * (weights * b * b).sum(axis=1))
    return np.asarray((weights * a * b).sum(axis=1) / np.where(spread > 1e-9, spread, np.nan))
