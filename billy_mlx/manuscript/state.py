"""The manuscript in memory: what it becomes by each record, live as after a crash."""

from collections.abc import Iterable
from dataclasses import replace

from billy_mlx.manuscript.draft import Alternative, Draft, Fate, Placed
from billy_mlx.manuscript.edit import Edit
from billy_mlx.manuscript.prose import Author, Prose
from billy_mlx.manuscript.records import (
    Begun,
    Branched,
    Change,
    Checkpointed,
    Decided,
    Drafted,
    Edited,
    Finished,
    Kind,
    Moved,
    Offered,
    Record,
    Renamed,
    Saving,
    Settled,
    Shown,
    Swiped,
    Wrote,
)


class State:
    """Text, open drafts and where in the tree of versions they stand.

    Attributes:
        prose: the text and who wrote it.
        revision: the one it stands at.
        branch: the name of the current branch.
        drafts: the open ones, by id.
        offers: texts found after a crash that the writer has not decided on.
        saves: the texts that are or were in the file and their revisions, by the file's digest; None is no file.
        worked: when the text was last changed, in seconds since the epoch; 0 if that is not known.
        ways_back: where undo leads from the revisions that it does not take to their parent.
        ways_on: where redo leads from where undo went such a way back, until something is written.
        passages: the highest number given to a passage.
        draft_count: the highest number given to a draft.
    """

    def __init__(self, begun: Begun) -> None:
        self.prose = begun.prose
        self.revision = begun.revision
        self.branch = begun.branch
        self.drafts = {draft.id: draft for draft in begun.drafts}
        self.offers = begun.offers
        self.passages = begun.passages
        self.draft_count = begun.draft_count
        self.worked = begun.worked
        self.ways_back = dict(begun.ways_back)
        self.ways_on: dict[int, int] = {}
        self.saves: dict[str | None, tuple[int, Prose]] = {begun.digest: begun.saved or (begun.revision, begun.prose)}

    def apply(self, record: Record) -> tuple[Edit, ...]:
        """Take in a record and return the edits it makes to the text.

        Raises:
            ValueError: it does not fit; nothing has changed.
        """
        match record:
            case Edited() | Moved():
                return self._go(record)
            case Drafted() | Wrote() | Finished() | Shown() | Decided():
                self._draft(record)
            case Begun():
                raise ValueError("a journal begins once")
            case Saving() | Branched() | Renamed() | Offered() | Settled():
                self._note(record)
            case Checkpointed() | Swiped():
                pass  # names and closed drafts are the history's
        return ()

    def keep_saved(self, digest: str | None) -> None:
        """Forget all texts that were in the file but that of this digest, which is in it: each is a whole text."""
        if digest in self.saves:
            self.saves = {digest: self.saves[digest]}

    def draft_of(self, author: Author) -> Draft | None:
        """Return the open draft that has the alternative of this number."""
        return next((draft for draft in self.drafts.values() if draft.of(author) is not None), None)

    def _go(self, record: Edited | Moved) -> tuple[Edit, ...]:
        own = record.draft if isinstance(record, Edited) else None
        puts_away = isinstance(record, Edited) and record.kind is Kind.PUT_AWAY
        if isinstance(record, Edited) and not record.changes and not puts_away:
            raise ValueError("a revision changes something")
        edits = self._change(record.changes, own)
        if isinstance(record, Moved):
            self._find_back(record)
        self.revision = record.revision
        if isinstance(record, Edited):
            self.worked = record.made
            self.ways_on.clear()
            if own in self.drafts and not puts_away:
                self.drafts[own] = _put(self.drafts[own], record, self.prose.text)
        return edits

    def _find_back(self, record: Moved) -> None:
        if record.is_back:
            self.ways_back.pop(self.revision, None)
            self.ways_on[record.revision] = self.revision
        if record.back_to is not None:
            self.ways_back[record.revision] = record.back_to
            self.ways_on.pop(record.back_to, None)

    def _note(self, record: Saving | Branched | Renamed | Offered | Settled) -> None:
        match record:
            case Saving():
                self.saves.pop(record.digest, None)  # the last one is the newest
                self.saves[record.digest] = (self.revision, self.prose)
            case Branched():
                self.branch = record.name
            case Renamed():
                self.branch = record.new if self.branch == record.name else self.branch
            case Offered():
                self.offers = (*self.offers, record.offer)
            case Settled():
                self.offers = tuple(offer for offer in self.offers if offer.revision != record.revision)

    def _draft(self, record: Drafted | Wrote | Finished | Shown | Decided) -> None:
        match record:
            case Drafted():
                self._begin(record.draft)
            case Wrote() | Finished():
                self._write(record)
            case Shown() | Decided():
                self._decide(record)

    def _change(self, changes: Iterable[Change], own: int | None) -> tuple[Edit, ...]:
        prose, edits = self.prose, []
        for change in changes:
            edits.append(Edit.of(prose, change.start, change.end, change.prose))
            prose = edits[-1].apply(prose)
        self.prose = prose
        self.drafts = {id: _moved(draft, edits, own=own == id) for id, draft in self.drafts.items()}
        return tuple(edits)

    def _begin(self, draft: Draft) -> None:
        if not 0 <= draft.start <= draft.end <= len(self.prose):
            raise ValueError(f"a draft for characters {draft.start} to {draft.end} of {len(self.prose)}")
        self.drafts[draft.id] = draft
        self.draft_count = max(self.draft_count, draft.id)
        self.passages = max(self.passages, *(one.author for one in draft.alternatives), 0)

    def _write(self, record: Wrote | Finished) -> None:
        draft = self.draft_of(record.author)
        if isinstance(record, Wrote) and record.draft is not None:
            draft = self._held(record.draft)
            draft = replace(draft, alternatives=(*draft.alternatives, Alternative(record.author)))
            self.passages = max(self.passages, record.author)
        if draft is None:
            return  # decided on while the model still wrote
        self.drafts[draft.id] = replace(draft, alternatives=tuple(_written(one, record) for one in draft.alternatives))

    def _decide(self, record: Shown | Decided) -> None:
        draft = self._held(record.draft)
        if isinstance(record, Decided):
            if record.fate is Fate.OPEN:
                raise ValueError("a draft is opened with what there is of it")
            self.drafts = {id: other for id, other in self.drafts.items() if id != draft.id}
        elif 0 <= record.alternative < len(draft.alternatives):
            self.drafts[draft.id] = replace(draft, shown=record.alternative)
        else:
            raise ValueError(f"draft {draft.id} has no alternative {record.alternative}")

    def _held(self, id: int) -> Draft:
        if id not in self.drafts:
            raise ValueError(f"there is no open draft {id}")
        return self.drafts[id]


