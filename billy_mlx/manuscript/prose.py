"""Text of which it is known, character by character, who wrote it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
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
        return sum(length for length, _ in self.runs)

    def __getitem__(self, part: slice) -> "Authors":
        """Return who wrote the characters of `part`, a slice without a step and with bounds inside the text."""
        return Authors(tuple(_cut(self.runs, part.start or 0, len(self) if part.stop is None else part.stop)))

    def __add__(self, other: "Authors") -> "Authors":
        return Authors.of((*self.runs, *other.runs))

    def at(self, index: int) -> Author:
        """Return who wrote character `index`.

        Raises:
            IndexError: the text ends before it.
        """
        for span in self.spans():
            if span.start <= index < span.end:
                return span.author
        raise IndexError(index)

    def spans(self) -> Iterator[Span]:
        """Yield the runs with their places."""
        start = 0
        for length, author in self.runs:
            yield Span(start, start + length, author)
            start += length


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
        """Return a part of the text with its authors; `part` is a slice without a step and with bounds inside it."""
        return Prose(self.text[part], self.authors[part])

    def __add__(self, other: "Prose") -> "Prose":
        return Prose(self.text + other.text, self.authors + other.authors)


def _cut(runs: tuple[tuple[int, Author], ...], start: int, end: int) -> Iterator[tuple[int, Author]]:
    at = 0
    for length, author in runs:
        kept = min(at + length, end) - max(at, start)
        if kept > 0:
            yield kept, author
        at += length
        if at >= end:
            return
