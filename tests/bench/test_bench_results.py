"""The table on stdout is about the first blend that there is, and about nothing where there is none."""

from helpers.invented_result import JUDGE, empty_result
from helpers.invented_result import difference as compared

from billy_mlx.bench.metrics import NATS, metric
from billy_mlx.bench.result import Comparison, Estimate
from billy_mlx.cli.bench_results import _METRICS, summary


def of_arms(*arms):
    found = Estimate(0.5, 0.25, 0.75, 9)
    return empty_result(comparisons=tuple(Comparison(arm, "dose-0", None, NATS, False, found) for arm in arms))


def test_the_balanced_blend_comes_first():
    heading, rows = summary(of_arms("billy-paper", "billy-balanced"))
    assert heading == ["billy-balanced against", "dose-0 (n=9)"]
    assert rows == [["negative log-likelihood, as written", "+0.50 [+0.25, +0.75]"]]


def test_without_it_another_blend_is_told_of():
    assert summary(of_arms("billy-paper"))[0] == ["billy-paper against", "dose-0 (n=9)"]


def test_without_a_blend_there_is_no_table():
    assert summary(of_arms()) == ([], [])


def test_a_row_says_that_it_is_at_matched_length():
    _, rows = summary(empty_result(comparisons=(compared("rarity", 0.3, matched=True),)))
    assert rows == [["rarity, at matched length", "+0.30 [+0.20, +0.40]"]]


def test_a_judge_that_fails_is_marked_as_on_the_page():
    scores = (compared("judge: originality", 0.9, matched=True),)
    _, [[name, _]] = summary(empty_result(comparisons=scores, reliability=(JUDGE,)))
    assert name == "judge: originality (not reliable), at matched length"


def test_all_rows_are_metrics_that_there_are():
    assert all(metric(name) for name in _METRICS)


def test_of_several_blends_the_one_that_all_is_about_is_told():
    comparisons = tuple(compared("rarity", 0.3, arm=arm) for arm in ("billy-balanced", "billy-paper"))
    result = empty_result(main="billy-paper", comparisons=comparisons)
    assert summary(result)[0][0] == "billy-paper against"
