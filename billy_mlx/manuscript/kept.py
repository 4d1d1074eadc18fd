"""What is kept beside the writer's file: the journal, gone through again, and what models are to know."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from billy_mlx.errors import DocumentError, ManuscriptError
from billy_mlx.files import read_all, reading
from billy_mlx.manuscript.context.guide import Guide
from billy_mlx.manuscript.history.history import History
from billy_mlx.manuscript.journal import Journalled, read_journal
from billy_mlx.manuscript.ledger import Ledger
from billy_mlx.manuscript.prose import Prose
from billy_mlx.manuscript.records import Begun, decode
from billy_mlx.manuscript.word_diff import hunks
from billy_mlx.words import count_words

GUIDE = "guide.json"
JOURNAL = "journal"
_LONGEST_GUIDE = 64 << 20


@dataclass(frozen=True)
class Left:
    """What a manuscript has that is not in its file, besides versions.

    Attributes:
        unsaved: some of its text.
        words: how many words of that were written; 0 if words were only taken out, or nobody knows.
        drafts: those that are open and have words.
        notes: what models are to know.
    """

    unsaved: bool = False
    words: int = 0
    drafts: int = 0
    notes: bool = False

    def __bool__(self) -> bool:
        """There is any of it."""
        return self.unsaved or self.drafts > 0 or self.notes

    def __str__(self) -> str:
        """Return it as part of a sentence."""
        said = [_counted(self.words, "unsaved word") if self.words else "unsaved changes"] if self.unsaved else []
        said += [_counted(self.drafts, "open draft")] if self.drafts else []
        said += ["notes for the model"] if self.notes else []
        return " and ".join((", ".join(said[:-1]), said[-1])) if len(said) > 1 else "".join(said)


def left_in(folder: Path) -> Left:
    """Return what the folder of a manuscript has that is not in its file; what cannot be read counts as something."""
    try:
        guide, wrong = read_guide(folder)
        notes = wrong is not None or guide != Guide()
    except ManuscriptError:
        notes = True
    try:
        known, wrong = replayed(read_journal(folder / JOURNAL), History.in_memory(folder), lambda: 0.0)
    except ManuscriptError:
        return Left(True, notes=notes)
    if known is None:
        return Left(wrong is not None, notes=notes)
    state = known.state
    _, saved = list(state.saves.values())[-1]
    unsaved = [prose for prose in (state.prose, *(offer.prose for offer in state.offers)) if prose.text != saved.text]
    words = max((_words_new(saved, prose) for prose in unsaved), default=0)
    drafts = sum(any(one.text for one in draft.alternatives) for draft in state.drafts.values())
    return Left(bool(unsaved) or wrong is not None, words, drafts, notes)


def replayed(journalled: Journalled, history: History, clock: Callable[[], float]) -> tuple[Ledger | None, str | None]:
    """Return what a journal tells, if anything, and what is wrong with it."""
    if not journalled.records:
        return None, journalled.damage
    try:
        (begun,) = decode(journalled.records[0])
        if not isinstance(begun, Begun):
            raise ValueError("it does not begin at its beginning")
        ledger = Ledger(begun, history, clock)
    except (ValueError, LookupError) as error:
        return None, str(error)
    wrong = ledger.replay(journalled.records[1:])
    ledger.reconcile()
    return ledger, wrong or journalled.damage


def read_guide(folder: Path) -> tuple[Guide, str | None]:
    """Return what the writer wants models to know, and what is wrong with the file that says so, if anything is.

    Raises:
        ManuscriptError: it cannot be read.
    """
    path = folder / GUIDE
    try:
        with reading(path) as handle:
            return Guide.of_json(msgspec.json.decode(read_all(handle, _LONGEST_GUIDE))), None
    except (FileNotFoundError, NotADirectoryError):
        return Guide(), None
    except OSError as error:
        raise ManuscriptError(f"{path} cannot be read: {error.strerror or error}; put that right") from error
    except (DocumentError, ValueError, RecursionError) as error:
        return Guide(), str(error)


def _words_new(saved: Prose, prose: Prose) -> int:
    return sum(count_words(hunk.text) for hunk in hunks(saved.text, prose.text))


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"
