"""What an editor shows: the manuscript's text with a draft in it that is not the manuscript's, the ghost."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from billy_mlx.manuscript.edit import Edit, shared_end, shared_start
from billy_mlx.manuscript.prose import Prose


class Kind(Enum):
    """What a part of the view is."""

    TEXT = "text"
    STRUCK = "struck"
    GHOST = "ghost"


@dataclass(frozen=True)
class Part:
    """Characters `start` to `end` of what is shown."""

    kind: Kind
    start: int
    end: int


@dataclass(frozen=True)
class View:
    """A text, and the ghost in it. Places in the text and places in what is shown differ behind the ghost.

    Attributes:
        prose: the manuscript's text.
        at: the place in it where the ghost stands.
        ghost: what a draft would put there.
        struck: where what the draft would replace begins; it ends at the ghost. None if it replaces nothing.
        waiting: the places in the text of drafts that are not shown.
    """

    prose: Prose = field(default_factory=Prose)
    at: int = 0
    ghost: str = ""
    struck: int | None = None
    waiting: tuple[int, ...] = ()

    @cached_property
    def shown(self) -> str:
        """All that is to be seen."""
        text = self.prose.text
        return text[: self.at] + self.ghost + text[self.at :] if self.ghost else text

    @property
    def ghost_end(self) -> int:
        """Where the ghost ends in what is shown; it starts at `at`."""
        return self.at + len(self.ghost)

    def to_shown(self, offset: int, *, behind: bool = False) -> int:
        """Return where a place in the text is shown; that of the ghost is before it, or `behind` it."""
        return offset + len(self.ghost) if offset > self.at or (behind and offset == self.at) else offset

    def to_text(self, shown: int) -> int:
        """Return the place in the text of a place in what is shown; all of the ghost is one place."""
        return shown if shown <= self.at else max(self.at, shown - len(self.ghost))

    def is_inside(self, shown: int) -> bool:
        """Return whether a place is in the ghost, not at its ends."""
        return self.at < shown < self.ghost_end

    def waits(self, start: int, end: int) -> bool:
        """Return whether a draft that is not shown stands in the shown characters `start` to `end`."""
        return any(start <= self.to_shown(place) < end for place in self.waiting)

    def parts(self, start: int, end: int) -> Iterator[Part]:
        """Yield what the shown characters `start` to `end` are."""
        struck = self.at if self.struck is None else self.struck
        borders = [0, struck, self.at, self.ghost_end, max(end, self.ghost_end)]
        kinds = [Kind.TEXT, Kind.STRUCK, Kind.GHOST, Kind.TEXT]
        for kind, first, last in zip(kinds, borders, borders[1:], strict=False):
            if max(first, start) < min(last, end):
                yield Part(kind, max(first, start), min(last, end))


def changed(before: View, after: View) -> tuple[int, int, str]:
    """Return the smallest change from what was shown to what is: its start and end, and what stands there now."""
    at, one, other = 0, before.ghost, after.ghost
    if before.prose is after.prose and before.at == after.at:
        at = before.at  # only the draft has grown: no need to go through the text
    else:
        one, other = before.shown, after.shown
    start = shared_start(one, other)
    end = min(shared_end(one, other), len(one) - start, len(other) - start)
    return at + start, at + len(one) - end, other[start : len(other) - end]


def carried(shown: int, before: View, after: View, change: Edit | None) -> int:
    """Return where a place in what was shown is now, after the text was changed, the ghost, or both.

    A place in the ghost stays as far from its start; a place at its end stays behind it.
    """
    if before.is_inside(shown):
        return min(shown - before.at, len(after.ghost)) + after.at
    offset = before.to_text(shown)
    moved = offset if change is None else change.moved(offset)
    return after.to_shown(moved, behind=bool(before.ghost) and shown >= before.ghost_end)
