"""Lineage: which versions the text as it is now came of. A draft belongs to the text it was begun for."""

from billy_mlx.manuscript.draft import Draft, Placed
from billy_mlx.manuscript.ledger import Ledger


class Lineage:
    """Answers for the text as it is now, at once while it grows step by step.

    Args:
        ledger: what changes go through.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[int, tuple[int, bool]] = {}  # by revision: the text last asked about, and the answer

    def has(self, draft: Draft) -> bool:
        """Return whether a draft belongs to the text: not after the writer went back before it, or to another branch.

        Raises:
            ManuscriptError: the history cannot be read.
        """
        head = self._ledger.state.revision
        known, answer = self._known.get(draft.begun, (0, False))
        if draft.begun in (0, head):
            return True
        if known != head:
            same = known and self._is_a_step(known, head)
            answer = answer if same else self._ledger.history.descends(head, draft.begun)
            self._known[draft.begun] = (head, answer)
        return answer

    def placed(self, draft: Draft) -> Placed | None:
        """Return where a draft was last put into the text, if that is part of how the text came to be.

        Raises:
            ManuscriptError: the history cannot be read.
        """
        history, head = self._ledger.history, self._ledger.state.revision
        return next((at for at in reversed(draft.placed) if not history.path(at.revision, head).undo), None)

    def _is_a_step(self, one: int, other: int) -> bool:
        """Return whether one version was made of the other."""
        history = self._ledger.history
        return history.revision(other).parent == one or history.revision(one).parent == other
