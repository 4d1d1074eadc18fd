"""Whole texts out of the history: the nearest one that is kept, and the edits since, made in one buffer with a gap."""

from collections.abc import Iterable
from dataclasses import dataclass

from billy_mlx.manuscript.edit import Edit, difference, inverted
from billy_mlx.manuscript.history.rows import keyframe_of, keyframe_row
from billy_mlx.manuscript.history.store import HistoryStore, HistoryTable
from billy_mlx.manuscript.history.tree import Tree
from billy_mlx.manuscript.prose import Author, Authors, Prose

_Piece = tuple[str, Author]

_FAR = 1000  # revisions from one keyframe to the next


def edited(prose: Prose, edits: Iterable[Edit]) -> Prose:
    """Return `prose` after `edits`, made one after another.

    `apply_all` gives the same, but copies the text and all its authors for each of them.

    Raises:
        ValueError: one of them does not fit.
    """
    gap = _Gap(prose)
    for edit in edits:
        gap.make(edit)
    return gap.prose()


class _Gap:
    """A text in pieces: those before the last edit, and those after it from the last to the first."""

    def __init__(self, prose: Prose) -> None:
        self._before: list[_Piece] = []
        self._after = _pieces(prose)[::-1]
        self._place = 0
        self._length = len(prose)

    def make(self, edit: Edit) -> None:
        if not 0 <= edit.start <= edit.end <= self._length:
            raise ValueError(f"an edit of characters {edit.start} to {edit.end} of {self._length}")
        self._go(edit.start)
        removed = _taken(self._after, len(edit.removed), from_end=False)
        if "".join(text for text, _ in removed) != edit.removed.text:
            raise ValueError(f"the text at {edit.start} is not what an edit removes")
        self._before += _pieces(edit.inserted)
        self._place = edit.inserted_end
        self._length += len(edit.inserted) - len(edit.removed)

    def prose(self) -> Prose:
        pieces = self._before + self._after[::-1]
        return Prose("".join(text for text, _ in pieces), Authors.of((len(text), author) for text, author in pieces))

    def _go(self, place: int) -> None:
        if place < self._place:
            self._after += _taken(self._before, self._place - place, from_end=True)
        else:
            self._before += _taken(self._after, place - self._place, from_end=False)
        self._place = place


def _taken(pieces: list[_Piece], count: int, *, from_end: bool) -> list[_Piece]:
    """Take `count` characters off the last of `pieces`: the end of their text or, if they are reversed, its start."""
    taken: list[_Piece] = []
    while count:
        text, author = pieces.pop()
        if len(text) > count:
            cut = len(text) - count if from_end else count
            first, second = (text[:cut], author), (text[cut:], author)
            pieces.append(first if from_end else second)
            taken.append(second if from_end else first)
            return taken
        taken.append((text, author))
        count -= len(text)
    return taken


def _pieces(prose: Prose) -> list[_Piece]:
    return [(prose.text[span.start : span.end], span.author) for span in prose.authors.spans()]


@dataclass(frozen=True)
class Route:
    """The way from one revision's text to another's: `undo` leads up to what both were made from, `redo` down."""

    undo: tuple[Edit, ...]
    redo: tuple[Edit, ...]

    @property
    def edits(self) -> tuple[Edit, ...]:
        """All of them, to be made one after another."""
        return self.undo + self.redo


class Snapshots:
    """The texts at the revisions of a tree. A root's edits are made on the empty text."""

    def __init__(self, store: HistoryStore, tree: Tree) -> None:
        self._keyframes: HistoryTable[int] = HistoryTable(store, "keyframe")
        self._store = store
        self._tree = tree
        self._kept = set(store.file.numbers("keyframe"))
        self._last: tuple[int, int] = (0, 0)  # the revision last asked about, and the steps to its keyframe

    def keep(self, id: int, prose: Prose) -> None:
        """Keep the whole text at a revision. Raises ValueError if it cannot be encoded."""
        self._keyframes.put(id, keyframe_row(id, prose))
        self._kept.add(id)
        self._last = (id, 0)

    def drop(self, id: int) -> None:
        """Let go of the text kept at a revision that has grown, if one is; it is due again."""
        if id in self._kept:
            self._kept.remove(id)
            self._keyframes.put(id, None)
            self._last = (id, _FAR)

    def due(self, id: int) -> bool:
        """Return whether a text was last kept 1,000 revisions before this one."""
        known, steps = self._last
        if known != id:
            steps = steps + 1 if known and self._tree.revision(id).parent == known else self._steps(id)
            self._last = (id, steps)
        return steps >= _FAR

    def at(self, id: int) -> Prose:
        """Return the text at a revision. Raises KeyError if there is none, ManuscriptError if it cannot be made out."""
        prose, revisions = Prose(), []
        for revision in self._tree.line(id):
            if revision.id in self._kept:
                prose = self._keyframe(revision.id)
                break
            revisions.append(revision)
        with self._store.file.making_out():
            return edited(prose, (edit for revision in reversed(revisions) for edit in revision.edits))

    def path(self, start: int, goal: int) -> Route:
        """Return the way from one text to another. Raises KeyError if there is no revision of this number."""
        up, down = self._tree.between(start, goal)
        if any(revision.parent is None for revision in (*up[-1:], *down[:1])):  # two trees, which share nothing
            return Route((difference(self.at(start), self.at(goal)),), ())
        undo = (edit for revision in up for edit in inverted(revision.edits))
        return Route(tuple(undo), tuple(edit for revision in down for edit in revision.edits))

    def _keyframe(self, id: int) -> Prose:
        row = self._keyframes.get(id)
        with self._store.file.making_out():
            if row is None:
                raise ValueError(f"the text kept at revision {id} is missing")
            return keyframe_of(row)

    def _steps(self, id: int) -> int:
        steps = 0
        for revision in self._tree.line(id):
            if steps == _FAR or revision.id in self._kept:
                break
            steps += 1
        return steps
