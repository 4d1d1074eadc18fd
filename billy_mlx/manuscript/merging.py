"""Two texts that were made out of one, brought together where each was changed at other places."""

from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate

from billy_mlx.manuscript.hunks import Hunk, fine_hunks


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
