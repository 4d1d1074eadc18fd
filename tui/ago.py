"""How long ago something was, as people say it."""

from datetime import datetime

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_MOST_DAYS = 7


def ago(then: float, now: float) -> str:
    """Return when `then` was, seen from `now`, both in seconds since the epoch: "3 hours ago", "on 4 May 2026"."""
    seconds = max(0.0, now - then)
    if seconds < _MINUTE:
        return "just now"
    if seconds < _HOUR:
        return _counted(int(seconds // _MINUTE), "minute")
    if seconds < _DAY:
        return _counted(int(seconds // _HOUR), "hour")
    if seconds < _MOST_DAYS * _DAY:
        return _counted(int(seconds // _DAY), "day")
    return f"on {datetime.fromtimestamp(then).astimezone():%d %b %Y}".replace(" 0", " ")


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'} ago"
