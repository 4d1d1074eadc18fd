"""The table on stdout is about the first blend that there is, and about nothing where there is none."""

from results import empty_result

from billy_mlx.bench.result import Comparison, Estimate
from billy_mlx.cli.bench_summary import summary


def of_arms(*arms):
    found = Estimate(0.5, 0.25, 0.75, 4)
    return empty_result(comparisons=tuple(Comparison(arm, "dose-0", None, "perplexity", False, found) for arm in arms))


def test_the_balanced_blend_comes_first():
    heading, rows = summary(of_arms("billy-paper", "billy-balanced"))
    assert heading == ["billy-balanced against", "dose-0"]
    assert rows == [["perplexity", "+0.50 [+0.25, +0.75]"]]


def test_without_it_another_blend_is_told_of():
    assert summary(of_arms("billy-paper"))[0] == ["billy-paper against", "dose-0"]


def test_without_a_blend_there_is_no_table():
    assert summary(of_arms()) == ([], [])
