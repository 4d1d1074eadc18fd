"""Keystrokes: the writer's own edits as steps of the history.

Letters at one place, without a pause, are one step, up to about a line. What is typed by hand of what a draft offers
goes along with it; the letters are the writer's own.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from billy_mlx.manuscript.draft import Draft, rest_of
from billy_mlx.manuscript.edit import Edit
from billy_mlx.manuscript.ledger import Ledger
from billy_mlx.manuscript.prose import WRITER, Prose
from billy_mlx.manuscript.records import Change, Edited, Kind

PAUSE_SECONDS = 1.0
_LONGEST_KEY = 32  # characters in one go: more is a paste, which is a step of its own
_LINE = 80


@dataclass(frozen=True)
class Burst:
    """A revision that may still grow.

    Attributes:
        revision: its id.
        edit: its last change.
        made: when that was, in seconds since the epoch.
        length: characters typed or deleted in it.
    """

    revision: int
    edit: Edit
    made: float
    length: int

    @classmethod
    def begun(cls, revision: int, edit: Edit, made: float) -> "Burst | None":
        """Return the burst that a new revision begins; None if it is more than a keystroke."""
        return None if _doing(edit) is None else cls(revision, edit, made, _length(edit))

    def grown(self, edit: Edit, made: float) -> "Burst | None":
        """Return the burst after one more change; None if the change does not belong to the same undo step."""
        same = _doing(edit) == _doing(self.edit) and _touches(self.edit, edit)
        if not same or not 0 <= made - self.made < PAUSE_SECONDS or self._full(edit):
            return None
        return Burst(self.revision, edit, made, self.length + _length(edit))

    def _full(self, edit: Edit) -> bool:
        return self.length >= _LINE and self.edit.inserted.text.isspace() and not edit.inserted.text.isspace()


def _doing(edit: Edit) -> str | None:
    """Return what is done with a few letters of a line; None if it is anything else."""
    inserted, removed = edit.inserted.text, edit.removed.text
    if (inserted and removed) or len(inserted + removed) > _LONGEST_KEY or "\n" in inserted + removed:
        return None
    return "typing" if inserted else "deleting"


def _touches(last: Edit, edit: Edit) -> bool:
    return edit.start == last.inserted_end or (edit.end == last.start and not edit.inserted.text)


def _length(edit: Edit) -> int:
    return len(edit.inserted) + len(edit.removed)


@dataclass(frozen=True)
class Along:
    """An edit that goes along with a draft.

    Attributes:
        draft: its number.
        taken: how many of its characters are in the text after that.
        behind: the space that is missing behind its last word, once that is typed.
        whole: nothing is left of it.
    """

    draft: int
    taken: int
    behind: str = ""
    whole: bool = False


def along(draft: Draft, taken: int, prose: Prose, start: int, end: int, text: str) -> Along | None:
    """Return what an edit is to an open draft: it types what that offers next, or takes that back; None if neither.

    Args:
        draft: the draft.
        taken: how many characters of it are in the text.
        prose: the text.
        start: where the edit begins.
        end: where what it replaces ends.
        text: what it puts there.
    """
    if len(draft.original) or not draft.alternatives or end != draft.start:
        return None
    rest, one = rest_of(draft, taken, prose.text), draft.alternatives[draft.shown]
    if start == end and text and not rest.before and rest.text.startswith(text):
        whole = one.passage is not None and text == rest.text
        return Along(draft.id, taken + len(text), rest.behind if whole else "", whole)
    removed, left = prose[start:end], taken - (end - start)
    own = all(author == WRITER for _, author in removed.authors.runs)
    if end > start and not text and left >= 0 and own and removed.text == one.text[left:taken]:
        return Along(draft.id, left)
    return None


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
