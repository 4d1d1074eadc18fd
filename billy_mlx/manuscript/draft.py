"""A draft: what a model has written for a place in the text, undecided yet, and how it joins the text there."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from billy_mlx.manuscript.passage import Passage, Work
from billy_mlx.manuscript.prose import Author, Prose
from billy_mlx.sentences import before_space, starts
from billy_mlx.words import CJK

_ENDS_WORD = re.compile(rf"[^\W_{CJK}]\Z|[.,;:!?…)\]}}”’»›\"']\Z")
_BEGINS_WORD = re.compile(rf"[^\W_{CJK}]|[“„‘‚«‹(\[{{¿¡]")
_STOPPED = re.compile(r"[^\W\d_]{2}[.!?…,;:][”’»]?\Z")
_LETTER = re.compile(rf"[^\W\d_{CJK}]")


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
        end: the same as `start` if nothing is replaced.
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


@dataclass(frozen=True)
class Rest:
    """What is left of a draft, as it would stand in the text: `text`, and the spaces that are missing around it."""

    before: str = ""
    text: str = ""
    behind: str = ""

    def __str__(self) -> str:
        return f"{self.before}{self.text}{self.behind}"


def rest_of(draft: Draft, taken: int, manuscript: str, index: int | None = None) -> Rest:
    """Return what is left of a draft.

    Args:
        draft: an open one.
        taken: how many characters of it are in the text.
        manuscript: that text.
        index: of the alternative; the one in view if it is left out.
    """
    if not draft.alternatives:
        return Rest()
    text = offered(draft, taken, index)[taken:]
    if len(draft.original) or not text:
        return Rest("", text)
    before = "" if taken else space_before(manuscript[max(0, draft.start - 4) : draft.start], text)
    return Rest(before, text, space_behind(text, manuscript[draft.end : draft.end + 1]))


def offered(draft: Draft, taken: int = 0, index: int | None = None) -> str:
    """Return what a draft offers of an alternative: all of it, or up to its last whole sentence if its length cut it.

    Args:
        draft: whose alternative it is.
        taken: how many characters of it are in the text. If they end within the last sentence, nothing is cut.
        index: of the alternative; the one in view if it is left out.
    """
    one = draft.alternatives[draft.shown if index is None else index]
    if one.passage is None or one.passage.ended != "length" or one.author in draft.whole:
        return one.text
    end = whole_end(one.text)
    return one.text[:end] if end >= taken else one.text


@lru_cache(maxsize=64)  # it is asked for at every paint
def whole_end(text: str) -> int:
    """Return where the last whole sentence of a text ends; the end of the text if there is none."""
    end = before_space(text, max(starts(text), default=0))
    return end if end and not ends_sentence(text) else len(text)


def ends_sentence(text: str) -> bool:
    """Return whether another sentence could begin behind a text."""
    return bool(starts(f"{text} A", len(text) + 1))


def space_before(before: str, text: str) -> str:
    """Return the space that is missing before a draft where it begins a new word; nothing where that is not certain.

    It can if a capital stands behind small letters ("of" and "She"), and if a letter stands behind the mark that
    ends a word or a sentence. Otherwise the draft may go on with half a word: "har" and "bour".
    """
    if not _LETTER.match(text):
        return ""
    lower = before[-2:]
    new_word = text[0].isupper() and len(lower) == 2 and lower.isalpha() and lower.islower()
    return " " if new_word or _STOPPED.search(before[-4:]) else ""


def space_behind(text: str, after: str) -> str:
    """Return the space that is missing between a draft and the word behind it, or nothing."""
    return " " if _ENDS_WORD.search(text[-1:]) and _BEGINS_WORD.match(after[:1]) else ""
