"""Where a cursor stops: between grapheme clusters, which are what readers take for one character, and between words."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import regex

_WINDOW = 256  # characters that are looked at on either side of a place: a row may be a whole book


def border_before(text: str, place: int) -> int:
    """Return the last border between clusters before a place; 0 at the start of the text."""
    if _is_plain(text, place - 2, place):
        return max(0, place - 1)
    start = end = _sure_border(text, place)
    for cluster in _pattern(r"\X").finditer(text, start, place + _WINDOW):
        start, end = cluster.span()
        if end >= place:
            break
    return start if end >= place else end


def border_after(text: str, place: int) -> int:
    """Return the first border between clusters behind a place; the text's length at its end."""
    if _is_plain(text, place - 1, place + 2):
        return min(place + 1, len(text))
    for cluster in _pattern(r"\X").finditer(text, _sure_border(text, place), place + _WINDOW):
        if cluster.end() > place:
            return cluster.end()
    return len(text)


def cluster_around(text: str, place: int) -> tuple[int, int]:
    """Return where the cluster begins and ends that a place is inside of; the place twice if it is at a border."""
    if not 0 < place < len(text) or _is_plain(text, place - 1, place + 1):
        return place, place
    start = border_before(text, place)
    end = border_after(text, start)
    return (start, end) if start < place < end else (place, place)


def word_before(text: str, place: int) -> int:
    """Return where the word, or the signs, before a place begin; the blanks between are passed over."""
    # An accent that stands alone is a letter to this library, and not to Python's own.
    found = _pattern(r"(?r)(?:\w+|[^\w\s]+)?\s*\Z").search(text, max(0, place - _WINDOW), place)
    return place if found is None else found.start()


def word_after(text: str, place: int) -> int:
    """Return where the word, or the signs, behind a place end; the blanks between are passed over."""
    found = _pattern(r"\s*(?:\w+|[^\w\s]+)?").match(text, place, place + _WINDOW)
    return place if found is None else found.end()


def _sure_border(text: str, place: int) -> int:
    """Return a border before a place, or where the window begins: from there the next ones are found soon enough."""
    floor = max(0, place - _WINDOW)
    pair = _pattern(r"(?r)(?<=[ -~])[ -~]").search(text, floor, place)  # nothing joins two of these
    return floor if pair is None else pair.start()


def _is_plain(text: str, start: int, end: int) -> bool:
    """Return whether a stretch has nothing that joins what stands beside it: most text is so, and needs no pattern."""
    stretch = text[max(0, start) : end]
    return stretch.isascii() and stretch.isprintable()


@cache
def _pattern(pattern: str) -> "regex.Pattern[str]":
    import regex  # late, as the page is painted without it

    return regex.compile(pattern)
