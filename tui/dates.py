"""Times in words: how long ago something was, how long it takes, how far it is."""

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


def about(seconds: float) -> str:
    """Return a time as somebody would say it who has thought about it for a moment."""
    minutes = round(seconds / 60)
    if seconds < 50:
        return "less than a minute"
    if minutes < 90:
        return f"about {max(minutes, 1)} minute{'s' * (minutes > 1)}"
    return f"about {round(seconds / 3600)} hours"


def progress_line(stage: str, share: float, seconds_left: float | None) -> str:
    """Return how far a long job is, in words."""
    if seconds_left is None:
        return f"{stage}: {share:.0%}"
    left = f"{seconds_left / 60:.0f} min" if seconds_left >= 90 else f"{seconds_left:.0f} s"
    return f"{stage}: {share:.0%}, {left} left"


def time_left(seconds: float | None) -> str:
    """Return how long a job will take, as the end of a line; nothing if that is not known."""
    if seconds is None:
        return ""
    if seconds < 60:
        return ", less than a minute left"
    minutes = round(seconds / 60)
    return f", {minutes} min left" if minutes < 60 else f", {minutes // 60} h {minutes % 60} min left"


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'} ago"
