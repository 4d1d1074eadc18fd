"""The changes of a rewrite: which there are, and where each is in the text while the writer goes on with it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Self

from billy_mlx.manuscript.draft import Alternative, Draft
from billy_mlx.manuscript.edit import Edit
from billy_mlx.manuscript.ledger import Ledger
from billy_mlx.manuscript.records import Moved, Record
from billy_mlx.manuscript.word_diff import Hunk, hunks
from billy_mlx.text import without_strays
from billy_mlx.words import count_words

_FEWEST_SHARED = 1 / 3  # of a rewrite's words; with fewer, what was kept was kept by chance
_PHRASE = 3  # words: of so few, a third says nothing


@dataclass(frozen=True)
class TextChange:
    """Characters `start` to `end` of the text were `before` and become `after`; they may be either."""

    start: int
    end: int
    before: str
    after: str

    def is_open(self, text: str) -> bool:
        """Return whether it can be made: the words are as they were."""
        return text[self.start : self.end] == self.before

    def is_taken(self, text: str) -> bool:
        """Return whether it was made."""
        return text[self.start : self.end] == self.after

    def moved(self, edit: Edit) -> Self:
        """Return it where it is after an edit; what is typed at its borders stays outside."""
        if self.start < self.end:
            start = edit.moved(self.start, after=True)
            end = edit.moved(self.end)
        elif edit.start == edit.end == self.start and edit.inserted.text in (self.before, self.after):
            start, end = self.start, edit.inserted_end
        else:
            start = end = edit.moved(self.start, after=edit.start == edit.end)
        return type(self)(start, max(start, end), self.before, self.after)


def changes_of(passage: str, one: Alternative, start: int = 0) -> tuple[TextChange, ...]:
    """Return the changes that make a rewrite out of a passage which starts at `start`; no two of them touch.

    A rewrite that has next to nothing of the passage is one change. What one that was stopped has not come to stays as
    it is.
    """
    found = hunks(without_strays(passage), one.text)  # which is how the model was sent it
    if _is_unlike(passage, one.text, found):
        found = (Hunk(0, len(passage), one.text),)
    elif found and found[-1].end == len(passage) > found[-1].start and not is_whole(passage, one):
        found = found[:-1]
    return tuple(
        TextChange(start + hunk.start, start + hunk.end, passage[hunk.start : hunk.end], hunk.text) for hunk in found
    )


def is_unlike(passage: str, rewrite: str) -> bool:
    """Return whether a rewrite shares less than a third of its words with a passage."""
    return _is_unlike(passage, rewrite, hunks(passage, rewrite))


def is_whole(passage: str, one: Alternative) -> bool:
    """Return whether a rewrite was written to its end: it ended by itself, or is as long as the passage."""
    return len(one.text) >= len(passage) or (one.passage is not None and one.passage.ended == "stop")


class Changes:
    """The changes of open rewrites, and of the last that was decided on, followed through the text.

    Args:
        ledger: what the text changes through.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._of: dict[int, tuple[Alternative, tuple[TextChange, ...]]] = {}
        ledger.followers.append(self._follow)

    def of(self, draft: Draft, one: Alternative) -> tuple[TextChange, ...]:
        """Return the changes of an alternative of an open draft, those that were made as well."""
        known, changes = self._of.get(draft.id, (None, ()))
        if known != one:
            text = self._ledger.state.prose.text
            changes = changes_of(text[draft.start : draft.end], one, draft.start)
            self._forget()
            self._of[draft.id] = one, changes
        return changes

    def _follow(self, record: Record, edits: tuple[Edit, ...]) -> None:
        text = self._ledger.state.prose.text
        for id, (one, before) in list(self._of.items()):
            changes = tuple(reduce(TextChange.moved, edits, change) for change in before)
            if isinstance(record, Moved) and not all(_is_known(change, text) for change in changes):
                del self._of[id]  # the text was exchanged as a whole: compare it anew
            else:
                self._of[id] = one, changes

    def _forget(self) -> None:
        closed = [id for id in self._of if id not in self._ledger.state.drafts]
        for id in closed[:-1]:
            del self._of[id]


def _is_known(change: TextChange, text: str) -> bool:
    return change.is_open(text) or change.is_taken(text)


def _is_unlike(passage: str, rewrite: str, found: Iterable[Hunk]) -> bool:
    words = count_words(rewrite)
    if max(words, count_words(passage)) <= _PHRASE:
        return False
    return words - sum(count_words(hunk.text) for hunk in found) < words * _FEWEST_SHARED
