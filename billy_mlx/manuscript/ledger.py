"""The ledger: the one way a manuscript changes. A record goes into the text and the history, and into the journal."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.draft import Draft
from billy_mlx.manuscript.edit import Edit, joined
from billy_mlx.manuscript.history.history import History
from billy_mlx.manuscript.journal import Journal
from billy_mlx.manuscript.prose import Author, Prose
from billy_mlx.manuscript.records import (
    Begun,
    Branched,
    Checkpointed,
    Decided,
    Drafted,
    Edited,
    Finished,
    Kind,
    Moved,
    Record,
    Renamed,
    Revision,
    Swiped,
    Wrote,
    decode,
    encode,
)
from billy_mlx.manuscript.state import State
from billy_mlx.manuscript.sync_thread import SyncThread


class Ledger:
    """Text, journal and history of one manuscript, kept in step.

    Attributes:
        state: text, drafts and names as they are now.
        history: the tree of versions.
        journal: where records are written down; None if nowhere.
        keeper: the thread that waits for the disk.
        turns: how often something happened that gives the current revision a meaning, such as a name or a save:
            what is typed from then on must be another one.
        pieces: how much was written down since the journal began: what an opening has to go through.
        read_only: why nothing may happen any more; None if it may.
        trouble: why the history could not follow; None if it could.
        followers: are called with each record that changes the text, and the edits it made, one after another.
    """

    def __init__(self, begun: Begun, history: History, clock: Callable[[], float]) -> None:
        self.state = State(begun)
        self.history = history
        self.journal: Journal | None = None
        self.sync_thread: SyncThread | None = None
        self.trouble: str | None = None
        self.read_only: str | None = None
        self.pieces = 0
        self.turns = 0
        self.followers: list[Callable[[Record, tuple[Edit, ...]], None]] = []
        self._clock = clock
        self._newest: Revision | None = None
        self._last_revision = max(history.last_revision, begun.revision, *(offer.revision for offer in begun.offers))
        self._known(begun.revision, begun.prose)
        history.head = begun.revision
        history.set_branch(begun.branch, begun.revision)

    def commit(self, *records: Record) -> None:
        """Let records happen, all or none of them as far as a crash is concerned.

        Raises:
            ManuscriptError: the manuscript can only be read.
        """
        if self.read_only is not None:
            raise ManuscriptError(self.read_only)
        done: list[Record] = []
        try:
            for record in records:
                self._apply(record)
                done.append(record)
        finally:  # only what could be applied: a journal is gone through up to the first record that cannot
            self._write_down(done)

    def replay(self, pieces: Iterable[bytes]) -> str | None:
        """Let happen what a journal has after its first record; returns what is wrong with it, if anything is."""
        try:
            for piece in pieces:
                for record in decode(piece):
                    self._apply(record)
        except (ValueError, LookupError) as error:  # a record that fits no text, no version or no draft
            return str(error)
        return None

    def reconcile(self) -> None:
        """Bring the history to the text as it is now, even if the two have parted, as after a power cut."""
        history, state = self.history, self.state
        try:
            same = history.has(state.revision) and history.prose_at(state.revision) == state.prose
        except ManuscriptError:
            same = False
        if not same:
            state.revision = self._last_revision = self._last_revision + 1
            self._known(state.revision, state.prose, Kind.RECOVERED)
            history.head = state.revision
            history.set_branch(state.branch, state.revision)

    def begin_journal(self, path: Path, digest: str | None) -> None:
        """Begin the journal anew at what there is; `digest` is of the writer's file.

        Raises:
            ManuscriptError: it cannot be written; an old one goes on as it was.
        """
        first = encode(self._begun(digest))
        if self.journal is None:
            self.journal = Journal.create(path, first)
        else:
            self.journal.restart(first)
        self.pieces = 0

    def next_revision(self) -> int:
        """Return a number for a new revision."""
        return self._last_revision + 1

    def next_author(self) -> Author:
        """Return a number for a new passage."""
        return Author(max(self.history.last_passage, self.state.passages) + 1)

    def next_draft(self) -> int:
        """Return a number for a new draft."""
        return max(self.history.last_draft, self.state.draft_count) + 1

    def _begun(self, digest: str | None) -> Begun:
        state = self.state
        revision, prose = state.saves[digest]
        return Begun(
            prose=state.prose,
            digest=digest,
            revision=state.revision,
            saved=None if prose == state.prose else (revision, prose),
            branch=state.branch,
            passages=state.passages,
            drafts=tuple(state.drafts.values()),
            draft_count=state.draft_count,
            offers=state.offers,
            worked=state.worked,
            ways_back=tuple(state.ways_back.items()),
        )

    def _write_down(self, records: Sequence[Record]) -> None:
        if self.journal is not None and records:
            self.journal.append(encode(*records))
            self.pieces += 1
        self.turns += sum(not isinstance(record, Edited | Wrote | Finished) for record in records)
        if self.sync_thread is not None:
            self.sync_thread.touch()

    def _apply(self, record: Record) -> None:
        before, drafts = (self.state.revision, self.state.prose), self.state.drafts
        edits = self.state.apply(record)
        for follow in self.followers if edits else ():
            follow(record, edits)
        try:
            self._tell(record, before, drafts, edits)
        except ManuscriptError as error:  # the history cannot be read: no reason not to write
            self.trouble = str(error)

    def _tell(
        self, record: Record, before: tuple[int, Prose], drafts: Mapping[int, Draft], edits: tuple[Edit, ...]
    ) -> None:
        """Pass a record on to the history, where it belongs there."""
        state, history = self.state, self.history
        match record:
            case Edited():
                self._known(*before)
                self._revise(record, before[0], edits)
            case Moved():
                self._known(state.revision, state.prose)
                history.head = state.revision
            case Checkpointed() | Renamed() if history.has(record.revision):  # else it was lost, and its name with it
                self._name(record)
            case Drafted(draft):
                history.put_draft(draft)
            case Finished():
                history.put_passage(record.author, record.passage)
                if (open_draft := state.draft_of(record.author)) is not None:
                    history.put_draft(open_draft)
            case Decided():
                history.put_draft(replace(drafts[record.draft], fate=record.fate, decided=state.revision))
            case Swiped() if (held := history.find_draft(record.draft)) is not None:
                history.put_draft(replace(held, shown=record.placed.shown, placed=(*held.placed, record.placed)))
        if isinstance(record, Edited | Moved | Branched | Renamed):
            history.set_branch(state.branch, state.revision)

    def _name(self, record: Checkpointed | Renamed) -> None:
        if isinstance(record, Checkpointed):
            self.history.checkpoints[record.name] = record.revision
        else:
            self.history.branches[record.new] = record.revision
            self.history.branches.pop(record.name, None)  # after a crash this may have happened already

    def _known(self, revision: int, prose: Prose, kind: Kind = Kind.OPENED) -> None:
        """Make sure that the history has a revision, as the beginning of a line if it was lost."""
        if not self.history.has(revision):
            self.history.add(Revision(revision, None, (), kind, self._clock()))
            self.history.keyframe(revision, prose)

    def _revise(self, record: Edited, parent: int, edits: tuple[Edit, ...]) -> None:
        if record.grows and self._newest is not None and self._newest.id == record.revision:
            self._newest = replace(self._newest, edits=(joined(self._newest.edits[0], edits[0]),), made=record.made)
            self.history.replace(self._newest)
        else:
            draft = None if record.kind is Kind.TYPED else record.draft  # a word typed along is the writer's
            self._newest = Revision(record.revision, parent, edits, record.kind, record.made, draft)
            self.history.add(self._newest)
        self._last_revision = max(self._last_revision, record.revision)
        self.history.head = record.revision
        if self.history.keyframe_due(record.revision):
            self.history.keyframe(record.revision, self.state.prose)
