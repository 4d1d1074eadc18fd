"""Whole texts out of the history: the nearest one that is kept, and the edits since."""

from dataclasses import dataclass

from billy_mlx.manuscript.edit import Edit, difference, inverted
from billy_mlx.manuscript.history.gap import edited
from billy_mlx.manuscript.history.rows import keyframe_of, keyframe_row
from billy_mlx.manuscript.history.store import HistoryStore, HistoryTable
from billy_mlx.manuscript.history.tree import Tree
from billy_mlx.manuscript.prose import Prose

_FAR = 1000  # revisions from one keyframe to the next


@dataclass(frozen=True)
class Route:
    """The way from one revision's text to another's: `undo` leads up to what both were made from, `redo` down."""

    undo: tuple[Edit, ...]
    redo: tuple[Edit, ...]

    @property
    def edits(self) -> tuple[Edit, ...]:
        """All of them, to be made one after another."""
        return self.undo + self.redo


class Texts:
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
