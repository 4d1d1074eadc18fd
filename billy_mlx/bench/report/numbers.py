"""Numbers as they are read: never more digits than the interval gives, never without it."""

import math

from billy_mlx.bench.result import FEWEST_ITEMS, Estimate

NONE = "–"
BRACKETS = (
    "Brackets hold the interval of a bootstrap over items (95 %), cut off where the measure cannot reach. n is the "
    "number of items: of a column, and of a number that has fewer."
)
LEGEND = (
    "▲ the interval lies above 0; ▼ it lies below 0; ≈ it holds 0, so the two cannot be told apart; "
    f"no sign: fewer than {FEWEST_ITEMS} items, too few to tell."
)


def plain(value: float | None) -> str:
    """Return a count as it is, and an amount to three digits."""
    if value is None or math.isnan(value):
        return NONE
    if isinstance(value, int) or 99.95 <= abs(value) < math.inf:
        return f"{value:,.0f}"
    return f"{value:#.3g}"


def interval(found: Estimate | None) -> str:
    """Return a mean with its interval: 0.42 [0.31, 0.53]."""
    if found is None:
        return NONE
    places = _places(found)
    return f"{found.mean:z,.{places}f} [{found.low:z,.{places}f}, {found.high:z,.{places}f}]".replace("-", "−")


def difference(found: Estimate | None) -> str:
    """Return a difference with its interval, both signed: +0.42 [+0.31, +0.53]."""
    if found is None:
        return NONE
    places = _places(found)
    return f"{found.mean:+,.{places}f} [{found.low:+,.{places}f}, {found.high:+,.{places}f}]".replace("-", "−")


def marked(found: Estimate | None) -> str:
    """Return a difference with its interval, and by a sign which side of 0 it is on; see `LEGEND`."""
    return difference(found) if found is None else f"{_sign(found)} {difference(found)}".strip()


def shortly(found: Estimate) -> str:
    """Return a mean alone, for where a table beside it has the interval."""
    return f"{found.mean:.3g}".replace("-", "−")


def signed(found: Estimate) -> str:
    """Return a difference alone, and by a sign which side of 0 its interval is on; see `LEGEND`."""
    return f"{found.mean:+.2g} {_sign(found)}".strip().replace("-", "−")


def _sign(found: Estimate) -> str:
    return "▼≈▲"[side(found) + 1] if found.enough else ""


def counted(told: str, found: Estimate | None, usual: int) -> str:
    """Return the text of an estimate, with the number of its items where that is not the usual one."""
    return told if found is None or found.items == usual else f"{told} n={found.items}"


def side(found: Estimate) -> int:
    """Return 1 if the whole interval is above 0, -1 if it is below, and 0 if it holds 0 or there are too few items.

    The interval is taken as it is printed: what the report claims never contradicts what it prints.
    """
    return _side(found, _places(found)) if found.enough else 0


def _side(found: Estimate, places: int) -> int:
    return int(round(found.low, places) > 0) - int(round(found.high, places) < 0)


def _places(found: Estimate) -> int:
    """Return how many digits an estimate gets: two of its width, and more where that would hide its side of 0."""
    width = found.high - found.low
    if not math.isfinite(width):
        return 2
    mean = abs(found.mean)
    size = width if width > mean / 1000 else mean / 10  # with next to no width, three digits of the mean
    places = min(5, max(0, 1 - math.floor(math.log10(size)))) if size else 2
    exact = int(found.low > 0) - int(found.high < 0)
    return next((more for more in range(places, places + 3) if _side(found, more) == exact), places)
