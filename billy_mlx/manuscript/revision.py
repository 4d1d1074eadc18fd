"""A revision: one step in the life of a text, with the one it came from. Together they are the tree of versions."""

from dataclasses import dataclass
from enum import StrEnum

from billy_mlx.manuscript.edit import Edit


class Kind(StrEnum):
    """What made a revision."""

    OPENED = "opened"  # the text as it was first seen
    TYPED = "typed"
    REPLACED = "replaced"  # find and replace, or a selection pasted over
    ACCEPTED = "accepted"  # a draft, or a part of one: all of it is one step
    SWIPED = "swiped"  # an accepted draft exchanged for another of its alternatives
    IMPORTED = "imported"
    ELSEWHERE = "elsewhere"  # the file was changed by another program
    MERGED = "merged"  # what another program changed in the file was put in beside the writer's own changes
    RECOVERED = "recovered"
    PUT_AWAY = "put away"  # a draft, or what was left of it; the text is the same


@dataclass(frozen=True)
class Revision:
    """One undo step.

    Attributes:
        id: 1 and up, rising with time.
        parent: the revision it was made on; None for a root.
        edits: from the parent's text to this one's, made one after another.
        kind: what made it.
        made: seconds since the epoch.
        draft: the draft it accepted, swiped or put away, if it did.
    """

    id: int
    parent: int | None
    edits: tuple[Edit, ...]
    kind: Kind
    made: float
    draft: int | None = None
