"""A rewrite on the page: its changes, the one that the writer looks at, and those they skipped."""

from billy_mlx.manuscript.changes import TextChange, is_unlike, is_whole
from billy_mlx.manuscript.draft import Alternative, Draft
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.tui.widgets.ghost_view import Ghost


class Rewrite:
    """One alternative of an open rewrite that is no longer written.

    Attributes:
        draft: its number.
        alternative: what is shown of it.
        original: what stood in the text when it was begun.
        unlike: it has next to nothing of the original, and is better read beside it.
        whole: it was not stopped before its end.
    """

    def __init__(self, manuscript: Manuscript, draft: Draft, alternative: Alternative) -> None:
        self.draft, self.alternative, self.original = draft.id, alternative, draft.original.text
        self.unlike = is_unlike(self.original, alternative.text)
        self.whole = is_whole(self.original, alternative)
        self._manuscript = manuscript
        self._here = 0
        self._skipped: set[tuple[int, str, str]] = set()

    @property
    def changes(self) -> tuple[TextChange, ...]:
        """All its changes, made or not."""
        return self._manuscript.drafts.changes(self.draft)

    @property
    def open(self) -> tuple[int, ...]:
        """Which of them can be made, by their index."""
        return self._manuscript.drafts.open_changes(self.draft)

    @property
    def wanted(self) -> tuple[int, ...]:
        """Which of them can be made and were not skipped."""
        return tuple(index for index in self.open if self._key(index) not in self._skipped)

    @property
    def here(self) -> int | None:
        """The one that stands out; None if there are none left."""
        left = self.open
        return self._here if self._here in left else _following(self.wanted or left, self._here)

    @property
    def words(self) -> str:
        """Where the writer is, for a status line."""
        here, count = self.here, len(self.changes)
        if here is None:
            return ""
        change = self.changes[here]
        notes = (
            (not (change.before + change.after).strip(), ", only spaces or line ends"),
            (self._key(here) in self._skipped, ", skipped"),
            (not self.whole, ", stopped early"),
        )
        return f"change {here + 1} of {count}" + "".join(note for is_so, note in notes if is_so)

    def go(self, by: int) -> None:
        """Look at the next change that can be made, skipped or not, or the one before; they go round."""
        left, here = self.open, self.here
        if here is not None:
            self._here = left[(left.index(here) + by) % len(left)]

    def look_at(self, index: int | None) -> None:
        """Look at a change; None stays where it is."""
        self._here = self._here if index is None else index

    def skip(self) -> None:
        """Leave the words of this change as they are, and look at the next one."""
        here = self.here
        if here is not None:
            self._skipped.add(self._key(here))
            following = _following(self.wanted, here)
            self._here = here if following is None else following

    def ghosts(self) -> tuple[tuple[Ghost, ...], int | None]:
        """Return what the page shows of it, and which of that stands out; one that was skipped shows only then."""
        changes, here = self.changes, self.here
        shown = sorted({*self.wanted, *(() if here is None else (here,))})
        ghosts = tuple(_ghost(changes[index]) for index in shown)
        return ghosts, None if here is None else shown.index(here)

    def _key(self, index: int) -> tuple[int, str, str]:
        """Return what a change is known by, so that another in its place is not taken for it."""
        change = self.changes[index]
        return index, change.before, change.after


def seam(before: str, after: str) -> str:
    """Return `after` as it is shown behind words that it would replace: never run together with them."""
    apart = not before or not after or before[-1].isspace() or after[0].isspace()
    return after if apart else f" {after}"


def _ghost(change: TextChange) -> Ghost:
    return Ghost(change.start, change.end, seam(change.before, change.after))


def _following(left: tuple[int, ...], here: int) -> int | None:
    """Return the first that is left from `here` on, or from the start."""
    return next((index for index in left if index >= here), left[0] if left else None)
