"""Lineage: which versions the text as it is now came of. A draft belongs to the text it was begun for."""

from collections.abc import Callable

from billy_mlx.manuscript.draft import Draft, Placed
from billy_mlx.manuscript.ledger import Ledger


class Lineage:
    """Answers for the text as it is now, at once while it grows step by step.

    Args:
        ledger: what changes go through.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._begun: dict[int, tuple[int, bool]] = {}  # by revision: the text last asked about, and the answer
        self._placed: dict[int, tuple[int, bool]] = {}

    def has(self, draft: Draft) -> bool:
        """Return whether a draft belongs to the text: not after the writer went back before it, or to another branch.

        Raises:
            ManuscriptError: the history cannot be read.
        """
        descends = self._ledger.history.descends
        return not draft.begun or self._asked(self._begun, draft.begun, lambda head: descends(head, draft.begun))

    def placed(self, draft: Draft) -> Placed | None:
        """Return where a draft was last put into the text, if that is part of how the text came to be.

        Raises:
            ManuscriptError: the history cannot be read.
        """
        return next((at for at in reversed(draft.placed) if self._is_in(at.revision)), None)

    def _is_in(self, revision: int) -> bool:
        path = self._ledger.history.path
        return self._asked(self._placed, revision, lambda head: not path(revision, head).undo)

    def _asked(self, known: dict[int, tuple[int, bool]], revision: int, ask: Callable[[int], bool]) -> bool:
        """Return whether the text came of a revision; what was the answer a step before still is."""
        head = self._ledger.state.revision
        if head == revision:
            return True
        last, answer = known.get(revision, (0, False))
        if last != head:
            answer = answer if last and self._is_a_step(last, head) else ask(head)
            known[revision] = (head, answer)
        return answer

    def _is_a_step(self, one: int, other: int) -> bool:
        """Return whether one version was made of the other."""
        history = self._ledger.history
        return history.revision(other).parent == one or history.revision(one).parent == other
