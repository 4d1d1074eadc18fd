"""Edits: what was taken out at a place and what was put there, so that each can be undone."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

from billy_mlx.manuscript.prose import Author, Prose


@dataclass(frozen=True)
class Edit:
    """`removed` stood at `start`, and `inserted` stands there now."""

    start: int
    removed: Prose
    inserted: Prose

    @classmethod
    def of(cls, prose: Prose, start: int, end: int, inserted: Prose) -> "Edit":
        """Return the edit that puts `inserted` in the place of characters `start` to `end` of `prose`.

        Raises:
            ValueError: the place is not in the text.
        """
        if not 0 <= start <= end <= len(prose):
            raise ValueError(f"characters {start} to {end} are not in a text of {len(prose)}")
        return cls(start, prose[start:end], inserted)

    @property
    def end(self) -> int:
        """Where what was removed ended."""
        return self.start + len(self.removed)

    @property
    def inserted_end(self) -> int:
        """Where what was inserted ends."""
        return self.start + len(self.inserted)

    @property
    def inverse(self) -> "Edit":
        """The edit that takes this one back."""
        return Edit(self.start, self.inserted, self.removed)

    def apply(self, prose: Prose) -> Prose:
        """Return `prose` with this edit made.

        Raises:
            ValueError: what it removes does not stand there.
        """
        # A part that is empty is the same anywhere, even outside the text.
        if not 0 <= self.start <= len(prose) or prose.text[self.start : self.end] != self.removed.text:
            raise ValueError(f"the text at {self.start} is not what this edit removes")
        return prose[: self.start] + self.inserted + prose[self.end :]

    def moved(self, place: int, *, after: bool = False) -> int:
        """Return where `place` is after this edit; a place inside what was removed goes to the start of the edit.

        Args:
            after: a place where something is inserted moves behind it instead of staying before it.
        """
        if place < self.start or (place == self.start and not after):
            return place
        if place >= self.end:
            return place + len(self.inserted) - len(self.removed)
        return self.start


def apply_all(edits: Iterable[Edit], prose: Prose) -> Prose:
    """Return `prose` after `edits`, made one after another.

    Raises:
        ValueError: one of them does not fit.
    """
    return reduce(lambda text, edit: edit.apply(text), edits, prose)


def joined(first: Edit, second: Edit) -> Edit:
    """Return one edit for two, of which the second touches what the first has inserted."""
    before = max(first.start - second.start, 0)
    beyond = max(second.end - first.inserted_end, 0)
    kept = min(max(second.start - first.start, 0), len(first.inserted))
    rest = min(max(second.end - first.start, 0), len(first.inserted))
    return Edit(
        min(first.start, second.start),
        second.removed[:before] + first.removed + second.removed[len(second.removed) - beyond :],
        first.inserted[:kept] + second.inserted + first.inserted[rest:],
    )


def inverted(edits: tuple[Edit, ...]) -> tuple[Edit, ...]:
    """Return the edits that take `edits` back."""
    return tuple(edit.inverse for edit in reversed(edits))


def difference(before: Prose, after: Prose) -> Edit:
    """Return the one edit from `before` to `after`, without what both begin and end with."""
    start = _shared(before, after)
    end = min(_shared_end(before, after), len(before) - start, len(after) - start)
    return Edit(start, before[start : len(before) - end], after[start : len(after) - end])


def shared_start(one: str, other: str) -> int:
    """Return how many characters both begin with."""
    low, high = 0, min(len(one), len(other))
    # Halve the doubt: comparing two long strings is one call of memcmp, comparing their characters is thousands.
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle - 1)
    return low


def shared_end(one: str, other: str) -> int:
    """Return how many characters both end with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        same = one[len(one) - middle : len(one) - low] == other[len(other) - middle : len(other) - low]
        low, high = (middle, high) if same else (low, middle - 1)
    return low


def _shared(before: Prose, after: Prose) -> int:
    """Return how many characters both begin with, by the same authors."""
    return min(shared_start(before.text, after.text), _shared_runs(before.authors.runs, after.authors.runs))


def _shared_end(before: Prose, after: Prose) -> int:
    """Return how many characters both end with, by the same authors."""
    return min(
        shared_end(before.text, after.text),
        _shared_runs(before.authors.runs[::-1], after.authors.runs[::-1]),
    )


def _shared_runs(one: tuple[tuple[int, Author], ...], other: tuple[tuple[int, Author], ...]) -> int:
    shared = 0
    for (length, author), (other_length, other_author) in zip(one, other, strict=False):
        if author != other_author:
            break
        shared += min(length, other_length)
        if length != other_length:
            break
    return shared
