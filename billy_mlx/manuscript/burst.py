"""Typing that counts as one undo step: letters at one place, without a pause, up to about a line."""

from dataclasses import dataclass

from billy_mlx.manuscript.edit import Edit

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
