"""Opening a manuscript: the writer's file, and what the journal and the history know that the file does not."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from billy_mlx.errors import ManuscriptError
from billy_mlx.files import PRIVATE, read_all, reading, remove_unfinished, replace_file
from billy_mlx.lock import Holder, Lock, acquire
from billy_mlx.manuscript.cards import CARD
from billy_mlx.manuscript.context.guide import Guide
from billy_mlx.manuscript.draft import Fate
from billy_mlx.manuscript.edit import difference
from billy_mlx.manuscript.former import Decide, Former, undecided
from billy_mlx.manuscript.history.history import History
from billy_mlx.manuscript.journal import MAX_FILE as MAX_JOURNAL
from billy_mlx.manuscript.journal import Journal, Journalled, read_journal
from billy_mlx.manuscript.kept import GUIDE, JOURNAL, left_in, read_guide, replayed
from billy_mlx.manuscript.ledger import Ledger
from billy_mlx.manuscript.prose import UNKNOWN, Prose
from billy_mlx.manuscript.reattribution import reanchor
from billy_mlx.manuscript.records import Begun, Change, Edited, Kind, Offer, Offered, Record, encode
from billy_mlx.manuscript.state_folder import Home, find_home
from billy_mlx.manuscript.textfile import TextFile, read_text_file
from billy_mlx.manuscript.versions import moved
from billy_mlx.stray import strays_in
from billy_mlx.text import sanitize
from billy_mlx.words import count_words

_LONGEST_SAVE_SECONDS = 60
_FEW_WORDS = 20  # in a text; other texts with so few are the same by chance


@dataclass
class Opened:
    """A manuscript that was opened.

    Attributes:
        file: as it was found; None if there is none yet.
        lock: None for a reader.
        guide: what goes along with every request to a model.
        notices: messages for the writer, a sentence each.
    """

    home: Home
    file: TextFile | None
    ledger: Ledger
    lock: Lock | None
    guide: Guide
    notices: list[str] = field(default_factory=list)


def opened(path: Path, clock: Callable[[], float], decide: Decide = undecided) -> Opened:
    """Open the manuscript at `path`, or begin one.

    The text is the file's. What was never saved is offered; what another program changed is a new version, in which
    the passages that are still there are still known.

    Raises:
        ManuscriptError: the file cannot be read, or is not text.
    """
    file = read_text_file(path)
    text = "" if file is None else file.text

    def decided(former: Former) -> bool | None:
        if not former.noted and count_words(text) < _FEW_WORDS:
            return False
        left = left_in(former.folder)
        return decide(former, left) if left else not former.noted

    home = find_home(path, file.digest if file is not None and file.text else None, decided)
    lock = Lock(None) if home.failure else acquire(home.folder, mode=PRIVATE)
    if isinstance(lock, Holder):
        found = _for_reading(home, file, lock, clock)
    else:
        try:
            found = _for_writing(home, file, lock, clock)
        except BaseException:
            lock.release()
            raise
    strays = None if file is None else strays_in(file.text)
    found.notices += [f"{strays}, shown as \N{REPLACEMENT CHARACTER} and kept"] if strays else []
    return found


def _for_writing(home: Home, file: TextFile | None, lock: Lock, clock: Callable[[], float]) -> Opened:
    notices = [home.failure] if home.failure else []
    if lock.doubtful:
        notices.append(f"do not open this text twice: it cannot be locked in {home.folder}")
    else:
        _clear_up(home, clock)
    notices += _of_former(home)
    history = History.open(home.folder / "history.db")
    notices += [history.notice] if history.notice else []
    journal = home.folder / JOURNAL
    journalled = read_journal(journal)
    ledger, wrong = replayed(journalled, history, clock)
    if wrong:
        notices.append(_copied(journal, wrong))
        journalled = Journalled()  # nothing may follow what is damaged
    if ledger is None:
        ledger = Ledger(_from_history(history) or _from_file(history, file), history, clock)
    records = [] if home.untitled else _met(ledger, file, clock())  # without a file, the journal has the text
    ledger.commit(*records)
    digest = None if file is None else file.digest
    if not home.untitled:
        ledger.state.saves[digest] = (ledger.state.revision, ledger.state.prose)
        ledger.state.keep_saved(digest)
    problem = _begin_journal(ledger, journal, journalled, records, digest)
    if problem is not None and home.failure is None:  # else that has said so
        notices.append(problem)
    guide, wrong = read_guide(home.folder)
    if wrong:
        notices.append(_set_aside(home.folder / GUIDE, wrong))
    return Opened(home, file, ledger, lock, guide, notices)


def _of_former(home: Home) -> list[str]:
    """Return the messages about what a text was, or may have been, under another name."""
    if home.moved_from is not None:
        since = "" if home.aside is None else f"; what was kept of it since is in {home.aside}"
        return [f"this text was {home.moved_from.name} before; its versions and passages are kept{since}"]
    if home.doubt is None:
        return []
    left = str(left_in(home.doubt.folder)) or "its versions"
    return [
        f"this is opened as a new text; {sanitize(str(home.doubt.path))}, which is gone, had the same words and has "
        f"{left}; to take that over, open this text in the studio and say that it was moved"
    ]


def _clear_up(home: Home, clock: Callable[[], float]) -> None:
    """Remove what saves that were killed have left. The lock is ours, so that nobody else here saves this text."""
    # A name that is cut may be another text's, and on a network drive another machine may save: neither takes so long.
    remove_unfinished(home.path, before=clock() - _LONGEST_SAVE_SECONDS)
    for name in (JOURNAL, GUIDE, CARD):
        remove_unfinished(home.folder / name)


def _for_reading(home: Home, file: TextFile | None, holder: Holder, clock: Callable[[], float]) -> Opened:
    text = "" if file is None else file.text
    try:
        known, _ = replayed(read_journal(home.folder / JOURNAL), History.in_memory(home.folder), clock)
    except ManuscriptError:
        known = None
    there = Prose.by(UNKNOWN, text) if known is None else known.state.prose
    prose = there if known is None or home.untitled else reanchor(there, text)
    ledger = Ledger(Begun(prose, None, 1), History.in_memory(home.folder), clock)
    who = f"process {holder.pid}" if holder.pid else "another program"
    where = f" on {holder.host}" if holder.host else ""
    notice = f"this text can only be read here: it is open in {who}{where}; close it there, then open it again"
    return Opened(home, file, ledger, None, read_guide(home.folder)[0], [notice])


def _from_history(history: History) -> Begun | None:
    """Return the beginning of a journal by the history, if there was none: its text is the last that it knows."""
    if history.head is None:
        return None
    prose = history.prose_at(history.head)
    drafts = [draft for draft in history.drafts(Fate.OPEN) if draft.end <= len(prose)]
    return Begun(
        prose,
        None,
        history.head,
        branch=history.branch,
        passages=history.last_passage,
        drafts=tuple(drafts),
        draft_count=history.last_draft,
    )


def _from_file(history: History, file: TextFile | None) -> Begun:
    """Return the beginning of a manuscript whose file is all there is."""
    revision = history.last_revision + 1
    if file is None:
        return Begun(Prose(), None, revision)
    return Begun(Prose.by(UNKNOWN, file.text), file.digest, revision)


def _met(ledger: Ledger, file: TextFile | None, now: float) -> list[Record]:
    """Return what has to happen for the text to be the file's, and for nothing else to be lost."""
    state, text, digest = ledger.state, "" if file is None else file.text, None if file is None else file.digest
    if state.prose.text == text:
        return []
    revision, saved = state.saves.get(digest) or list(state.saves.values())[-1]
    records: list[Record] = []
    if state.prose.text != saved.text:
        records.append(Offered(Offer(state.revision, state.prose, state.worked)))
    if state.revision != revision:
        records.append(moved(revision, (difference(state.prose, saved),)))
    if saved.text != text:
        change = Change.of(difference(saved, reanchor(saved, text)))
        records.append(Edited(ledger.next_revision(), (change,), Kind.ELSEWHERE, now))
    return records


