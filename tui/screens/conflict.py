"""Another program changed the file while the writer was writing: whose text is it to be?"""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.widgets import Footer, Label

from billy_mlx.manuscript.elsewhere import Theirs, said_of
from billy_mlx.manuscript.textfile import free_name
from billy_mlx.text import sanitize
from billy_mlx.tui.screens.ask import Ask
from billy_mlx.tui.screens.difference import Difference
from billy_mlx.tui.screens.question import Question

_COPY = "Save mine as a copy next to it, then decide"
_GONE = {
    "mine": "Keep mine: save my text under this name again",
    "theirs": "Take theirs: empty my text as well; undo brings mine back",
    "copy": "Save mine under another name, then decide",
}
_NO_TEXT = {
    "mine": "Keep mine: save my text here; what is there now gets another name",
    "copy": _COPY,
}
_TEXT = {
    "mine": "Keep mine: save my text over theirs; theirs is kept as a version",
    "theirs": "Take theirs: show the file's text; undo brings mine back",
    "copy": _COPY,
}
_BOTH = {"both": "Keep both: add their changes to my text; undo removes them"}


class ConflictScreen(Question):
    """Asks for "mine", "theirs", "both" where that can be, or "copy", of which `copy` is the path then.

    Args:
        path: of the file.
        mine: the writer's text.
        theirs: what is in the file.
        settled: told the answer; None is to be asked again later.

    Attributes:
        copy: the file that a copy is to be saved as; None if none is.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("conflict",)

    def __init__(self, path: Path, mine: str, theirs: Theirs, settled: Callable[[str | None], None]) -> None:
        super().__init__(_ways(theirs), settled)
        self._path, self._mine, self._theirs = path, mine, theirs
        self.copy: Path | None = None

    def compose(self) -> ComposeResult:
        """Yield what happened, the ways out, and how the texts differ."""
        theirs = self._theirs
        yield Label(f"! {sanitize(self._path.name)}: {_happened(theirs)}", id="title", markup=False)
        yield Label(_told(theirs), markup=False)
        yield from self.answers()
        if theirs.text is not None:
            yield Difference(self._mine, theirs.text)
        yield Footer(show_command_palette=False)

    def take(self, way: str) -> None:
        """Go this way; ask for the name of a copy first."""
        if way == "copy":
            self.action_conflict_copy()
        else:
            self.settle(way)

    def action_conflict_mine(self) -> None:
        """Keep the writer's."""
        self.settle("mine")

    def action_conflict_theirs(self) -> None:
        """Take the other program's."""
        self.settle("theirs")

    def action_conflict_both(self) -> None:
        """Put the other program's changes into the writer's text."""
        self.settle("both")

    def action_conflict_copy(self) -> None:
        """Ask for the name of a copy."""

        def answered(name: str | None) -> None:
            if name is not None:
                self.copy = self._beside(name)
                self.settle("copy")

        question = Ask("Save my text under which name?", free_name(self._path, "mine").name, self._refusal)
        self.app.push_screen(question, answered)

    def _refusal(self, name: str) -> str | None:
        """Return why a copy cannot have this name; None if it can."""
        if not name.strip() or "/" in name or name.strip() in (".", ".."):
            return "give a name without a folder; the copy is saved next to the file"
        try:
            taken = self._beside(name).exists()
        except OSError as error:
            return f"this cannot be a file name: {error.strerror or error}; choose another"
        except ValueError:
            return "no file can have this name; choose another"
        return f"{name.strip()} exists already; choose another name" if taken else None

    def _beside(self, name: str) -> Path:
        return self._path.with_name(name.strip())


def _ways(theirs: Theirs) -> dict[str, str]:
    if theirs.text is None:
        return _GONE if theirs.wrong is None else _NO_TEXT
    return _TEXT if theirs.merge.touching else _BOTH | _TEXT


def _happened(theirs: Theirs) -> str:
    if theirs.text is not None:
        return "another program changed this file"
    return "the file is gone" if theirs.wrong is None else "another program put something else in its place"


def _told(theirs: Theirs) -> str:
    if theirs.text is None:
        return f"{sanitize(theirs.wrong or 'Your text is all here')}. Nothing is lost, whatever you choose."
    apart = said_of(theirs.merge) or "you and it changed different places"
    return f"{sanitize(apart[:1].upper() + apart[1:])}. Nothing is lost, whatever you choose. How theirs differs:"
