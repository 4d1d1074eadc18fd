"""Versions in words: when each was made, what was done in it, its names, and how its text differs from another."""

from datetime import datetime, timedelta

from billy_mlx.manuscript.history.tree import Version
from billy_mlx.manuscript.records import Kind
from billy_mlx.manuscript.word_diff import Hunk, hunks
from billy_mlx.text import sanitize
from billy_mlx.words import count_words

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

_MOST_CHANGES = 30
_MOST_CHARS = 400  # of one change
_AROUND = 30  # characters


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


def compared(now: str, then: str) -> str:
    """Return how the text `then` differs from `now`: words, and the first changes with a little around them."""
    if now == then:
        return "This is the text as it is now."
    changes = hunks(now, then)
    shown = "\n\n".join(_change(now, hunk) for hunk in changes[:_MOST_CHANGES])
    rest = f"\n\n… and {len(changes) - _MOST_CHANGES:,} more places" if len(changes) > _MOST_CHANGES else ""
    legend = "− marks what only your text has, + what only the other has."
    return f"{_how_long(now, then)}. {legend}\n\n{shown}{rest}"


def _how_long(now: str, then: str) -> str:
    words = count_words(then) - count_words(now)
    if not words:
        return "As many words as now"
    return f"{abs(words):,} word{'s' * (abs(words) != 1)} {'more' if words > 0 else 'fewer'} than now"


def _change(now: str, hunk: Hunk) -> str:
    before = now[max(0, hunk.start - _AROUND) : hunk.start]
    lines = [f"…{before}" if before else ""]
    lines += [f"− {_cut(now[hunk.start : hunk.end])}"] if hunk.end > hunk.start else []
    lines += [f"+ {_cut(hunk.text)}"] if hunk.text else []
    return sanitize("\n".join(line for line in lines if line))


def _cut(text: str) -> str:
    words = text.strip() or f"({blank(text)})"
    return words if len(words) <= _MOST_CHARS else f"{words[:_MOST_CHARS]}…"
