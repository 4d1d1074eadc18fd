"""Drafts: what models write beside the text until the writer takes it, or a part of it."""

import contextlib
from collections.abc import Callable, Collection
from dataclasses import replace

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.changes import Changes, TextChange
from billy_mlx.manuscript.draft import Alternative, Draft, Fate, Rest, offered, rest_of
from billy_mlx.manuscript.draft_steps import Lineage, Taking, decided
from billy_mlx.manuscript.keystrokes import Along, along
from billy_mlx.manuscript.ledger import Ledger
from billy_mlx.manuscript.passage import Passage, Work
from billy_mlx.manuscript.prose import Author
from billy_mlx.manuscript.records import Decided, Drafted, Edited, Finished, Kind, Shown, Wrote
from billy_mlx.text import storable


class Drafts:
    """The drafts of one manuscript.

    Args:
        ledger: what changes go through.
        clock: seconds since the epoch.
        newline: the manuscript's, in which models' texts are kept too.
    """

    def __init__(self, ledger: Ledger, clock: Callable[[], float], newline: str) -> None:
        self._ledger = ledger
        self._lineage = Lineage(ledger)
        self._clock = clock
        self._newline = newline
        self._begun_in: dict[Author, str] = {}
        self._changes = Changes(ledger)
        self._taking = Taking(ledger, clock)

    @property
    def open(self) -> tuple[Draft, ...]:
        """The drafts not decided on, in the order of their places."""
        return tuple(sorted(self._ledger.state.drafts.values(), key=lambda draft: (draft.start, draft.id)))

    @property
    def here(self) -> tuple[Draft, ...]:
        """The open drafts that belong to the text as it is now, in the order of their places."""
        return tuple(draft for draft in self.open if self._belongs(draft))

    @property
    def last(self) -> int | None:
        """The number of the newest draft that there ever was; None if there was none."""
        return self._ledger.next_draft() - 1 or None

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
            raise ManuscriptError("there is no such draft")
        return held

    def begin(self, work: Work, start: int, end: int | None = None, *, instruction: str = "") -> int:
        """Begin a draft at a place, or for the characters `start` to `end`, and return its number.

        Args:
            work: what the model is asked to do.
            start: the place in the text.
            end: where what it replaces ends; the same if it is left out.
            instruction: what the writer asks for; another try asks for it again.

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
        begun = self._ledger.state.revision
        draft = Draft(number, work, start, end, original=prose[start:end], instruction=instruction, begun=begun)
        self._ledger.commit(Drafted(draft))
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
        if self.is_in_text(held):
            raise ManuscriptError("part of this draft is in the text; undo that to see its alternatives")
        if held.alternatives:
            self._ledger.commit(Shown(held.id, alternative % len(held.alternatives)))

    def taken(self, draft: Draft, alternative: int | None = None) -> int:
        """Return how many characters of an alternative, or of the one in view, are in the text already."""
        shown = draft.shown if alternative is None else alternative
        placed = self._lineage.placed(replace(draft, placed=tuple(at for at in draft.placed if at.shown == shown)))
        return 0 if placed is None else placed.taken

    def is_in_text(self, draft: Draft) -> bool:
        """Return whether any of a draft, of whichever alternative, is in the text."""
        return any(self.taken(draft, index) for index in range(len(draft.alternatives)))

    def rest(self, draft: Draft, index: int | None = None) -> Rest:
        """Return what is left of an open draft, of the alternative in view or of another one; see `rest_of`."""
        return rest_of(draft, self.taken(draft, index), self._ledger.state.prose.text, index)

    def cut(self, draft: Draft) -> str:
        """Return what of the alternative in view is not offered, because its length was up within a sentence."""
        if not draft.alternatives:
            return ""
        return draft.alternatives[draft.shown].text[len(offered(draft, self.taken(draft))) :]

    def uncut(self, draft: int) -> None:
        """Offer all of the alternative in view, also what was cut; of a draft that is in the text, the cut words.

        Raises:
            ManuscriptError: nothing was cut, or its text was undone or taken out.
        """
        held = self.get(draft)
        if not self.cut(held):
            raise ManuscriptError("nothing was cut from this draft")
        whole = (*held.whole, held.alternatives[held.shown].author)
        if held.fate is not Fate.OPEN:
            placed = self._lineage.placed(held)
            if placed is None or len(held.original):
                raise ManuscriptError("this draft is not on the page; bring it back first")
            start, end = self._now(placed.revision, placed.start, placed.end)
            held = replace(held, start=max(start, end), end=max(start, end), fate=Fate.OPEN)
        self._ledger.commit(Drafted(replace(held, whole=whole)))

    def accept(self, draft: int, length: int | None = None) -> None:
        """Put the alternative in view into the text, as one undo step; of a rewrite, all changes that are still open.

        Args:
            draft: its number.
            length: how many more characters of it; it stays open behind them, with the rest. Not for a rewrite.

        Raises:
            ManuscriptError: the draft is not open, or there is nothing in it yet.
        """
        held = self._open(draft)
        if len(held.original):
            self._make(held, self.open_changes(draft), last=True)
            return
        edited = self._part(held, length)
        one = self._in_view(held)
        whole = length is None or (one.passage is not None and edited.taken == len(one.text))
        self._ledger.commit(edited, *([Decided(held.id, Fate.ACCEPTED)] if whole else []))

    def accept_of(self, draft: int, alternative: int, length: int | None = None) -> None:
        """Put more of any alternative into the text, behind what is there of others, and bring it into view.

        Args:
            draft: its number; of a continuation or an infill.
            alternative: its index.
            length: how many more characters, as one undo step; the draft stays open. None takes all and closes it.

        Raises:
            ManuscriptError: the draft is not open, or there is no more in this alternative yet.
        """
        held = replace(self._open(draft), shown=alternative)
        edited = self._part(held, length)
        closing = [Decided(held.id, Fate.ACCEPTED)] if length is None else []
        self._ledger.commit(Shown(held.id, alternative), edited, *closing)

    def along(self, draft: int, start: int, end: int, text: str) -> Along | None:
        """Return how an edit of the writer goes along with an open draft; None if it does not."""
        held = self._open(draft)
        return along(held, self.taken(held), self._ledger.state.prose, start, end, text)

    def changes(self, draft: int) -> tuple[TextChange, ...]:
        """Return the changes of the rewrite in view, in order, each where it is in the text now, made or not.

        They stay the same ones while the writer goes on: a change whose words the writer has changed is not open.
        """
        held = self._open(draft)
        return self._changes.of(held, self._in_view(held))

    def open_changes(self, draft: int) -> tuple[int, ...]:
        """Return which of `changes` can be made, by their index."""
        text = self._ledger.state.prose.text
        return tuple(index for index, change in enumerate(self.changes(draft)) if change.is_open(text))

    def accept_changes(self, draft: int, chosen: Collection[int], *, last: bool = False) -> None:
        """Make some of the open changes, as one undo step; the others stay open.

        Args:
            draft: its number.
            chosen: which of `changes`, by their index.
            last: the draft is decided with them, and the other changes are not made.

        Raises:
            ManuscriptError: the draft is not open, or these changes are not.
        """
        there = self.open_changes(draft)
        if not (chosen or last) or not set(chosen) <= set(there):
            raise ManuscriptError(f"{len(there)} changes of the rewrite can be made; choose among them")
        self._make(self._open(draft), chosen, last=last or set(chosen) == set(there))

    def reject(self, draft: int) -> None:
        """End a draft of which nothing is left to see; its alternatives are kept, and `reopen` brings them back."""
        self._ledger.commit(decided(self._lineage, self._open(draft)))

    def put_away(self, draft: int) -> None:
        """Put a draft away, or what is left of it, as one undo step: undo brings it back, and so does `reopen`."""
        held = self._open(draft)
        step = Edited(self._ledger.next_revision(), (), Kind.PUT_AWAY, self._clock(), draft)
        steps = [step] if any(one.text for one in held.alternatives) else []  # of nothing, nothing is to come back
        self._ledger.commit(*steps, decided(self._lineage, held))

    def reopen(self, draft: int) -> None:
        """Take up a rejected draft again, or an accepted one that was undone, where it was.

        A rewrite of which some changes are in the text, and not all, is taken up with the others.

        Raises:
            ManuscriptError: there is none, it is open, all of it is in the text, or that is another version now.
        """
        held = self.get(draft)
        if held.fate is Fate.OPEN:
            raise ManuscriptError("this draft is on the page already")
        if self.taken(held):
            raise ManuscriptError("this draft is in the text; undo that first, or show its next alternative there")
        if not self._belongs(held):
            raise ManuscriptError(
                "this draft was written for another version of the text; go back to that version first"
            )
        start, end = self._now(held.decided, held.start, held.end)
        self._ledger.commit(Drafted(replace(held, start=start, end=end, fate=Fate.OPEN)))

    def swipe(self, draft: int, by: int = 1) -> None:
        """Go `by` alternatives on: of an open draft in view, of an accepted one in the text, as one undo step.

        Raises:
            ManuscriptError: there is no such draft, its text was undone or taken out, or the writer changed it since.
        """
        held = self.get(draft)
        placed = self._lineage.placed(held)
        if held.fate is Fate.OPEN:
            self.show(draft, held.shown + by)
            return
        if placed is None:
            raise ManuscriptError("this draft is not on the page; bring it back to see its alternatives")
        if not placed.taken:
            raise ManuscriptError("some changes of this rewrite were left out; bring it back to see its alternatives")
        start, end = self._now(placed.revision, placed.start, placed.end)
        prose, then = self._ledger.state.prose, self._ledger.history.prose_at(placed.revision)
        if prose.text[start:end] != then.text[placed.start : placed.end]:
            raise ManuscriptError("you changed this passage after you took it; undo that, or rewrite it as it is")
        shown = (placed.shown + by) % len(held.alternatives)
        self._ledger.commit(*self._taking.exchange(held, start, end, shown))

    def _part(self, held: Draft, length: int | None) -> Edited:
        """Return the step that puts `length` more characters of the alternative in view behind what was taken."""
        return self._taking.part(held, self._in_view(held), self.taken(held), length)

    def _make(self, held: Draft, chosen: Collection[int], *, last: bool) -> None:
        one, there, text = self._in_view(held), self.changes(held.id), self._ledger.state.prose.text
        picked = [there[index] for index in sorted(chosen)]
        whole = all(index in chosen or change.is_taken(text) for index, change in enumerate(there))
        made = [self._taking.changes(held, one.author, picked, len(one.text) if whole else 0)] if picked else []
        closing = [Decided(held.id, Fate.ACCEPTED)] if last else []
        self._ledger.commit(*made, *closing)

    def _open(self, draft: int) -> Draft:
        held = self._ledger.state.drafts.get(draft)
        if held is None:
            raise ManuscriptError("this draft is not on the page; bring it back first")
        return held

    def _in_view(self, held: Draft) -> Alternative:
        if not held.alternatives or not held.alternatives[held.shown].text:
            raise ManuscriptError("there is nothing in this draft yet; wait for its first words, or put it away")
        return replace(held.alternatives[held.shown], text=offered(held, self.taken(held)))

    def _belongs(self, draft: Draft) -> bool:
        with contextlib.suppress(ManuscriptError):
            return self._lineage.has(draft)
        return True  # the history cannot be read: better shown than lost

    def _now(self, revision: int, start: int, end: int) -> tuple[int, int]:
        """Return where a place in the text of a revision is today."""
        empty = start == end
        for edit in self._ledger.history.path(revision, self._ledger.state.revision).edits:
            start, end = edit.moved(start, after=not empty), edit.moved(end)
        return start, max(start, end)


def _kept(text: str, newline: str) -> str:
    """Return a model's text as the manuscript keeps text."""
    return storable(text).replace("\r\n", "\n").replace("\n", newline)