def _begin_journal(
    ledger: Ledger, path: Path, old: Journalled, records: list[Record], digest: str | None
) -> str | None:
    """Begin the journal anew; where that cannot be, or the history is not safe yet, go on with the old one.

    Returns:
        What is wrong, if nothing can be written down.
    """
    ledger.history.flush()
    try:
        if ledger.history.failure is None or not old.records:
            ledger.begin_journal(path, digest)
            return None
    except ManuscriptError as error:
        if not old.records:
            return str(error)
    try:
        ledger.journal = Journal.open(path, old.valid_bytes)
    except ManuscriptError as error:
        return str(error)
    if records:
        ledger.journal.append(encode(*records))
    return None


def _copied(journal: Path, wrong: str) -> str:
    """Keep a copy of a damaged journal, and return the sentence that says so.

    The journal itself stays until a new one takes its place: until then it is all there is of what was not saved.
    """
    aside = _free_name(journal)
    try:
        with reading(journal) as handle:
            replace_file(aside, read_all(handle, MAX_JOURNAL), mode=PRIVATE)
    except OSError as error:
        raise ManuscriptError(f"{journal} is damaged ({wrong}) and cannot be copied: {error.strerror}") from error
    return _kept(journal, wrong, aside)


def _set_aside(path: Path, wrong: str) -> str:
    """Keep a damaged file under another name, and return the sentence that says so."""
    aside = _free_name(path)
    try:
        os.replace(path, aside)  # noqa: PTH105
    except OSError as error:
        raise ManuscriptError(f"{path} is damaged ({wrong}) and cannot be renamed: {error.strerror}") from error
    return _kept(path, wrong, aside)


def _free_name(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.stem}.damaged-{number}{path.suffix}")).exists():
        number += 1
    return aside


def _kept(path: Path, wrong: str, aside: Path) -> str:
    return f"{path.name} was damaged ({wrong}) and is kept as {aside}; what could be read of it is here"
