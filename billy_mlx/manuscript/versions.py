"""The tree of versions: undo and redo without a bound, any version, checkpoints and branches by name."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.draft_steps import redone, undone
from billy_mlx.manuscript.edit import Edit, difference, inverted
from billy_mlx.manuscript.history.tree import Version
from billy_mlx.manuscript.ledger import Ledger
from billy_mlx.manuscript.prose import Prose
from billy_mlx.manuscript.records import Branched, Change, Checkpointed, Moved, Renamed
from billy_mlx.text import sanitize, storable

_LONGEST_NAME = 200


class Versions:
    """The versions of one manuscript. What reads them raises ManuscriptError if the history is damaged.

    Args:
        ledger: what changes go through.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @property
    def current(self) -> int:
        """The revision that the text stands at."""
        return self._ledger.state.revision

    @property
    def branch(self) -> str:
        """The name of the current branch."""
        return self._ledger.state.branch

    @property
    def checkpoints(self) -> Mapping[str, int]:
        """Revisions by the names the writer gave them."""
        return dict(self._ledger.history.checkpoints)

    @property
    def branches(self) -> Mapping[str, int]:
        """Where each branch stands."""
        return dict(self._ledger.history.branches)

    @property
    def draft(self) -> int | None:
        """The draft that the last step put into the text, all of it or a part; None if it did something else."""
        return self._ledger.history.revision(self.current).draft

    def undo(self) -> bool:
        """Take the last step back, also one to another version; returns False at the beginning of the manuscript."""
        while True:
            left = self._ledger.state.ways_back.get(self.current)
            if left is not None and self._ledger.history.has(left):
                self._ledger.commit(replace(self._going(left), is_back=True))
                return True
            revision = self._ledger.history.revision(self.current)
            if revision.parent is None:
                return False
            back = undone(self._ledger, revision)
            self._ledger.commit(moved(revision.parent, inverted(revision.edits)), *back)
            if back or revision.edits:  # a draft that is back already leaves nothing to see
                return True

    def redo(self) -> bool:
        """Make the step again that was undone last here; returns False if there is none."""
        history = self._ledger.history
        while True:
            left = self._ledger.state.ways_on.get(self.current)
            if left is not None and history.has(left):
                self.go(left)
                return True
            child = history.preferred_child(self.current)
            if child is None:
                return False
            revision = history.revision(child)
            away = redone(self._ledger, revision)
            self._ledger.commit(moved(child, revision.edits), *away)
            if away or revision.edits:
                return True

    def go(self, revision: int) -> None:
        """Bring a version back, whatever lies between; undo leads back to the one left, which is in the tree as well.

        Raises:
            ManuscriptError: there is no such version.
        """
        if revision != self.current:
            self._ledger.commit(replace(self._going(revision), back_to=self.current))

    def text_at(self, revision: int) -> Prose:
        """Return the text of a version, without going there.

        Raises:
            ManuscriptError: there is no such version.
        """
        return self._ledger.history.prose_at(self._known(revision))

    def checkpoint(self, name: str, revision: int | None = None) -> None:
        """Give a version a name, or the text as it is now; one that has it already gives it up.

        Raises:
            ManuscriptError: the name is empty or too long, or there is no such version.
        """
        self._ledger.commit(Checkpointed(_checked(name), self._known(revision)))

    def begin_branch(self, name: str, revision: int | None = None) -> None:
        """Begin a branch at a version, which is brought back, or at the text as it is now; the one left stays.

        Raises:
            ManuscriptError: the name is empty, too long, or taken, or there is no such version.
        """
        self.check_branch(name)
        at = self._known(revision)
        self._ledger.commit(Branched(name), *([] if at == self.current else [self._going(at)]))

    def check_name(self, name: str) -> None:
        """Do nothing if a version can be called so. Raises ManuscriptError if the name is empty or too long."""
        _checked(name)

    def check_branch(self, name: str) -> None:
        """Do nothing if a branch can be called so.

        Raises:
            ManuscriptError: the name is empty, too long, or taken.
        """
        if _checked(name) in self.branches:
            raise ManuscriptError(f"there is a branch {sanitize(name)} already; go there, or choose another name")

    def rename_branch(self, name: str, new: str) -> None:
        """Give a branch another name; nothing happens if it has that already.

        Raises:
            ManuscriptError: there is none of that name, or the new one is empty, too long, or taken.
        """
        at = _branch_at(self.branches, name)
        if new != name:
            self.check_branch(new)
            self._ledger.commit(Renamed(name, new, at))

    def switch(self, name: str) -> None:
        """Go on with another branch, where it was left.

        Raises:
            ManuscriptError: there is none of that name.
        """
        self._ledger.commit(Branched(name), self._going(_branch_at(self.branches, name)))

    def tree(self, *, landmarks: bool = True) -> Iterator[Version]:
        """Yield the versions, newest first; of those that merely follow one another only the ends, with `landmarks`."""
        return self._ledger.history.tree(landmarks=landmarks)

    def have_had(self, characters: int) -> bool:
        """Return whether any of them put so many characters in at once; True as well if that cannot be read."""
        try:
            return any(version.inserted >= characters for version in self.tree(landmarks=False))
        except ManuscriptError:
            return True

    def _known(self, revision: int | None) -> int:
        if revision is None:
            return self.current
        if not self._ledger.history.has(revision):
            raise ManuscriptError(f"there is no version {revision}")
        return revision

    def _going(self, revision: int) -> Moved:
        return moved(revision, (difference(self._ledger.state.prose, self.text_at(revision)),))


def moved(revision: int, edits: tuple[Edit, ...]) -> Moved:
    """Return the record of going to a revision by `edits`."""
    return Moved(revision, tuple(Change.of(edit) for edit in edits))


def _checked(name: str) -> str:
    if not name.strip() or len(name) > _LONGEST_NAME or name != storable(name):
        raise ManuscriptError(f"{sanitize(name[:40])!r} cannot be a name; give one of 1 to {_LONGEST_NAME} characters")
    return name


def _branch_at(branches: Mapping[str, int], name: str) -> int:
    if name not in branches:
        known = ", ".join(sanitize(one) for one in branches) or "none yet"
        raise ManuscriptError(f"there is no branch {sanitize(name)}; there is: {known}")
    return branches[name]
