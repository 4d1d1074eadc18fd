"""Where a cursor stops: between grapheme clusters, which are what readers take for one character, and between words."""

import regex

_WINDOW = 256  # characters that are looked at on either side of a place: a row may be a whole book
_CLUSTER = regex.compile(r"\X")
_WORD_BEFORE = regex.compile(r"(?r)(?:\w+|[^\w\s]+)?\s*\Z")  # an accent that stands alone belongs to its word here
_WORD_AFTER = regex.compile(r"\s*(?:\w+|[^\w\s]+)?")
_PLAIN_PAIR = regex.compile(r"(?r)(?<=[ -~])[ -~]")  # nothing joins two of these: a border is between them for sure


def border_before(text: str, place: int) -> int:
    """Return the last border between clusters before a place; 0 at the start of the text."""
    start = end = _sure_border(text, place)
    for cluster in _CLUSTER.finditer(text, start, place + _WINDOW):
        start, end = cluster.span()
        if end >= place:
            break
    return start if end >= place else end


def border_after(text: str, place: int) -> int:
    """Return the first border between clusters behind a place; the text's length at its end."""
    for cluster in _CLUSTER.finditer(text, _sure_border(text, place), place + _WINDOW):
        if cluster.end() > place:
            return cluster.end()
    return len(text)


def cluster_around(text: str, place: int) -> tuple[int, int]:
    """Return where the cluster begins and ends that a place is inside of; the place twice if it is at a border."""
    if not 0 < place < len(text):
        return place, place
    start = border_before(text, place)
    end = border_after(text, start)
    return (start, end) if start < place < end else (place, place)


def word_before(text: str, place: int) -> int:
    """Return where the word, or the signs, before a place begin; the blanks between are passed over."""
    found = _WORD_BEFORE.search(text, max(0, place - _WINDOW), place)
    return place if found is None else found.start()


def word_after(text: str, place: int) -> int:
    """Return where the word, or the signs, behind a place end; the blanks between are passed over."""
    found = _WORD_AFTER.match(text, place, place + _WINDOW)
    return place if found is None else found.end()


def _sure_border(text: str, place: int) -> int:
    """Return a border before a place, or where the window begins: from there the next ones are found soon enough."""
    floor = max(0, place - _WINDOW)
    pair = _PLAIN_PAIR.search(text, floor, place)
    return floor if pair is None else pair.start()
