"""Text of which it is known, character by character, who wrote it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from operator import itemgetter
from typing import NewType

Author = NewType("Author", int)
"""Who wrote a character: `WRITER`, `UNKNOWN`, or the number of the passage (1 and up) that a model wrote."""

WRITER = Author(0)
UNKNOWN = Author(-1)


@dataclass(frozen=True)
class Span:
    """Characters `start` to `end` of a text and who wrote them."""

    start: int
    end: int
    author: Author


@dataclass(frozen=True)
class Authors:
    """Who wrote each character of a text, as runs: (length, author), no run empty, no two neighbours alike."""

    runs: tuple[tuple[int, Author], ...] = ()

    @classmethod
    def of(cls, runs: Iterable[tuple[int, Author]]) -> "Authors":
        """Return `runs` with empty ones left out and neighbours joined."""
        joined: list[tuple[int, Author]] = []
        for length, author in runs:
            if length and joined and joined[-1][1] == author:
                joined[-1] = (joined[-1][0] + length, author)
            elif length:
                joined.append((length, author))
        return cls(tuple(joined))

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, part: slice) -> "Authors":
        """Return who wrote the characters of `part`, a slice without a step."""
        start, end, _ = part.indices(len(self))
        if start >= end:
            return Authors()
        first, last = bisect_right(self._ends, start), bisect_left(self._ends, end)
        runs = list(self.runs[first : last + 1])
        runs[-1] = (runs[-1][0] - (self._ends[last] - end), runs[-1][1])
        begun = start - (self._ends[first - 1] if first else 0)
        runs[0] = (runs[0][0] - begun, runs[0][1])
        return _of_length(end - start, tuple(runs))

    def __add__(self, other: "Authors") -> "Authors":
        length = len(self) + len(other)
        if self.runs and other.runs and self.runs[-1][1] == other.runs[0][1]:
            border = (self.runs[-1][0] + other.runs[0][0], other.runs[0][1])
            return _of_length(length, (*self.runs[:-1], border, *other.runs[1:]))
        return _of_length(length, self.runs + other.runs)

    def at(self, index: int) -> Author:
        """Return who wrote character `index`.

        Raises:
            IndexError: the text ends before it.
        """
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self.runs[bisect_right(self._ends, index)][1]

    def spans(self) -> Iterator[Span]:
        """Yield the runs with their places."""
        start = 0
        for length, author in self.runs:
            yield Span(start, start + length, author)
            start += length

    @cached_property
    def _length(self) -> int:
        return sum(map(itemgetter(0), self.runs))

    @cached_property
    def _ends(self) -> list[int]:
        """Where each run ends."""
        return list(accumulate(map(itemgetter(0), self.runs)))


@dataclass(frozen=True)
class Prose:
    """A text and who wrote each of its characters. Places in it are counted in code points."""

    text: str = ""
    authors: Authors = Authors()

    def __post_init__(self) -> None:
        if len(self.authors) != len(self.text):
            raise ValueError(f"authors of {len(self.authors)} characters for a text of {len(self.text)}")

    @classmethod
    def by(cls, author: Author, text: str) -> "Prose":
        """Return `text` as written by `author` alone."""
        return cls(text, Authors.of([(len(text), author)]))

    def __len__(self) -> int:
        return len(self.text)

    def __getitem__(self, part: slice) -> "Prose":
        """Return a part of the text with its authors; `part` is a slice without a step."""
        return Prose(self.text[part], self.authors[part])

    def __add__(self, other: "Prose") -> "Prose":
        return Prose(self.text + other.text, self.authors + other.authors)


def _of_length(length: int, runs: tuple[tuple[int, Author], ...]) -> Authors:
    """Return runs of which the length is known: counting thousands of them takes longer than a keystroke may."""
    authors = Authors(runs)
    authors.__dict__["_length"] = length
    return authors
