"""A draft: what a model has written for a place in the text and the writer has not yet decided on."""

from dataclasses import dataclass, field
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
    """A draft in the text: characters `start` to `end` at a revision that put them there.

    Attributes:
        shown: the alternative they are of.
        taken: how many characters of it are in the text so far; of a rewrite, all once every change is made.
    """

    revision: int
    start: int
    end: int
    shown: int
    taken: int


@dataclass(frozen=True)
class Draft:
    """Alternatives for one place.

    Attributes:
        id: 1 and up.
        start: the place in the text as it is now; it moves with the writer's edits.
        end: the same as `start` if nothing is to be replaced.
        original: what stood there when the draft was begun: what a rewrite is to replace, or nothing.
        shown: index of the alternative in view.
        decided: the revision in whose text `start` and `end` are counted once it is no longer open.
        instruction: what the writer asked for; may be empty.
        begun: the revision of the text it was begun for; 0 if the version before has begun it.
        whole: the alternatives that are offered to their last word, though their length has cut a sentence.
        placed: where it was put into the text, each time some of it was or it was exchanged, the newest last.
    """

    id: int
    work: Work
    start: int
    end: int
    original: Prose = field(default_factory=Prose)
    alternatives: tuple[Alternative, ...] = ()
    shown: int = 0
    fate: Fate = Fate.OPEN
    decided: int = 0
    placed: tuple[Placed, ...] = ()
    instruction: str = ""
    begun: int = 0
    whole: tuple[Author, ...] = ()

    def of(self, author: Author) -> Alternative | None:
        """Return the alternative of this number, if it is one of this draft's."""
        return next((one for one in self.alternatives if one.author == author), None)
