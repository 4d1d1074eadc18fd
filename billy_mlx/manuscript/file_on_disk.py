"""The writer's file as the manuscript last saw it: read or saved, what stood in the way of saving, how safe it is."""

import time
from dataclasses import dataclass
from pathlib import Path

from billy_mlx.manuscript.textfile import Conflict, NotSaved, TextFile, changed, digest_of, look_at, save_text_file

_PAUSE = 100  # times what reading the file takes: so long it is not read again for nothing but a doubt


class Saved:
    """What is in the file, as far as is known. One thread saves while another may look at the attributes.

    Attributes:
        path: of the file.
        newline: the end of line that it had when it was opened.
        digest: of what it holds; None if there is no file.
        text: what it holds; "" if there is no file.
        problem: why the last save failed, and what to do; None if it did not.
        why: the same without what to do.
        conflict: it failed because another program has changed, moved or made the file.
    """

    def __init__(self, path: Path, file: TextFile | None) -> None:
        self.path = path
        self.newline = "\n" if file is None else file.newline
        self._bom = file is not None and file.bom
        self._read_again = 0.0  # when, by the monotonic clock
        self.see(file)

    def see(self, file: TextFile | None) -> None:
        """Take a file as it was just read for what there is."""
        self.digest = None if file is None else file.digest
        self.text = "" if file is None else file.text
        self._stamp = None if file is None else file.stamp
        self._fail(None)

    def digest_of(self, text: str) -> str:
        """Return the digest that the file will have with this text."""
        return digest_of(text, bom=self._bom)

    def save(self, text: str, digest: str) -> bool:
        """Save a text, of which `digest_of` gave the digest, and return whether it is in the file now."""
        self._fail(None)
        try:
            self._stamp = save_text_file(self.path, text, bom=self._bom, expected=self.digest)
        except NotSaved as error:
            self._fail(error)
            return False
        self.digest, self.text = digest, text
        return True

    def copy(self, path: Path, text: str) -> None:
        """Save a text elsewhere. Raises Conflict if there is a file, NotSaved if it cannot be written."""
        save_text_file(path, text, bom=self._bom, expected=None)

    def changed(self, *, thorough: bool = True) -> bool:
        """Return whether the file is another than it was last seen to be. One that cannot be read now is not.

        Args:
            thorough: read it in any case. On some file systems, and after some programs, a change leaves size and
                time as they were. Otherwise it is read if it looks changed, or if the last time is long ago.
        """
        if not (thorough or changed(self.path, self._stamp) or time.monotonic() >= self._read_again):
            return False
        begun = time.monotonic()
        try:
            digest, stamp = look_at(self.path)
        except OSError:
            return False  # out of reach for now, which saving will say
        ended = time.monotonic()
        self._read_again = ended + _PAUSE * (ended - begun)
        if digest == self.digest:
            self._stamp = stamp  # only touched
        return digest != self.digest

    def _fail(self, error: NotSaved | None) -> None:
        self.problem = None if error is None else str(error)
        self.why = None if error is None else error.why
        self.conflict = isinstance(error, Conflict)


@dataclass(frozen=True)
class Safety:
    """Where the text is, besides memory.

    Attributes:
        unsaved: the file does not have the text as it is now.
        at_risk: some of it is in memory only: neither in the file nor in the journal.
        problems: a sentence each for what goes wrong: file, journal, history.
        conflict: another program has changed, moved or made the file.
        named: there is a file to save to.
    """

    unsaved: bool
    at_risk: bool
    problems: tuple[str, ...] = ()
    conflict: bool = False
    named: bool = True

    def __str__(self) -> str:
        state = "NOT SAVED" if self.at_risk or self.conflict or (self.unsaved and self.problems) else ""
        return state or ("no name yet" if not self.named else "unsaved" if self.unsaved else "saved")

    def farewell(self, why: str) -> str | None:
        """Return the last message when the text is closed in this state, beginning with `why`; None if it is saved."""
        if not self.unsaved or (not self.named and not self.at_risk):  # the start screen offers it
            return None
        lost = "it could not be kept anywhere else either, so what was typed last is lost"
        return f"{why}; {lost if self.at_risk else 'the text is kept, and is offered when you open it the next time'}"
