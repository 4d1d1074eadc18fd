"""What an editor shows: the manuscript's text with a draft in it that is not the manuscript's, the ghost."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from itertools import accumulate

from billy_mlx.manuscript.edit import Edit, shared_end, shared_start
from billy_mlx.manuscript.prose import Prose


class PartKind(Enum):
    """What a part of the view is; of several changes, the one that stands out has kinds of its own."""

    TEXT = "text"
    STRUCK = "struck"
    GHOST = "ghost"
    STRUCK_HERE = "struck here"
    GHOST_HERE = "ghost here"


@dataclass(frozen=True)
class ViewPart:
    """Characters `start` to `end` of what is shown."""

    kind: PartKind
    start: int
    end: int


@dataclass(frozen=True)
class Ghost:
    """`text` that would stand in the place of the characters `start` to `end` of the manuscript; shown behind them."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class View:
    """A text, and the ghosts in it. Places in the text and places in what is shown differ behind a ghost.

    Attributes:
        prose: the manuscript's text.
        at: the place in it where the ghost of a draft stands that may still grow.
        ghost: what that draft would put there.
        struck: where what it would replace begins; it ends at the ghost. None if it replaces nothing.
        waiting: the places in the text of drafts that are not shown.
        changes: in place of that one ghost, those of a rewrite, in order.
        here: which of them stands out.
    """

    prose: Prose = field(default_factory=Prose)
    at: int = 0
    ghost: str = ""
    struck: int | None = None
    waiting: tuple[int, ...] = ()
    changes: tuple[Ghost, ...] = ()
    here: int | None = None

    @cached_property
    def ghosts(self) -> tuple[Ghost, ...]:
        """All there are, in order."""
        return self.changes or (Ghost(self.at if self.struck is None else self.struck, self.at, self.ghost),)

    @cached_property
    def shown(self) -> str:
        """All that is to be seen."""
        text, at = self.prose.text, 0
        parts: list[str] = []
        for ghost in self.ghosts:
            parts += text[at : ghost.end], ghost.text
            at = ghost.end
        return "".join((*parts, text[at:])) if any(ghost.text for ghost in self.ghosts) else text

    @property
    def ghost_end(self) -> int:
        """Where the ghost that may grow ends in what is shown; it starts at `at`."""
        return self.at + len(self.ghost)

    def to_shown(self, offset: int, *, behind: bool = False) -> int:
        """Return where a place in the text is shown; that of a ghost is before it, or `behind` it."""
        count = (bisect_right if behind else bisect_left)(self._places, offset)
        return offset + self._added[count]

    def to_text(self, shown: int) -> int:
        """Return the place in the text of a place in what is shown; all of a ghost is one place."""
        count = bisect_right(self._starts, shown)
        return shown if not count else max(self._places[count - 1], shown - self._added[count])

    def inside(self, shown: int) -> tuple[int, int] | None:
        """Return where the ghost starts and ends that a place is in, not at its ends; None if it is in none."""
        index = bisect_right(self._starts, shown) - 1
        if index < 0:
            return None
        start, end = self._starts[index], self._starts[index] + len(self.ghosts[index].text)
        return (start, end) if start < shown < end else None

    def is_behind(self, shown: int) -> bool:
        """Return whether a place is right behind a ghost."""
        return self.to_shown(self.to_text(shown)) < shown and self.inside(shown) is None

    def waits(self, start: int, end: int) -> bool:
        """Return whether a draft that is not shown stands in the shown characters `start` to `end`."""
        return any(start <= self.to_shown(place) < end for place in self.waiting)

    def parts(self, start: int, end: int) -> Iterator[ViewPart]:
        """Yield what the shown characters `start` to `end` are."""
        at = start
        for index in range(max(0, bisect_right(self._starts, start) - 1), len(self.ghosts)):
            ghost, behind = self.ghosts[index], self._starts[index]
            struck, over = behind - (ghost.end - ghost.start), behind + len(ghost.text)
            if struck >= end:
                break
            kinds = (
                (PartKind.STRUCK_HERE, PartKind.GHOST_HERE) if index == self.here else (PartKind.STRUCK, PartKind.GHOST)
            )
            for kind, border in zip((PartKind.TEXT, *kinds), (struck, behind, over), strict=True):
                if at < min(border, end):
                    yield ViewPart(kind, at, min(border, end))
                at = max(at, border)
        if at < end:
            yield ViewPart(PartKind.TEXT, at, end)

    @cached_property
    def _places(self) -> list[int]:
        return [ghost.end for ghost in self.ghosts]

    @cached_property
    def _added(self) -> list[int]:
        """How many characters so many ghosts have together."""
        return [0, *accumulate(len(ghost.text) for ghost in self.ghosts)]

    @cached_property
    def _starts(self) -> list[int]:
        """Where each ghost starts in what is shown."""
        return [place + added for place, added in zip(self._places, self._added, strict=False)]


def changed(before: View, after: View) -> tuple[int, int, str]:
    """Return the smallest change from what was shown to what is: its start and end, and what stands there now."""
    at, one, other = 0, before.ghost, after.ghost
    if before.prose is after.prose and before.at == after.at and not (before.changes or after.changes):
        at = before.at  # only the draft has grown: no need to go through the text
    else:
        one, other = before.shown, after.shown
    start = shared_start(one, other)
    end = min(shared_end(one, other), len(one) - start, len(other) - start)
    return at + start, at + len(one) - end, other[start : len(other) - end]


def carried(shown: int, before: View, after: View, change: Edit | None) -> int:
    """Return where a place in what was shown is now, after the text was changed, the ghosts, or both.

    A place in a ghost that grows stays as far from its start, one in another goes there; a place at its end stays
    behind it.
    """
    inside = before.inside(shown)
    if inside is not None and not (before.changes or after.changes):
        return min(shown - before.at, len(after.ghost)) + after.at
    offset = before.to_text(shown)
    moved = offset if change is None else change.moved(offset)
    return after.to_shown(moved, behind=inside is None and _stays_behind(shown, moved, before, change))


def seam(before: str, after: str) -> str:
    """Return `after` as it is shown behind words that it would replace: never run together with them."""
    apart = not before or not after or before[-1].isspace() or after[0].isspace()
    return after if apart else f" {after}"


def _stays_behind(shown: int, moved: int, before: View, change: Edit | None) -> bool:
    """Return whether a place that was behind a ghost is at that ghost's place now."""
    passed = [ghost.end for ghost in before.ghosts if ghost.text and before.to_shown(ghost.end, behind=True) <= shown]
    return bool(passed) and (passed[-1] if change is None else change.moved(passed[-1])) == moved
