"""What a benchmark says on stdout: how a blend differs from what it is held against."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from billy_mlx.bench.result import Result

_RIVALS = ("dose-0", "best persona", "multi-role", "random directions")
# Most at matched length; of the length itself and of a whole text's likelihood that would say nothing.
_METRICS = {
    "judge: originality": True,
    "rarity": True,
    "embedding diversity": True,
    "adherence": True,
    "worn phrases": True,
    "repetition": True,
    "negative log-likelihood": False,
    "words": False,
}


def summary(result: "Result") -> tuple[list[str], list[list[str]]]:
    """Return heading and rows: a metric each, with the difference to every rival over all tasks and its interval.

    A row says whether it is at matched length. Nothing, where no blend was compared.
    """
    from billy_mlx.bench.report.findings import main_blend
    from billy_mlx.bench.report.heeding import named
    from billy_mlx.bench.report.numbers import difference
    from billy_mlx.bench.report.tables import WAYS, estimates_table

    arm = main_blend(result)
    if arm is None:
        return [], []
    found = {
        (each.metric, each.against): each.estimate
        for each in result.comparisons
        if each.arm == arm and each.task is None and each.matched is _METRICS.get(each.metric)
    }
    rivals = [rival for rival in _RIVALS if any(rival == against for _, against in found)]
    rows = [
        (f"{named(result, name)}, {WAYS[matched]}", [found.get((name, rival)) for rival in rivals])
        for name, matched in _METRICS.items()
    ]
    table = estimates_table("", f"{arm} against", rivals, rows, difference)
    return list(table.columns), [list(row) for row in table.rows]
