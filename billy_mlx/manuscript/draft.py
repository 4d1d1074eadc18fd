"""A draft: what a model has written for a place in the text and the writer has not yet decided on."""

from dataclasses import dataclass
from enum import StrEnum

from billy_mlx.manuscript.passage import Passage, Work
from billy_mlx.manuscript.prose import Author, Prose


class Fate(StrEnum):
    """What the writer made of a draft."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Alternative:
    """One of a draft's texts.

    Attributes:
        author: the number of its passage, by which the text it becomes is known as its own.
        text: as far as it was written.
        passage: how it was made; None while it is being written, and for good if the program died meanwhile.
    """

    author: Author
    text: str = ""
    passage: Passage | None = None


@dataclass(frozen=True)
class Placed:
    """Where a draft was when it was decided on: characters `start` to `end` of the text of a revision."""

    revision: int
    start: int
    end: int


@dataclass(frozen=True)
class Draft:
    """Alternatives for one place.

    Attributes:
        id: 1 and up.
        start: the place in the text as it is now; it moves with the writer's edits.
        end: the same as `start` if nothing is to be replaced.
        original: what stood there when the draft was begun: what a rewrite is to replace, or nothing.
        shown: index of the alternative in view.
        placed: where it was each time it was decided on or exchanged, the newest last.
    """

    id: int
    work: Work
    start: int
    end: int
    original: Prose = Prose()
    alternatives: tuple[Alternative, ...] = ()
    shown: int = 0
    fate: Fate = Fate.OPEN
    placed: tuple[Placed, ...] = ()

    @property
    def text(self) -> str:
        """What is in view of it."""
        return self.alternatives[self.shown].text if self.alternatives else ""

    def of(self, author: Author) -> Alternative | None:
        """Return the alternative of this number, if it is one of this draft's."""
        return next((one for one in self.alternatives if one.author == author), None)
