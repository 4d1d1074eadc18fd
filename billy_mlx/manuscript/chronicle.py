"""Versions in words: when each was made, what was done in it, and its names."""

from datetime import datetime, timedelta

from billy_mlx.manuscript.history.tree import Version
from billy_mlx.manuscript.revision import Kind
from billy_mlx.text import sanitize

_LONGEST = 44  # characters of what was written
_LONGEST_OF_TWO = 20
_LONGEST_NAME = 30

_DONE = {
    Kind.OPENED: "the text as it was found",
    Kind.TYPED: "you wrote",
    Kind.REPLACED: "you inserted",
    Kind.ACCEPTED: "you took a draft:",
    Kind.SWIPED: "you took another draft:",
    Kind.IMPORTED: "imported:",
    Kind.ELSEWHERE: "another program added",
    Kind.MERGED: "another program's changes added:",
    Kind.RECOVERED: "unsaved text recovered",
    Kind.PUT_AWAY: "you put a draft away",
}
_UNDONE = {
    Kind.TYPED: "you deleted",
    Kind.REPLACED: "you deleted",
    Kind.ACCEPTED: "you took a draft without",
    Kind.SWIPED: "you took another draft, without",
    Kind.IMPORTED: "imported without",
    Kind.ELSEWHERE: "another program removed",
    Kind.MERGED: "another program's changes removed:",
}


def told(version: Version) -> str:
    """Return what was done in a version, with the first words of it."""
    new, old = begun(version.new) or blank(version.new), begun(version.old) or blank(version.old)
    if version.kind is Kind.REPLACED and new and old:
        both = (begun(text, _LONGEST_OF_TWO) or blank(text) for text in (version.old, version.new))
        return f"you replaced {' with '.join(both)}"
    if not new and old:
        return f"{_UNDONE.get(version.kind, _DONE[version.kind])} {old}"
    return f"{_DONE[version.kind]} {new}".rstrip()


def counted(version: Version) -> str:
    """Return how many words more or fewer a version has than the one before, as "+12 words"; empty if as many."""
    return f"{version.words:+,} word{'s' * (abs(version.words) != 1)}".replace("-", "−") if version.words else ""


def named(version: Version) -> str:
    """Return the names of a version in brackets, cut where they are long; empty if it has none."""
    return " ".join(f"[{shortened(sanitize(name), _LONGEST_NAME)}]" for name in version.names)


def when(made: float, now: float) -> str:
    """Return the day and time of `made` as people say it at `now`, both in seconds since the epoch."""
    then, today = datetime.fromtimestamp(made).astimezone(), datetime.fromtimestamp(now).astimezone()
    if then.date() == today.date():
        return f"today {then:%H:%M}"
    if then.date() == (today - timedelta(days=1)).date():
        return f"yesterday {then:%H:%M}"
    return f"{then.day} {then:%b %H:%M}" if then.year == today.year else f"{then.day} {then:%b %Y %H:%M}"


def when_written(date: str, now: float) -> str:
    """Return the same of a date as passages have it; empty if it is none."""
    try:
        return when(datetime.fromisoformat(date).timestamp(), now)
    except ValueError:
        return ""


def begun(text: str, most: int = _LONGEST) -> str:
    """Return the first words of a text in quotation marks; empty if there are none."""
    words = " ".join(sanitize(text).split())
    return f"“{shortened(words, most)}”" if words else ""


def blank(text: str) -> str:
    """Return what a text of white space is called; empty if there is none."""
    return "a new line" if "\n" in text else "a space" if text else ""


def shortened(text: str, most: int) -> str:
    """Return `text`, cut to `most` characters if it is longer: after a word, if there is one in its second half."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    border = cut.rfind(" ")
    return f"{cut[:border] if border > most // 2 else cut}…"
