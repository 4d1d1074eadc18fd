"""Whose scores count: not those of a judge that cannot be relied on, nor of one that nobody has tested."""

from billy_mlx.bench.metrics import HUMAN, JUDGE, judge_metric, label, rated
from billy_mlx.bench.result import Reliability, Result


def why_not(result: Result, name: str) -> str | None:
    """Return why the scores of a metric do not count, as its judge or rater cannot be relied on; None if they do."""
    raters = raters_of(result, name)
    if name.startswith(JUDGE) and not raters:
        return f"nobody has measured how far the judge can be relied on for {name.removeprefix(JUDGE)}"
    return next((f"{each.rater} cannot be relied on" for each in raters if not each.usable), None)


def named(result: Result, name: str) -> str:
    """Return the name of a metric as tables have it: with a warning where its scores say little or nothing, or less."""
    if why_not(result, name) is not None:
        return f"{name} (not reliable)"
    unchecked = any(not each.checks for each in raters_of(result, name))
    return f"{name} (unchecked)" if unchecked else label(name)


def raters_of(result: Result, name: str) -> list[Reliability]:
    """Return what is known of those who gave the scores of a metric; nothing if no judge or person did."""
    if name.startswith(JUDGE):
        criterion = name.removeprefix(JUDGE)
        return [each for each in result.reliability if each.rater.startswith(JUDGE) and each.criterion == criterion]
    if name.startswith(HUMAN):
        person, criterion = rated(name)
        return [each for each in result.reliability if each.rater == f"human: {person}, {criterion}"]
    return []


def not_asked(result: Result) -> list[Reliability]:
    """Return what is known of judges that failed, and were not asked for any scores for that reason."""
    asked = {name for each in result.scored for name in each.values} | {each.metric for each in result.means}
    failed = [each for each in result.reliability if each.rater.startswith(JUDGE) and not each.usable]
    return [each for each in failed if judge_metric(each.criterion) not in asked]
