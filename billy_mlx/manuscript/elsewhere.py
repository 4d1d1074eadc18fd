"""What another program has put into a manuscript's file, beside the text: how they differ, and what becomes of both."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.edit import difference
from billy_mlx.manuscript.file_on_disk import Saved
from billy_mlx.manuscript.ledger import Ledger
from billy_mlx.manuscript.reattribution import reanchor
from billy_mlx.manuscript.records import Change, Edited, Kind, Record, Saving
from billy_mlx.manuscript.textfile import NotText, TextFile, read_text_file, set_aside
from billy_mlx.manuscript.versions import moved
from billy_mlx.manuscript.word_diff import Merge, merge

_LONGEST_QUOTE = 30  # characters


@dataclass(frozen=True)
class Theirs:
    """What is in the file now.

    Attributes:
        text: theirs; None if the file is gone, or is no text.
        wrong: why it is no text; None if it is, or if there is no file.
        merge: what brings their changes into mine; nothing if there is no text of theirs.
    """

    text: str | None
    wrong: str | None = None
    merge: Merge = field(default_factory=Merge)


def read_theirs(path: Path, base: str, mine: str) -> Theirs:
    """Return what is in a file that another program has changed; comparing long texts takes a while.

    Args:
        path: of the file.
        base: what it had when it was last read or saved.
        mine: the text as it is now.

    Raises:
        ManuscriptError: it cannot be read.
    """
    try:
        there = read_text_file(path)
    except NotText as error:
        return Theirs(None, str(error))
    return Theirs(None) if there is None else Theirs(there.text, None, merge(base, mine, there.text))


class Elsewhere:
    """Settles what becomes of the text when another program has changed the file.

    Args:
        ledger: what changes go through.
        file: as it was last seen.
        clock: says when, in seconds since the epoch.
        settled: waits for a save under way; raises ManuscriptError if the text can only be read.
        save: saves the text.
    """

    def __init__(
        self,
        ledger: Ledger,
        file: Saved,
        clock: Callable[[], float],
        *,
        settled: Callable[[], None],
        save: Callable[[], object],
    ) -> None:
        self._ledger, self._file, self._clock = ledger, file, clock
        self._settled, self._save = settled, save

    def take_theirs(self) -> bool:
        """Replace the text by what another program has put into the file; undo brings this one back.

        Returns:
            Whether it is another text than before.

        Raises:
            NotText: what is there is no text.
            ManuscriptError: it can only be read, or the file cannot be.
        """
        self._settled()
        before = self._ledger.state.revision
        self._see(read_text_file(self._file.path))
        return self._ledger.state.revision != before

    def keep_mine(self) -> Path | None:
        """Save over what another program has put into the file; theirs is in the tree of versions.

        Returns:
            If what was there is no text, the file beside this one to which it was renamed.

        Raises:
            ManuscriptError: it can only be read, or the file cannot be, or not be renamed.
        """
        self._settled()
        aside = None
        try:
            there = read_text_file(self._file.path)
        except NotText:
            there, aside = None, set_aside(self._file.path)
        self._see_and_return(there)
        self._save()
        return aside

    def keep_both(self) -> None:
        """Bring their changes into the text, as one step that undo takes back, and save it; who wrote what stays known.

        Raises:
            NotText: what is there is no text.
            ManuscriptError: it can only be read, the file is gone or cannot be read, or the changes touch.
        """
        self._settled()
        there = read_text_file(self._file.path)
        if there is None:
            raise ManuscriptError(f"{self._file.path.name} is gone; save the text to have it again")
        _, base = self._ledger.state.saves[self._file.digest]
        merged = merge(base.text, self._ledger.state.prose.text, there.text)
        if merged.touching:
            raise ManuscriptError(said_of(merged))
        theirs = reanchor(base, there.text)
        changes = tuple(Change(one.start, one.end, theirs[one.first : one.last]) for one in reversed(merged.taken))
        self._see_and_return(there)
        if changes:
            self._ledger.commit(Edited(self._ledger.next_revision(), changes, Kind.MERGED, self._clock()))
        self._save()

    def _see(self, there: TextFile | None) -> None:
        """Replace the text by what is there, and note that it was seen."""
        mine = self._ledger.state.prose
        theirs = reanchor(mine, "" if there is None else there.text)
        records: list[Record] = [Saving(None if there is None else there.digest)]
        if theirs.text != mine.text:
            changes = (Change.of(difference(mine, theirs)),)
            records.insert(0, Edited(self._ledger.next_revision(), changes, Kind.ELSEWHERE, self._clock()))
        self._ledger.commit(*records)
        self._file.see(there)

    def _see_and_return(self, there: TextFile | None) -> None:
        mine, prose = self._ledger.state.revision, self._ledger.state.prose
        self._see(there)
        if self._ledger.state.revision != mine:
            self._ledger.commit(moved(mine, (difference(self._ledger.state.prose, prose),)))


def said_of(merged: Merge) -> str:
    """Return a sentence that says where both have changed the same place; empty if nowhere."""
    if not merged.touching:
        return ""
    mine, theirs = (_quoted(text) for text in merged.touching[0])
    count = len(merged.touching)
    where = "at one place" if count == 1 else f"at {count:,} places, first"
    return f"the two texts cannot be combined: {where} you have {mine}, and the other program has {theirs}"


def _quoted(text: str) -> str:
    words = " ".join(text.split())
    short = words if len(words) <= _LONGEST_QUOTE else f"{words[: _LONGEST_QUOTE - 1]}…"
    return f"“{short}”" if words else "nothing"