def _written(one: Alternative, record: Wrote | Finished) -> Alternative:
    if one.author != record.author:
        return one
    if isinstance(record, Finished):
        return replace(one, passage=record.passage)
    return replace(one, text=one.text + record.text)


def _put(draft: Draft, record: Edited, text: str) -> Draft:
    """Return a draft of which something is in the text now; what is left of a continuation stands behind that."""
    if len(draft.original):
        start = draft.start
    else:  # all that was taken so far, if it still stands there in one piece
        draft = replace(draft, end=draft.end - record.behind)
        start = draft.end - record.taken
        whole = draft.alternatives[draft.shown].text[: record.taken]
        start = start if start >= 0 and text[start : draft.end] == whole else draft.start
        draft = replace(draft, start=draft.end)
    placed = Placed(record.revision, start, draft.end, draft.shown, record.taken)
    before = tuple(at for at in draft.placed if at.revision != record.revision)  # or a word typed along is many
    return replace(draft, placed=(*before, placed))


def _moved(draft: Draft, edits: Iterable[Edit], *, own: bool) -> Draft:
    """Return a draft where it is after `edits`: what is typed at its borders stays outside, its own changes inside."""
    start, end = draft.start, draft.end
    for edit in edits:
        start = edit.moved(start, after=not own)
        end = max(start, edit.moved(end, after=own))
    return replace(draft, start=start, end=end)
