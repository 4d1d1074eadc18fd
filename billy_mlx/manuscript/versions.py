"""The tree of versions: undo and redo without a bound, any version, checkpoints and branches by name."""

from collections.abc import Iterator, Mapping

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.edit import Edit, difference, inverted
from billy_mlx.manuscript.history.tree import Version
from billy_mlx.manuscript.ledger import Ledger
from billy_mlx.manuscript.prose import Prose
from billy_mlx.manuscript.records import Branched, Change, Checkpointed, Moved, Record
from billy_mlx.manuscript.storable import storable
from billy_mlx.text import sanitize

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

    def undo(self) -> bool:
        """Take the last step back; returns False at the beginning of the manuscript."""
        revision = self._ledger.history.revision(self.current)
        if revision.parent is None:
            return False
        self._ledger.commit(moved(revision.parent, inverted(revision.edits)))
        return True

    def redo(self) -> bool:
        """Make the step again that was undone last here; returns False if there is none."""
        history = self._ledger.history
        child = history.preferred_child(self.current)
        if child is None:
            return False
        self._ledger.commit(moved(child, history.revision(child).edits))
        return True

    def go(self, revision: int) -> None:
        """Bring a version back, whatever lies between; the one left is in the tree as well.

        Raises:
            ManuscriptError: there is no such version.
        """
        self._ledger.commit(self._going(revision))

    def text_at(self, revision: int) -> Prose:
        """Return the text of a version, without going there.

        Raises:
            ManuscriptError: there is no such version.
        """
        if not self._ledger.history.has(revision):
            raise ManuscriptError(f"there is no version {revision}")
        return self._ledger.history.prose_at(revision)

    def checkpoint(self, name: str) -> None:
        """Give the text as it is now a name; one that has it already gives it up.

        Raises:
            ManuscriptError: the name is empty or too long.
        """
        self._ledger.commit(Checkpointed(_checked(name), self.current))

    def go_to_checkpoint(self, name: str) -> None:
        """Bring the text of a checkpoint back.

        Raises:
            ManuscriptError: there is none of that name.
        """
        self.go(_found(self.checkpoints, name, "checkpoint"))

    def begin_branch(self, name: str) -> None:
        """Begin a branch at the text as it is now; the current one stays as it is, to `switch` back to.

        Raises:
            ManuscriptError: the name is empty, too long, or taken.
        """
        if _checked(name) in self.branches:
            raise ManuscriptError(f"there is a branch {sanitize(name)} already; switch to it, or choose another name")
        self._ledger.commit(Branched(name))

    def switch(self, name: str) -> None:
        """Go on with another branch, where it was left.

        Raises:
            ManuscriptError: there is none of that name.
        """
        self._ledger.commit(Branched(name), self._going(_found(self.branches, name, "branch")))

    def tree(self, *, landmarks: bool = True) -> Iterator[Version]:
        """Yield the versions, newest first; of those that merely follow one another only the ends, with `landmarks`."""
        return self._ledger.history.tree(landmarks=landmarks)

    def have_had(self, characters: int) -> bool:
        """Return whether any of them put so many characters in at once; True as well if that cannot be read."""
        try:
            return any(version.inserted >= characters for version in self.tree(landmarks=False))
        except ManuscriptError:
            return True

    def _going(self, revision: int) -> Record:
        return moved(revision, (difference(self._ledger.state.prose, self.text_at(revision)),))


def moved(revision: int, edits: tuple[Edit, ...]) -> Moved:
    """Return the record of going to a revision by `edits`."""
    return Moved(revision, tuple(Change.of(edit) for edit in edits))


def _checked(name: str) -> str:
    if not name.strip() or len(name) > _LONGEST_NAME or name != storable(name):
        raise ManuscriptError(f"{sanitize(name[:40])!r} cannot be a name; give one of 1 to {_LONGEST_NAME} characters")
    return name


def _found(names: Mapping[str, int], name: str, what: str) -> int:
    if name not in names:
        known = ", ".join(sanitize(one) for one in names) or "none yet"
        raise ManuscriptError(f"there is no {what} {sanitize(name)}; there is: {known}")
    return names[name]
