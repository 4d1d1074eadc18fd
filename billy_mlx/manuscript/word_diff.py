"""The changes between two texts, word by word, each of which can be taken or left; and two texts merged by them."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import regex

# A word, a single Chinese or Japanese character, for those are written without spaces, or any other sign as it is seen,
# so that no emoji is cut in two; then the white space behind it.
_CJK = r"\p{Han}\p{Hiragana}\p{Katakana}"
_LETTERS = rf"[[\w\p{{M}}]--[{_CJK}]]+"
_TOKEN = rf"(?V1)([{_CJK}]\p{{M}}*|{_LETTERS}(?:['’]{_LETTERS})*|\X)(\s*)"
_LINE = r"([^\n]*\S)(\s*)"
_LONG = 200_000  # characters of both texts together; beyond that, lines are compared in place of words
_MOST_PAIRS = 20_000  # pairs of equal words in a stretch that are looked at; with more, it is changed as a whole
_PHRASE = 4  # words
_SHORT = 4  # letters of a word that is not worth keeping between two changes
_FEW = 3  # words that two larger changes may swallow
_ENDS = ".!?…。！？"  # never swallowed alone: sentences are taken or left one by one

_Pair = tuple[int, int]  # a place in the one text and in the other


@dataclass(frozen=True)
class Hunk:
    """Characters `start` to `end` of a text become `text`."""

    start: int
    end: int
    text: str


def hunks(before: str, after: str) -> tuple[Hunk, ...]:
    """Return the changes that make `after` out of `before`, in order; no two of them touch.

    White space goes with the word before it, so that whichever are made, words stay apart as they should. Changes
    are joined where next to nothing is kept between them: one short word, or up to three words if more than that
    were changed on each side. Very long texts change by lines.
    """
    import regex  # late, as the page is painted without it

    token = regex.compile(_TOKEN if len(before) + len(after) <= _LONG else _LINE)
    old, new = _Words.of(before, token), _Words.of(after, token)
    ends = len(old.words), len(new.words)
    kept = _without_crumbs([*_kept(old.words, new.words), ends], old.words)
    return tuple(
        Hunk(start, end, after[other_start:other_end])
        for (start, other_start), (end, other_end) in _gaps(old, new, pairwise(kept))
        if before[start:end] != after[other_start:other_end]
    )


def fine_hunks(before: str, after: str) -> tuple[Hunk, ...]:
    """Return the same, by words in very long texts too: what has changed of each line there."""
    coarse = hunks(before, after)
    if len(before) + len(after) <= _LONG:
        return coarse
    return tuple(
        Hunk(hunk.start + fine.start, hunk.start + fine.end, fine.text)
        for hunk in coarse
        for fine in hunks(before[hunk.start : hunk.end], hunk.text)
    )


@dataclass(frozen=True)
class _Words:
    """The words of a text, the white space behind each, and where they start; the first is empty, before an indent."""

    words: list[str]
    spaces: list[str]
    starts: list[int]

    @classmethod
    def of(cls, text: str, token: "regex.Pattern[str]") -> "_Words":
        indent = text[: len(text) - len(text.lstrip())]
        found = list(token.finditer(text, len(indent)))
        return cls(
            ["", *(word[1] for word in found)],
            [indent, *(word[2] for word in found)],
            [0, *(word.start() for word in found), len(text)],
        )


def _gaps(old: _Words, new: _Words, kept: Iterable[tuple[_Pair, _Pair]]) -> Iterator[tuple[_Pair, _Pair]]:
    """Yield what stands between words that are kept: where it begins and where it ends, in both texts."""
    for (one, other), (next_one, next_other) in kept:
        begin = old.starts[one + 1], new.starts[other + 1]
        if old.spaces[one] != new.spaces[other]:
            begin = begin[0] - len(old.spaces[one]), begin[1] - len(new.spaces[other])
        yield begin, (old.starts[next_one], new.starts[next_other])


def _kept(old: list[str], new: list[str]) -> list[_Pair]:
    """Return the words that both have in the same order, as their places in both.

    Words that occur once in each are matched first, as patience diff does it, and what is between them likewise. Where
    there are none, all are compared, or if that were too many, phrases that occur once.
    """
    kept: list[_Pair] = []
    todo = [(0, len(old), 0, len(new))]
    while todo:
        start, end, other, other_end = todo.pop()
        while start < end and other < other_end and old[start] == new[other]:
            kept.append((start, other))
            start, other = start + 1, other + 1
        while start < end and other < other_end and old[end - 1] == new[other_end - 1]:
            end, other_end = end - 1, other_end - 1
            kept.append((end, other_end))
        here, there = range(start, end), range(other, other_end)
        anchors = _unique(old, new, here, there, 1)
        if not anchors and _equal_pairs(old[start:end], new[other:other_end]) <= _MOST_PAIRS:
            kept += _common(old[start:end], new[other:other_end], start, other)
        elif anchors := anchors or _unique(old, new, here, there, _PHRASE):
            bounds = [(start, other), *anchors, (end, other_end)]
            todo += [(one[0], two[0], one[1], two[1]) for one, two in pairwise(bounds)]
    return sorted(kept)


def _unique(old: list[str], new: list[str], here: range, there: range, width: int) -> list[_Pair]:
    """Return the longest ascending series of phrases of `width` words that stand once in both parts."""
    phrases = {at: tuple(old[at : at + width]) for at in here}
    others = {at: tuple(new[at : at + width]) for at in there}
    counts, other_counts = Counter(phrases.values()), Counter(others.values())
    places = {phrase: at for at, phrase in others.items() if other_counts[phrase] == 1}
    pairs = [(at, places[phrase]) for at, phrase in phrases.items() if counts[phrase] == 1 and phrase in places]
    lowest: list[int] = []  # the lowest end of a series of each length
    lengths: list[int] = []
    for _, other in pairs:
        lengths.append(bisect_left(lowest, other))
        lowest[lengths[-1] : lengths[-1] + 1] = [other]
    series: list[_Pair] = []
    for pair, length in zip(reversed(pairs), reversed(lengths), strict=True):
        if length == len(lowest) - 1 - len(series) and (not series or pair[1] < series[-1][1]):
            series.append(pair)
    return series[::-1]


def _equal_pairs(old: list[str], new: list[str]) -> int:
    counts = Counter(new)
    return sum(counts[word] for word in old)


def _common(old: list[str], new: list[str], start: int, other: int) -> Iterator[_Pair]:
    for one, two, length in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
        yield from ((start + one + at, other + two + at) for at in range(length))


def _without_crumbs(kept: list[_Pair], words: list[str]) -> Iterator[_Pair]:
    """Yield `kept` without the few words that only break up a change."""
    first, *others = _stretches(kept)
    yield from first
    last = first[-1]
    for stretch, following in pairwise(others):
        changed = min(_changed(last, stretch[0]), _changed(stretch[-1], following[0]))
        if not _is_crumb([words[at] for at, _ in stretch], changed):
            yield from stretch
            last = stretch[-1]
    yield from others[-1] if others else ()


def _stretches(kept: list[_Pair]) -> list[list[_Pair]]:
    """Return the pairs that follow one another in both texts together."""
    stretches = [[kept[0]]]
    for before, pair in pairwise(kept):
        if _changed(before, pair):
            stretches.append([])
        stretches[-1].append(pair)
    return stretches


def _changed(before: _Pair, after: _Pair) -> int:
    """Return how many words were changed between two that are kept."""
    return max(after[0] - before[0], after[1] - before[1]) - 1


def _is_crumb(stretch: list[str], changed: int) -> bool:
    if len(stretch) == 1 and stretch[0] not in _ENDS:
        return len(stretch[0]) <= _SHORT or changed > 1
    return len(stretch) <= _FEW and len(stretch) < changed


@dataclass(frozen=True)
class Taken:
    """Characters `start` to `end` of mine become characters `first` to `last` of theirs."""

    start: int
    end: int
    first: int
    last: int


@dataclass(frozen=True)
class Merge:
    """What brings their changes into my text.

    Attributes:
        taken: their changes at places that I left alone, in order.
        touching: of both texts, what became of the places that both have changed, each in another way.
    """

    taken: tuple[Taken, ...] = ()
    touching: tuple[tuple[str, str], ...] = ()


def merge(base: str, mine: str, theirs: str) -> Merge:
    """Return what brings the changes from `base` to `theirs` into `mine`, which was made out of `base` as well.

    Changes are compared by words: two that touch, with no word between them that both kept, are nobody's to decide
    but the writer's. A change that both have made is made already.
    """
    my_hunks = [_trimmed(base, hunk) for hunk in fine_hunks(base, mine)]
    grown = [0, *accumulate(len(hunk.text) - (hunk.end - hunk.start) for hunk in my_hunks)]
    ends = [hunk.end for hunk in my_hunks]
    taken: list[Taken] = []
    touching: list[tuple[str, str]] = []
    by = 0  # how much longer theirs is so far
    for hunk in (_trimmed(base, hunk) for hunk in fine_hunks(base, theirs)):
        first = hunk.start + by
        by += len(hunk.text) - (hunk.end - hunk.start)
        index = bisect_left(ends, hunk.start)
        beside = my_hunks[index] if index < len(my_hunks) and my_hunks[index].start <= hunk.end else None
        if beside is None:
            start, end = hunk.start + grown[index], hunk.end + grown[index]
            taken.append(Taken(start, end, first, first + len(hunk.text)))
        elif beside != hunk:
            touching.append((beside.text, hunk.text))
    return Merge(tuple(taken), tuple(touching))


def _trimmed(before: str, hunk: Hunk) -> Hunk:
    """Return a change without the end of a line that it leaves as it was: paragraphs are places of their own."""
    old = before[hunk.start : hunk.end]
    behind, new_behind = _space_behind(old), _space_behind(hunk.text)
    if behind == new_behind and "\n" in behind:
        return Hunk(hunk.start, hunk.end - len(behind), hunk.text[: len(hunk.text) - len(behind)])
    return hunk


def _space_behind(text: str) -> str:
    return text[len(text.rstrip()) :]
