"""Keystrokes: the writer's own edits as steps of the history. Letters that follow one another are one step."""

from collections.abc import Callable
from dataclasses import replace

from billy_mlx.manuscript.along import Along
from billy_mlx.manuscript.burst import Burst
from billy_mlx.manuscript.edit import Edit
from billy_mlx.manuscript.ledger import Ledger
from billy_mlx.manuscript.records import Change, Edited
from billy_mlx.manuscript.revision import Kind


class Keystrokes:
    """Takes in what the writer types.

    Args:
        ledger: what the text changes through.
        clock: seconds since the epoch.
    """

    def __init__(self, ledger: Ledger, clock: Callable[[], float]) -> None:
        self._ledger, self._clock = ledger, clock
        self._burst: Burst | None = None
        self._burst_at = (0, 0)  # where and when it was

    def take(self, change: Change, along: Along | None = None) -> None:
        """Make a change, as a step of its own or more of the last one; with `along`, a draft has that much less."""
        ledger, now = self._ledger, self._clock()
        edit = Edit.of(ledger.state.prose, change.start, change.end, change.prose)
        burst = self._burst if (ledger.state.revision, ledger.turns) == self._burst_at else None
        grown = None if burst is None else burst.grown(edit, now)
        revision = ledger.next_revision() if grown is None else grown.revision
        typed = Edited(revision, (change,), Kind.TYPED, now, grows=grown is not None)
        if along is not None:
            typed = replace(typed, draft=along.draft, taken=along.taken, behind=len(along.behind))
        ledger.commit(typed)
        self._burst = grown or Burst.begun(revision, edit, now)
        self._burst_at = (revision, ledger.turns)
