"""A manuscript, open for writing: the text, its versions and drafts, and how safe they are."""

import contextlib
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

import msgspec

from billy_mlx.errors import ManuscriptError
from billy_mlx.files import PRIVATE, write_atomically
from billy_mlx.manuscript.context.guide import Guide
from billy_mlx.manuscript.drafting import Drafts
from billy_mlx.manuscript.edit import difference
from billy_mlx.manuscript.elsewhere import Elsewhere
from billy_mlx.manuscript.file_on_disk import Safety, Saved
from billy_mlx.manuscript.former import Decide, undecided
from billy_mlx.manuscript.kept import GUIDE, JOURNAL
from billy_mlx.manuscript.keystrokes import Along, Keystrokes
from billy_mlx.manuscript.opening import Opened, opened
from billy_mlx.manuscript.passage import Passage
from billy_mlx.manuscript.prose import UNKNOWN, WRITER, Author, Prose
from billy_mlx.manuscript.records import Change, Edited, Kind, Offer, Saving, Settled
from billy_mlx.manuscript.state_folder import Goal, forget, remember
from billy_mlx.manuscript.sync_thread import SyncThread
from billy_mlx.manuscript.textfile import read_text_file, save_text_file
from billy_mlx.manuscript.versions import Versions, moved
from billy_mlx.manuscript.word_diff import Hunk
from billy_mlx.text import sanitize, storable

_WORTH_KEEPING = 40  # characters: of a text without a name that was emptied again
_LONG_JOURNAL = 1000  # pieces: going through more of a long text would make the next opening slow


