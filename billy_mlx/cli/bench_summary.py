"""What a benchmark says on stdout: how a blend differs from what it is held against."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from billy_mlx.bench.result import Comparison, Result

_RIVALS = ("dose-0", "best persona", "multi-role", "random directions")
# Most at matched length; of the length itself and of a whole text's likelihood that would say nothing.
_METRICS = {
    "judge: originality": True,
    "rarity": True,
    "embedding diversity": True,
    "adherence": True,
    "worn phrases": True,
    "repetition": True,
    "perplexity": False,
    "words": False,
}


def summary(result: "Result") -> tuple[list[str], list[list[str]]]:
    """Return heading and rows: a metric each, with the difference to every rival over all tasks and its interval.

    Nothing, where no blend was compared.
    """
    from billy_mlx.bench.report.findings import main_blend

    arm = main_blend(result)
    if arm is None:
        return [], []
    found = {
        (each.metric, each.against): each
        for each in result.comparisons
        if each.arm == arm and each.task is None and each.matched is _METRICS.get(each.metric)
    }
    rivals = [rival for rival in _RIVALS if any(rival == against for _, against in found)]
    metrics = [name for name in _METRICS if any((name, rival) in found for rival in rivals)]
    rows = [[name, *(_told(found.get((name, rival))) for rival in rivals)] for name in metrics]
    return [f"{arm} against", *rivals], rows


def _told(comparison: "Comparison | None") -> str:
    if comparison is None:
        return ""
    estimate = comparison.estimate
    return f"{estimate.mean:+.2f} [{estimate.low:+.2f}, {estimate.high:+.2f}]"
