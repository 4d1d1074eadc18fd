"""Numbers as they are read: never more digits than the interval gives, never without it."""

import math

from billy_mlx.bench.result import Estimate

NONE = "–"
BRACKETS = "Brackets hold the interval of a bootstrap over items (95 %)."
LEGEND = "▲ the interval lies above 0; ▼ it lies below 0; ≈ it holds 0, so the two cannot be told apart."


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
    return NONE if found is None else f"{'▼≈▲'[side(found) + 1]} {difference(found)}"


def side(found: Estimate) -> int:
    """Return 1 if the whole interval is above 0, -1 if it is below, and 0 if it holds 0 or is not a number."""
    return int(found.low > 0) - int(found.high < 0)


def _places(found: Estimate) -> int:
    width = found.high - found.low
    if not math.isfinite(width):
        return 2
    size = width or abs(found.mean) / 10  # without a width, three digits of the mean
    return min(5, max(0, 1 - math.floor(math.log10(size)))) if size else 2