class Manuscript:
    """A text that cannot be lost. For one thread; only saving and syncing happen on another, its own.

    What is changed is written down before a method returns, so that it survives the program, and is on the disk half
    a second later. Places in the text are counted in code points.

    Attributes:
        path: the writer's file, without links.
        versions: undo, redo, and every version.
        drafts: what models have written for it.
        goal: how many words the writer wants to write in it.
        elsewhere: what becomes of it when another program has changed its file.
        notices: messages for the writer about the opening, a sentence each.
        newline: the end of line that its file has.
    """

    def __init__(self, found: Opened, clock: Callable[[], float]) -> None:
        self.path = found.home.path
        self.notices = tuple(found.notices)
        self._home, self._lock, self._clock = found.home, found.lock, clock
        self._guide = found.guide
        self.goal = Goal(found.home.folder)
        self._file = Saved(self.path, found.file)
        self.newline = self._file.newline
        self._ledger = found.ledger
        self._ledger.read_only = found.notices[0] if found.lock is None else None
        self._keystrokes = Keystrokes(self._ledger, clock)
        self.versions = Versions(self._ledger)
        self.elsewhere = self._beside()
        self.drafts = Drafts(self._ledger, clock, self.newline)
        if found.lock is not None:
            self._sync_thread = self._ledger.sync_thread = SyncThread(self._sync)
            self._saving = self._sync_thread.run(lambda: None)
            self._remember()

    @classmethod
    def open(cls, path: Path, *, clock: Callable[[], float] = time.time, decide: Decide = undecided) -> "Manuscript":
        """Open the manuscript in a file, or begin one that its first save will make.

        Args:
            path: of the file.
            clock: says when, in seconds since the epoch.
            decide: whether the file is another one that is gone, under another name, where that is not certain: by what
                that was and what it has left. None is to be asked again at the next opening.

        Raises:
            ManuscriptError: the file cannot be read, or is not UTF-8 text.
        """
        return cls(opened(path, clock, decide), clock)

    @property
    def read_only(self) -> str | None:
        """Why it cannot be changed here; None if it can."""
        return self._ledger.read_only

    @property
    def untitled(self) -> bool:
        """It has no name yet: it is kept as any text, and has no file to be saved to."""
        return self._home.untitled

    @property
    def name(self) -> str:
        """What it is called: the name of its file, if it has one."""
        return self.path.stem if self.untitled else self.path.name

    @property
    def prose(self) -> Prose:
        """The text and who wrote it."""
        return self._ledger.state.prose

    @property
    def text(self) -> str:
        """The text."""
        return self.prose.text

    @property
    def offers(self) -> tuple[Offer, ...]:
        """Texts that were never saved, found when the manuscript was opened: to `recover` or to `decline`."""
        return self._ledger.state.offers

    @property
    def safety(self) -> Safety:
        """How safe the text is at this moment."""
        journal = self._ledger.journal
        unsaved = self._file.text != self.text
        problems = [self._file.problem, journal and journal.failure, self._ledger.history.failure, self._ledger.trouble]
        at_risk = unsaved and self.read_only is None and (journal is None or journal.failure is not None)
        said = tuple(problem for problem in problems if problem)
        return Safety(unsaved, at_risk, said, self._file.conflict, named=not self.untitled)

    @property
    def guide(self) -> Guide:
        """Memory, author's note and lorebook: what goes along with every request to a model."""
        return self._guide

    @guide.setter
    def guide(self, guide: Guide) -> None:
        """Keep it. Raises ManuscriptError if it can only be read, BillyError if it cannot be written."""
        self._writable()
        content = msgspec.json.format(msgspec.json.encode(guide.as_json()))
        write_atomically(self._home.folder / GUIDE, content, mode=PRIVATE)
        self._guide = guide

    @property
    def folder(self) -> Path:
        """Where what belongs to it is kept, besides its file."""
        return self._home.folder

    @property
    def passages(self) -> Mapping[Author, Passage]:
        """How the spans by models in the text were made, as far as that is known."""
        authors = {author for _, author in self.prose.authors.runs}
        found = {author: self.passage(author) for author in sorted(authors)}
        return {author: passage for author, passage in found.items() if passage is not None}

    def passage(self, author: Author) -> Passage | None:
        """Return how a span of this author was made; None for the writer's own and where it is not known."""
        return self._ledger.history.passage(author) if author > 0 else None

    def edit(self, start: int, end: int, text: str) -> None:
        """Have characters `start` to `end` be `text`, by the writer: a keystroke, a deletion, a paste.

        Raises:
            ManuscriptError: it can only be read, or the place is not in the text.
        """
        change = self._change(start, end, Prose.by(WRITER, storable(text)))
        if change.end > change.start or len(change.prose):
            self._keystrokes.take(change)

    def type_along(self, along: Along, start: int, end: int, text: str) -> None:
        """Make an edit of the writer that goes along with a draft, as `drafts.along` has it: that has less to offer.

        Raises:
            ManuscriptError: it can only be read, or the place is not in the text.
        """
        change = self._change(start, end, Prose.by(WRITER, storable(text) + along.behind))
        self._keystrokes.take(change, along)
        if along.whole:
            self.drafts.reject(along.draft)

    def replace(self, hunks: Sequence[Hunk], kind: Kind = Kind.REPLACED) -> None:
        """Make several changes as one undo step, as replacing a word everywhere (`find.replacements`) does.

        Args:
            hunks: in order and not overlapping, all counted in the text as it is now.
            kind: what is done, for the tree of versions; what is imported is by nobody known.

        Raises:
            ManuscriptError: it can only be read, or the places are not in the text.
        """
        author = UNKNOWN if kind is Kind.IMPORTED else WRITER
        changes = [self._change(one.start, one.end, Prose.by(author, self._stored(one))) for one in hunks]
        if any(one.end > other.start for one, other in itertools.pairwise(changes)):
            raise ManuscriptError("two of these changes overlap; make one after the other")
        if changes:  # from the end, so that none moves another
            self._ledger.commit(Edited(self._ledger.next_revision(), tuple(reversed(changes)), kind, self._clock()))

    def save(self, *, wait: bool = True) -> Safety:
        """Save the text to its file; without a name, have the disk hold all that is written down.

        Args:
            wait: until it is saved or has failed; otherwise `safety` says so later.
        """
        self._writable()
        text, journal = self.text, self._ledger.journal
        if journal is None or journal.failure is not None or self._ledger.pieces > _LONG_JOURNAL:
            self._begin_journal()
        if self._saving.done():  # or what is being saved would be in the file a moment later
            self._ledger.state.keep_saved(self._file.digest)
        if self.untitled:
            self._saving = self._sync_thread.run(self._settle)
        else:
            digest = self._file.digest_of(text)
            self._ledger.commit(Saving(digest))
            self._saving = self._sync_thread.run(lambda: self._save(text, digest))
        if wait:
            self._saving.result()
        return self.safety

    def give_name(self, path: Path) -> Safety:
        """Give a text without a name this file, and save it.

        Raises:
            Conflict: the file is there.
            ManuscriptError: it can only be read, or the file cannot be written; it has no name then, as before.
        """
        self._writable()
        self._finish_saving()
        home = self._home.named(path)
        save_text_file(home.path, self.text, bom=False, expected=None)
        self._home, self.path, self._file = home, home.path, Saved(home.path, read_text_file(home.path))
        self.elsewhere = self._beside()
        self._ledger.commit(Saving(self._file.digest_of(self.text)))
        self._remember()
        return self.safety

    def save_copy(self, path: Path) -> None:
        """Save the text to another file, which must not be there yet; the manuscript stays where it is.

        Raises:
            Conflict: the file is there.
            ManuscriptError: it cannot be written.
        """
        self._file.copy(path, self.text)

    @property
    def saved_text(self) -> str:
        """What the file held when it was last read or saved; empty if there was none."""
        return self._file.text

    def look_elsewhere(self, *, thorough: bool = True) -> Future[bool]:
        """Have the sync thread check for changes by another program; `thorough` reads the file."""
        return self._sync_thread.run(lambda: self._file.changed(thorough=thorough))

    def changed_elsewhere(self) -> bool:
        """Return the same, and wait for it."""
        return self._lock is not None and self.look_elsewhere().result()

    def recover(self, offer: Offer) -> None:
        """Replace the text by what was never saved; undo does not lead back, but the other text is in the tree.

        Raises:
            ManuscriptError: it can only be read.
        """
        self._ledger.commit(moved(offer.revision, (difference(self.prose, offer.prose),)), Settled(offer.revision))

    def decline(self, offer: Offer) -> None:
        """Leave the text as it is; what was offered stays in the tree.

        Raises:
            ManuscriptError: it can only be read.
        """
        self._ledger.commit(Settled(offer.revision))

    def close(self) -> str | None:
        """Let go of the manuscript. What was not saved is offered at the next opening.

        Returns:
            If some of it was not saved, a sentence that says why, and what becomes of it.
        """
        if self._lock is None:
            return None
        self._sync_thread.close()
        blank = self.untitled and not self.text.strip() and not self.drafts.open
        blank = blank and not self.versions.have_had(_WORTH_KEEPING)
        if self._ledger.pieces:
            self._begin_journal()
        self._ledger.history.close()
        if self._ledger.journal is not None:
            self._ledger.journal.close()
        left = self.safety.farewell(self._file.why or f"NOT SAVED: {sanitize(str(self.path))}")
        self._lock.release()
        self._lock = None
        if blank:
            forget(self.path)
        self._ledger.read_only = "this text was closed; open it again"
        return left

    def _change(self, start: int, end: int, prose: Prose) -> Change:
        self._writable()
        if not 0 <= start <= end <= len(self.text):
            raise ManuscriptError(f"characters {start} to {end} are not in a text of {len(self.text)}")
        return Change(start, end, prose)

    def _stored(self, hunk: Hunk) -> str:
        return storable(hunk.text, known=self.text[hunk.start : hunk.end])

    def _beside(self) -> Elsewhere:
        return Elsewhere(self._ledger, self._file, self._clock, settled=self._finish_saving, save=self.save)

    def _writable(self) -> None:
        if self.read_only is not None:
            raise ManuscriptError(self.read_only)

    def _save(self, text: str, digest: str) -> None:
        """Save on the sync thread: file, then journal, then history, so that none is ahead of what it rests on."""
        if self._file.save(text, digest):
            self._remember()
        self._settle()

    def _settle(self) -> None:
        self._sync()
        self._ledger.history.flush()

    def _remember(self) -> None:
        remember(self._home, self._file.digest if self._file.text else None)

    def _finish_saving(self) -> None:
        """Wait for a save under way: until then, the file may be either."""
        self._writable()
        self._sync_thread.run(lambda: None).result()

    def _begin_journal(self) -> None:
        """Try to begin the journal anew: it has become long, or could not be written."""
        self._ledger.history.flush()
        # Or the steps that only the old one has would be lost with it.
        if self._ledger.journal is None or self._ledger.history.failure is None:
            with contextlib.suppress(ManuscriptError):  # safety says so
                self._ledger.begin_journal(self._home.folder / JOURNAL, self._file.digest)

    def _sync(self) -> None:
        if self._ledger.journal is not None:
            self._ledger.journal.sync()
