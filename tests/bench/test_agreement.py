"""Rank correlations against a closed form, and people's ratings beside the judge's."""

import numpy as np
import pytest

from billy_mlx.bench import agreement as agreement_module
from billy_mlx.bench.agreement import add_ratings, agreement
from billy_mlx.bench.blind import IdeaKey, Ratings
from billy_mlx.bench.matching import subjects
from billy_mlx.bench.result import ScoredAnswer
from billy_mlx.bench.store import Answer
from billy_mlx.bench.tasks import Item, load_tasks
from billy_mlx.measure.statistics import stretch

ITEMS = [Item("uses", f"uses-{number:02}", f"What is brick {number} for?") for number in range(6)]
STORM = Item("writing", "writing-01", "Write of a storm.")
LIST = "1. A door stop that stays.\n2. A weight for a kite in the wind.\n3. A step for a small dog."


def pairs(a, b, per_item=1):
    found = {}
    for place, pair in enumerate(zip(a, b, strict=True)):
        found.setdefault(f"item-{place // per_item}", []).append(pair)
    return found


def test_spearman_without_ties_is_what_the_distances_of_ranks_say():
    a, b = [10, 20, 30, 40, 50], [2, 1, 4, 3, 5]
    assert agreement(pairs(a, b)).mean == pytest.approx(1 - 6 * 4 / (5 * 24))  # four ranks are off by one


def test_equal_values_share_their_rank():
    a, b = [1, 1, 2, 3, 3, 4], [1, 2, 2, 3, 4, 4]
    ranks = [1.5, 1.5, 3, 4.5, 4.5, 6], [1, 2.5, 2.5, 4, 5.5, 5.5]
    assert agreement(pairs(a, b)).mean == pytest.approx(np.corrcoef(*ranks)[0, 1])


@pytest.mark.parametrize(("turn", "expected"), [(1, 1), (-1, -1)])
def test_a_rising_function_of_a_rater_agrees_with_it_wholly(turn, expected):
    a = np.linspace(-2, 2, 20)
    found = agreement(pairs(a, np.exp(turn * a)))
    assert (found.mean, found.low, found.high, found.items) == pytest.approx((expected, expected, expected, 20))


def test_chance_agrees_with_nothing():
    a, b = np.random.default_rng(0).normal(size=(2, 60))
    found = agreement(pairs(a, b))
    assert found.low < 0 < found.high


def test_an_interval_over_few_items_is_stretched_as_that_of_a_mean(monkeypatch):
    a, noise = np.random.default_rng(4).normal(size=(2, 6))
    found = agreement(pairs(a, a + noise))
    monkeypatch.setattr(agreement_module, "stretch", lambda _: 1.0)
    plain = agreement(pairs(a, a + noise))
    assert found.mean - found.low == pytest.approx(stretch(6) * (plain.mean - plain.low))
    assert found.high == 1  # no correlation is above it


def test_texts_of_one_item_are_no_independent_witnesses():
    a, noise = np.random.default_rng(2).normal(size=(2, 20))
    b = a + noise
    alone, together = agreement(pairs(a, b)), agreement(pairs(np.repeat(a, 5), np.repeat(b, 5), per_item=5))
    assert together.items == 20
    assert together.high - together.low == pytest.approx(alone.high - alone.low, rel=0.1)


@pytest.mark.parametrize(("a", "b"), [([], []), ([1, 2, 3, 4], [1, 2, 3, 4]), ([1] * 6, [1, 2, 3, 4, 5, 6])])
def test_few_texts_or_no_order_have_no_correlation(a, b):
    assert agreement(pairs(a, b)) is None


def test_texts_of_a_single_item_have_no_interval():
    assert agreement(pairs([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6], per_item=6)) is None


def rated(originality, *, texts=(LIST,) * 6, items=ITEMS, judged=None):
    """Return scores and reliability with the ratings of Ann beside the judge's."""
    answers = [
        Answer("dose-0", item.task, item.id, 0, text, 1, 1, 1, "stop") for item, text in zip(items, texts, strict=True)
    ]
    scored = [
        ScoredAnswer(a.arm, a.task, a.item, 0, {"judge: originality": score}, {"judge: originality": score})
        for a, score in zip(answers, judged or [None] * len(answers), strict=True)
    ]
    return add_ratings(scored, subjects(answers, items, load_tasks()), [Ratings("Ann", originality, {})])


def key(item, number=0):
    return IdeaKey("dose-0", item.id, 0, number)


def test_a_rating_of_an_answer_is_the_mean_over_its_rated_ideas():
    scored, _ = rated({key(ITEMS[0], 0): 2.0, key(ITEMS[0], 2): 5.0})
    assert [each.values["human Ann: originality"] for each in scored] == [3.5, None, None, None, None, None]
    assert scored[0].values["human Ann: elaboration"] is None
    assert scored[0].values["judge: originality"] is None


def test_at_matched_length_the_ideas_that_are_still_there_count():
    answers = [
        Answer(arm, "uses", ITEMS[0].id, 0, text, 1, 1, 1, "stop")
        for arm, text in (("dose-0", LIST), ("b", "on " * 16))
    ]
    told = subjects(answers, ITEMS, load_tasks())
    ratings = Ratings("Ann", {key(ITEMS[0], number): float(number + 1) for number in range(3)}, {})
    scored, _ = add_ratings([ScoredAnswer(a.arm, a.task, a.item, 0, {}, {}) for a in answers], told, [ratings])
    assert (scored[0].values["human Ann: originality"], scored[0].matched["human Ann: originality"]) == (2.0, 1.5)


def test_what_the_beginning_of_a_piece_of_writing_would_have_got_is_not_known():
    scored, _ = rated(
        {key(STORM): 4.0}, texts=["The storm came late, and nobody had shut the old barn."], items=[STORM]
    )
    assert (scored[0].values["human Ann: originality"], scored[0].matched["human Ann: originality"]) == (4.0, None)


def test_a_rater_is_checked_against_the_judge():
    _, [found] = rated({key(item): float(place) for place, item in enumerate(ITEMS)}, judged=[1, 2, 3, 4, 5, 6])
    assert (found.rater, found.criterion) == ("human: Ann, originality", "originality")
    assert found.checks["rank correlation with the judge"].mean == pytest.approx(1)
    assert "Ann rated 6 ideas for originality" in found.verdict


def test_without_a_judge_there_is_nothing_to_check_a_rater_against():
    _, [found] = rated({key(ITEMS[0]): 3.0})
    assert (found.checks, found.usable) == ({}, True)
    assert "is not known, as too few have scores of anybody else" in found.verdict
