"""Records: everything that can happen to a manuscript, as it is written down in the journal.

A manuscript changes in one way only: a record is applied and written down. What is read back after a crash goes
through the same code as what the writer does (state.py), so that the two cannot differ. A revision is a step that was
made so: one node of the tree of versions.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import get_args

import msgspec

from billy_mlx.manuscript.draft import Draft, Fate, Placed
from billy_mlx.manuscript.edit import Edit
from billy_mlx.manuscript.passage import Passage
from billy_mlx.manuscript.prose import Author, Prose


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


@dataclass(frozen=True)
class Change:
    """Characters `start` to `end` become `prose`: an edit that does not say again what stood there."""

    start: int
    end: int
    prose: Prose

    @classmethod
    def of(cls, edit: Edit) -> "Change":
        """Return an edit as it is written down."""
        return cls(edit.start, edit.end, edit.inserted)


@dataclass(frozen=True)
class Offer:
    """A text that was never saved, kept until the writer has decided on it. `made` is when it was last worked on."""

    revision: int
    prose: Prose
    made: float


@dataclass(frozen=True)
class Begun:
    """The first record of every journal: all there is at this moment.

    Attributes:
        digest: of the writer's file; None if there is none.
        saved: the revision and the text that are in that file; None if they are these.
        revision: the one the text stands at.
        passages: the highest number given to a passage.
        drafts: those that are open.
        draft_count: the highest number given to a draft.
        worked: when the text was last changed, in seconds since the epoch; 0 if that is not known.
        ways_back: the revisions that undo does not take to their parent, and where it takes them.
    """

    prose: Prose
    digest: str | None
    revision: int
    saved: tuple[int, Prose] | None = None
    branch: str = "main"
    passages: int = 0
    drafts: tuple[Draft, ...] = ()
    draft_count: int = 0
    offers: tuple[Offer, ...] = ()
    worked: float = 0.0
    ways_back: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Edited:
    """A new revision, or one more change of the newest one (`grows`), as when a word is typed letter by letter.

    Attributes:
        draft: the open draft it accepts, all or in part, or puts away; what is typed along with one is of it, too.
        taken: how many characters of that draft are in the text with it.
        behind: how many characters at its end stand behind the draft: the space before the next word.
    """

    revision: int
    changes: tuple[Change, ...]
    kind: Kind
    made: float
    draft: int | None = None
    taken: int = 0
    grows: bool = False
    behind: int = 0


@dataclass(frozen=True)
class Moved:
    """The text goes to another revision: undo, redo, any version of the tree.

    Attributes:
        back_to: the revision that undo leads back to from there, in place of its parent; None if it stays as it is.
        is_back: it goes such a way back, which is gone by that.
    """

    revision: int
    changes: tuple[Change, ...]
    back_to: int | None = None
    is_back: bool = False


@dataclass(frozen=True)
class Saving:
    """The text as it is now is in the file, or about to be; this is its digest, or None if there is no file."""

    digest: str | None


@dataclass(frozen=True)
class Branched:
    """The current branch is another one from here on; a new name begins at the text as it is now."""

    name: str


@dataclass(frozen=True)
class Renamed:
    """A branch, which stands at this revision, has a new name."""

    name: str
    new: str
    revision: int


@dataclass(frozen=True)
class Checkpointed:
    """A revision has a name."""

    name: str
    revision: int


@dataclass(frozen=True)
class Drafted:
    """A draft is begun, or taken up again, with what there is of it."""

    draft: Draft


@dataclass(frozen=True)
class Wrote:
    """A model goes on with the alternative of this number; `draft` comes with the first words of a new one."""

    author: Author
    text: str
    draft: int | None = None


@dataclass(frozen=True)
class Finished:
    """An alternative is complete, and this is how it was made."""

    author: Author
    passage: Passage


@dataclass(frozen=True)
class Shown:
    """Another alternative of a draft is in view."""

    draft: int
    alternative: int


@dataclass(frozen=True)
class Decided:
    """The writer has decided on an open draft."""

    draft: int
    fate: Fate


@dataclass(frozen=True)
class Swiped:
    """An accepted draft is another of its alternatives in the text now."""

    draft: int
    placed: Placed


@dataclass(frozen=True)
class Offered:
    """A text was found that never reached the file."""

    offer: Offer


@dataclass(frozen=True)
class Settled:
    """The writer has decided on an offer: it is gone."""

    revision: int


Record = (
    Begun
    | Edited
    | Moved
    | Saving
    | Branched
    | Renamed
    | Checkpointed
    | Drafted
    | Wrote
    | Finished
    | Shown
    | Decided
    | Swiped
    | Offered
    | Settled
)


_KINDS: dict[str, type[Record]] = {kind.__name__.lower(): kind for kind in get_args(Record)}


def encode(*records: Record) -> bytes:
    """Return records that happen together as one piece of the journal: a line of JSON each, its kind and its fields."""
    return b"\n".join(msgspec.json.encode((type(record).__name__.lower(), record)) for record in records)


def decode(piece: bytes) -> tuple[Record, ...]:
    """Read what `encode` gave.

    Raises:
        ValueError: it is no record, or one whose values do not fit.
    """
    return tuple(_decode_line(line) for line in piece.split(b"\n"))


def _decode_line(line: bytes) -> Record:
    kind, fields = msgspec.json.decode(line, type=tuple[str, msgspec.Raw])
    if kind not in _KINDS:
        raise ValueError(f"there is no record of the kind {kind!r}")
    return msgspec.json.decode(fields, type=_KINDS[kind])
