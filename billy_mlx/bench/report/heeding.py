"""Whose scores are to be heeded: not those of a judge who cannot be relied on, nor of one whom nobody has tested."""

from billy_mlx.bench.result import Result

_JUDGE, _HUMAN = "judge: ", "human "


def why_not(result: Result, name: str) -> str | None:
    """Return why a metric is not to be heeded: a judge or rater who cannot be relied on. None if it is."""
    if name.startswith(_JUDGE):
        raters = [each for each in result.reliability if each.rater.startswith(_JUDGE)]
        if not raters:
            return "nobody has measured how far the judge can be relied on"
    elif name.startswith(_HUMAN):
        person = name.removeprefix(_HUMAN).rpartition(": ")[0]
        raters = [each for each in result.reliability if each.rater == f"human: {person}"]
    else:
        return None
    return next((f"{each.rater} cannot be relied on" for each in raters if not each.usable), None)


def named(result: Result, name: str) -> str:
    """Return the name of a metric as a table has it: with a warning if it is not to be heeded."""
    return name if why_not(result, name) is None else f"{name} (not to be heeded)"
