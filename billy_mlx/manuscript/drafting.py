"""Drafts: what models write beside the text until the writer takes it, or a part of it."""

import contextlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.draft import Alternative, Draft, Fate, Placed
from billy_mlx.manuscript.hunks import Hunk, hunks
from billy_mlx.manuscript.ledger import Ledger
from billy_mlx.manuscript.passage import Passage, Work
from billy_mlx.manuscript.prose import Author, Prose
from billy_mlx.manuscript.records import Change, Decided, Drafted, Edited, Finished, Shown, Swiped, Wrote
from billy_mlx.manuscript.revision import Kind
from billy_mlx.manuscript.storable import storable


class Drafts:
    """The drafts of one manuscript.

    Args:
        ledger: what changes go through.
        clock: seconds since the epoch.
        newline: the manuscript's, in which models' texts are kept too.
    """

    def __init__(self, ledger: Ledger, clock: Callable[[], float], newline: str) -> None:
        self._ledger = ledger
        self._clock = clock
        self._newline = newline
        self._begun_in: dict[Author, str] = {}

    @property
    def open(self) -> tuple[Draft, ...]:
        """The drafts not decided on, in the order of their places."""
        return tuple(sorted(self._ledger.state.drafts.values(), key=lambda draft: (draft.start, draft.id)))

    def used(self) -> tuple[Author, ...]:
        """Return the alternatives that ever were in the text, in the order in which they first were.

        If the history cannot be read, it is those of open drafts only.
        """
        uses: dict[int, tuple[tuple[int, Author], ...]] = {}
        with contextlib.suppress(ManuscriptError):
            uses |= self._ledger.history.uses()
        for draft in self._ledger.state.drafts.values():  # of these the history may not have the latest
            uses[draft.id] = tuple((at.revision, draft.alternatives[at.shown].author) for at in draft.placed)
        return tuple(dict.fromkeys(author for _, author in sorted(use for each in uses.values() for use in each)))

    def get(self, draft: int) -> Draft:
        """Return a draft, open or not.

        Raises:
            ManuscriptError: there is none of that number.
        """
        held = self._ledger.state.drafts.get(draft) or self._ledger.history.find_draft(draft)
        if held is None:
            raise ManuscriptError(f"there is no draft {draft}")
        return held

    def begin(self, work: Work, start: int, end: int | None = None) -> int:
        """Begin a draft at a place, or for the characters `start` to `end`, and return its number.

        Raises:
            ManuscriptError: the place is not in the text.
        """
        end = start if end is None else end
        prose = self._ledger.state.prose
        if not 0 <= start <= end <= len(prose):
            raise ManuscriptError(
                f"characters {start} to {end} are not in a text of {len(prose)}; choose the place again"
            )
        number = self._ledger.next_draft()
        self._ledger.commit(Drafted(Draft(number, work, start, end, original=prose[start:end])))
        return number

    def alternative(self, draft: int, voice: str | None = None) -> Author:
        """Begin one more alternative of an open draft, and return its number.

        Args:
            draft: its number.
            voice: the blend that it begins in, as `begun_in` has it until it is complete.
        """
        author = self._ledger.next_author()
        if voice is not None:
            self._begun_in[author] = voice
        self._ledger.commit(Wrote(author, "", self._open(draft).id))
        return author

    def write(self, author: Author, text: str) -> None:
        """Take in what a model has just written; once its draft was decided on, nothing happens."""
        if self._ledger.state.draft_of(author) is not None and text:
            self._ledger.commit(Wrote(author, _kept(text, self._newline)))

    def finish(self, author: Author, passage: Passage) -> None:
        """Take in how an alternative was made, when it is complete; also of one that was accepted before it was."""
        self._ledger.commit(Finished(author, passage))

    def begun_in(self, author: Author) -> str | None:
        """Return the blend that an alternative of this session began in; None if that is not known."""
        return self._begun_in.get(author)

    def show(self, draft: int, alternative: int) -> None:
        """Bring an alternative of an open draft into view; they go round, so that -1 is the last.

        Raises:
            ManuscriptError: the draft is not open, or some of it is in the text.
        """
        held = self._open(draft)
        if self.taken(held):
            raise ManuscriptError("a part of this draft is in the text; undo that to see its alternatives")
        if held.alternatives:
            self._ledger.commit(Shown(held.id, alternative % len(held.alternatives)))

    def taken(self, draft: Draft) -> int:
        """Return how many characters of the alternative in view are in the text already."""
        placed = self._in_text(draft)
        return 0 if placed is None else placed.taken

    def accept(self, draft: int, length: int | None = None) -> None:
        """Put the alternative in view into the text, as one undo step; of a rewrite, all its changes.

        Args:
            draft: its number.
            length: how many more characters of it; it stays open behind them, with the rest. Not for a rewrite.

        Raises:
            ManuscriptError: the draft is not open, or there is nothing in it yet.
        """
        held = self._open(draft)
        if len(held.original):
            self._take_hunks(held, self.hunks(draft), whole=True)
            return
        one, taken = self._in_view(held), self.taken(held)
        more = one.text[taken:][:length]
        if not more:
            raise ManuscriptError("there is no more in this draft yet; wait for it, or reject it")
        change, taken = Change(held.start, held.end, Prose.by(one.author, more)), taken + len(more)
        whole = length is None or (one.passage is not None and taken == len(one.text))
        self._ledger.commit(self._taking(held, [change], taken), *([Decided(held.id, Fate.ACCEPTED)] if whole else []))

    def hunks(self, draft: int) -> tuple[Hunk, ...]:
        """Return the changes that a rewrite would make to the text as it is now, counted from the draft's start."""
        held = self._open(draft)
        return hunks(self._ledger.state.prose.text[held.start : held.end], self._in_view(held).text)

    def accept_hunks(self, draft: int, chosen: Collection[int]) -> None:
        """Make some of the changes that `hunks` lists, as one undo step; the others stay open.

        Raises:
            ManuscriptError: the draft is not open, or has no such changes.
        """
        there = self.hunks(draft)
        if not chosen or not set(chosen) <= set(range(len(there))):
            raise ManuscriptError(f"the rewrite has {len(there)} changes, counted from 0; choose among them")
        picked = [there[index] for index in sorted(set(chosen))]
        self._take_hunks(self._open(draft), picked, whole=len(picked) == len(there))

    def reject(self, draft: int) -> None:
        """Put a draft away, or what is left of it; its alternatives are kept, and `reopen` brings them back."""
        held = self._open(draft)
        self._ledger.commit(Decided(held.id, Fate.ACCEPTED if self.taken(held) else Fate.REJECTED))

    def reopen(self, draft: int) -> None:
        """Take up a rejected draft again, or an accepted one that was undone, where it was.

        Raises:
            ManuscriptError: there is none, it is open, or it is in the text.
        """
        held = self.get(draft)
        if held.fate is Fate.OPEN:
            raise ManuscriptError(f"draft {draft} is open already")
        if self._in_text(held) is not None:
            raise ManuscriptError(f"draft {draft} is in the text; undo that first, or swipe it where it stands")
        start, end = self._now(held.decided, held.start, held.end)
        self._ledger.commit(Drafted(replace(held, start=start, end=end, fate=Fate.OPEN)))

    def swipe(self, draft: int, by: int = 1) -> None:
        """Go `by` alternatives on: of an open draft in view, of an accepted one in the text, as one undo step.

        Raises:
            ManuscriptError: there is no such draft, its text was undone or taken out, or the writer changed it since.
        """
        held = self.get(draft)
        placed = self._in_text(held)
        if held.fate is Fate.OPEN:
            self.show(draft, held.shown + by)
            return
        if placed is None:
            raise ManuscriptError(f"draft {draft} is not in the text; reopen it to see its alternatives")
        start, end = self._now(placed.revision, placed.start, placed.end)
        prose, then = self._ledger.state.prose, self._ledger.history.prose_at(placed.revision)
        if prose.text[start:end] != then.text[placed.start : placed.end]:
            raise ManuscriptError("this passage was changed since it was accepted; undo that, or rewrite it as it is")
        shown = (placed.shown + by) % len(held.alternatives)
        other = _rewritten(held.original, held.alternatives[shown])
        revision = self._ledger.next_revision()
        edited = Edited(revision, (Change(start, end, other),), Kind.SWIPED, self._clock(), held.id)
        taken = len(held.alternatives[shown].text)
        self._ledger.commit(edited, Swiped(draft, Placed(revision, start, start + len(other), shown, taken)))

    def _take_hunks(self, held: Draft, picked: Sequence[Hunk], *, whole: bool) -> None:
        one = self._in_view(held)
        changes = _changes(picked, held.start, one.author)
        taken = len(one.text) if whole else 0
        closing = [Decided(held.id, Fate.ACCEPTED)] if whole else []
        self._ledger.commit(*([self._taking(held, changes, taken)] if changes else []), *closing)

    def _taking(self, held: Draft, changes: Sequence[Change], taken: int) -> Edited:
        revision = self._ledger.next_revision()
        return Edited(revision, tuple(changes), Kind.ACCEPTED, self._clock(), held.id, taken)

    def _open(self, draft: int) -> Draft:
        held = self._ledger.state.drafts.get(draft)
        if held is None:
            raise ManuscriptError(f"draft {draft} is not open; `reopen` takes one up again")
        return held

    def _in_view(self, held: Draft) -> Alternative:
        if not held.alternatives or not held.alternatives[held.shown].text:
            raise ManuscriptError("there is nothing in this draft yet; wait for its first words, or reject it")
        return held.alternatives[held.shown]

    def _in_text(self, held: Draft) -> Placed | None:
        """Return where a draft was last put into the text, if that is part of how the text came to be."""
        history, head = self._ledger.history, self._ledger.state.revision
        return next((at for at in reversed(held.placed) if not history.path(at.revision, head).undo), None)

    def _now(self, revision: int, start: int, end: int) -> tuple[int, int]:
        """Return where a place in the text of a revision is today."""
        empty = start == end
        for edit in self._ledger.history.path(revision, self._ledger.state.revision).edits:
            start, end = edit.moved(start, after=not empty), edit.moved(end)
        return start, max(start, end)


def _rewritten(original: Prose, one: Alternative) -> Prose:
    """Return a text by an alternative, in which the words it has kept are still by whoever wrote them."""
    prose = original
    for change in _changes(hunks(original.text, one.text), 0, one.author):
        prose = prose[: change.start] + change.prose + prose[change.end :]
    return prose


def _changes(picked: Iterable[Hunk], start: int, author: Author) -> list[Change]:
    """Return hunks as changes from the last to the first, so that none moves another."""
    ordered = sorted(picked, key=lambda hunk: hunk.start, reverse=True)
    return [Change(start + hunk.start, start + hunk.end, Prose.by(author, hunk.text)) for hunk in ordered]


def _kept(text: str, newline: str) -> str:
    """Return a model's text as the manuscript keeps text."""
    return storable(text).replace("\r\n", "\n").replace("\n", newline)
