"""A draft: what a model has written for a place in the text and the writer has not yet decided on."""

from dataclasses import dataclass
from enum import StrEnum

from billy_mlx.manuscript.passage import Passage, Work
from billy_mlx.manuscript.prose import Author


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
class Draft:
    """Alternatives for one place.

    Attributes:
        id: 1 and up.
        start: the place in the text as it is now; it moves with the writer's edits.
        end: the same as `start` if nothing is to be replaced.
        original: what a rewrite is to replace, as it was when the draft was begun; "" otherwise.
        shown: index of the alternative in view.
    """

    id: int
    work: Work
    start: int
    end: int
    original: str = ""
    alternatives: tuple[Alternative, ...] = ()
    shown: int = 0
    fate: Fate = Fate.OPEN
