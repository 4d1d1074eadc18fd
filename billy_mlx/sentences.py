"""Where sentences and words begin and end: to cut a text at, and to accept a draft piece by piece."""

import re
from collections.abc import Iterator

from billy_mlx.words import CJK

_WIDE = "。！？｡．"  # they end a sentence without a space after them
_STOPS = _WIDE + ".!?…‽؟۔।॥"
_CLOSERS = "\"'”’»›)]}*_」』）】》〉"
_OPENERS = re.compile(r"[\"'“”‘’„‚«»‹›(\[{*_—–\-¿¡ \t\u00a0]*")
_BORDER = re.compile(rf"[{_STOPS}]+[{re.escape(_CLOSERS)}]*\s*|[\r\n]\s*")
_BLANK_LINE = re.compile(r"\r\n?[^\S\r\n]*[\r\n]|\n[^\S\r\n]*\n")
_LINE_START = re.compile(r"(?:\A|[\r\n])[^\S\r\n]*(\S*)\Z")
_LAST_WORD = re.compile(r"(?:[^\W_]+\.)*[^\W_]+\Z")
_WORD = rf"\s*(?:[{CJK}][^\w\s]*|[^\s—–{CJK}]+[—–]*|[—–]+)"  # compiled late: it takes long, and the page is first
_HEADING = re.compile(r"#{1,6}[ \t]")
_SPACED_STOP = re.compile(r"\.(?=\s|\Z)")  # of an ellipsis written ". . ."
_SAID = "とっ"  # "…。」と言った": in Japanese a quotation with its stop may stand inside a sentence

# What ends in a full stop and hardly ever ends a sentence. The others ("etc.", "p.m.") end one if a capital follows.
_ABBREVIATION = re.compile(
    r"mr|mrs|ms|mx|messrs|dr|prof|st|ste|sgt|cpl|capt|cpt|lt|col|gen|maj|cmdr|adm|rev|fr|hon|sen|rep|gov|pres|supt|insp|"
    r"mt|ft|vs|cf|viz|al|ca|approx|figs?|vols?|ch|pp|eds?|e\.g|i\.e|a\.k\.a|"
    r"hr|nr|bzw|bspw|z\.b|d\.h|u\.a|mme|mlle|sra|srta|dott",
    re.IGNORECASE,
)
_LONGEST_ABBREVIATION = 12


def starts(text: str, start: int = 0, end: int | None = None) -> list[int]:
    """Return where sentences of `text` begin, from `start` up to, not including, `end`; headings and lines count.

    A part of a text has the same sentences as the whole, so a part of a book is read in the time that part takes.
    """
    stop = len(text) if end is None else end
    found = []
    for place in _starts(text, start):
        if place >= stop:
            break
        found.append(place)
    return found


def sentence_end(text: str, start: int) -> int:
    """Return where the first sentence that begins at or goes on from `start` ends, without the space behind it."""
    first = _after_space(text, start)
    if first == len(text):
        return first
    following = next((place for place in _starts(text, first) if place > first), len(text))
    return before_space(text, following)


def word_end(text: str, start: int) -> int:
    """Return where the first word from `start` on ends, with the marks that touch it; white space before it is skipped.

    Chinese characters and kana count one by one; a dash ends a word.
    """
    found = re.compile(_WORD).match(text, start)
    return len(text) if found is None else found.end()


def before_space(text: str, place: int) -> int:
    """Return where the white space right before `place` begins."""
    while place > 0 and text[place - 1].isspace():
        place -= 1
    return place


def _starts(text: str, start: int) -> Iterator[int]:
    """Yield where sentences begin, from `start` on."""
    begin = min(start, len(text))
    while begin > 0 and (text[begin - 1].isspace() or text[begin - 1] in _STOPS + _CLOSERS):
        begin -= 1
    first = _after_space(text, 0) if begin == 0 else -1
    if start <= first < len(text):
        yield first
    for border in _BORDER.finditer(text, begin):
        if start <= border.end() < len(text) and border.end() > first and _begins(text, border):
            yield border.end()


def _begins(text: str, border: re.Match[str]) -> bool:
    """Return whether a sentence begins behind `border`: marks that may end one, and the white space after them."""
    place = border.end()
    marks = border[0].rstrip()
    space = border[0][len(marks) :]
    if "\n" in space or "\r" in space:
        return _line_begins(text, border.start(), space, place)
    if not marks or not any(mark in _STOPS for mark in marks):
        return False
    stop = marks.rstrip(_CLOSERS)
    if stop[-1] in _WIDE:
        return not (len(marks) > len(stop) and text[place] in _SAID)
    if not space:
        return _runs_on(text, border.start(), place)
    first_letter = _OPENERS.match(text, place)
    if first_letter is not None and text[first_letter.end() : first_letter.end() + 1].islower():
        return False
    return not (stop == "." and (_SPACED_STOP.match(text, place) or _is_abbreviated(text, border.start())))


def _line_begins(text: str, start: int, space: str, place: int) -> bool:
    """Return whether a line begins a sentence: not if it goes on in a small letter, as wrapped lines do."""
    if _BLANK_LINE.search(space) is not None or not text[place].islower():
        return True
    line = max(text.rfind("\n", max(0, start - 400), start), text.rfind("\r", max(0, start - 400), start)) + 1
    return _HEADING.match(text, line, start) is not None


def _runs_on(text: str, stop: int, place: int) -> bool:
    """Return whether only the space is missing between two sentences: "left.She came"."""
    return (
        text[max(0, stop - 2) : stop].islower()
        and text[max(0, stop - 2) : stop].isalpha()
        and (text[place].isupper() and text[place + 1 : place + 2].islower())
    )


def _is_abbreviated(text: str, stop: int) -> bool:
    """Return whether the full stop at `stop` belongs to the word before it, an initial, or a list's number."""
    before = text[max(0, stop - _LONGEST_ABBREVIATION) : stop]
    word = _LAST_WORD.search(before)
    if word is None:
        return False
    if word[0].isdigit():
        line = _LINE_START.search(before)
        return line is not None and line[1] == word[0] and (line.start() > 0 or stop <= _LONGEST_ABBREVIATION)
    initial = len(word[0]) == 1 and word[0].isupper() and word[0] != "I"
    return initial or _ABBREVIATION.fullmatch(word[0]) is not None


def _after_space(text: str, place: int) -> int:
    while place < len(text) and text[place].isspace():
        place += 1
    return place
