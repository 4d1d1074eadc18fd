"""Another program changed the file while the writer was writing: whose text is it to be?"""

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Label, OptionList
from textual.widgets.option_list import Option

from billy_mlx.errors import BillyError
from billy_mlx.manuscript.textfile import read_text_file
from billy_mlx.text import sanitize
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.screens.ask import Ask
from billy_mlx.tui.screens.difference import Difference

_GONE = {
    "mine": "Keep mine: save my text under this name again",
    "theirs": "Take theirs: have an empty text as well; undo brings mine back",
    "copy": "Save mine under another name, and decide after that",
}
_WAYS = {
    "mine": "Keep mine: save my text over theirs; theirs stays among the versions",
    "theirs": "Take theirs: show the file's text; undo brings mine back",
    "copy": "Save mine as a copy beside it, and decide after that",
}


class ConflictScreen(Screen[str | Path | None]):
    """Gives "mine" or "theirs", the path of a copy to be saved, or None to decide later.

    Args:
        path: of the file.
        mine: the writer's text.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("conflict",)
    BINDINGS = bindings("anywhere", "conflict")  # type: ignore[assignment]
    DEFAULT_CSS = """
    ConflictScreen > Label { width: 100%; padding: 0 2; }
    ConflictScreen #title { text-style: bold; color: $warning; padding: 1 2 0 2; }
    ConflictScreen OptionList { height: auto; padding: 0 1; }
    ConflictScreen OptionList, ConflictScreen OptionList:focus { border: none; }
    """

    def __init__(self, path: Path, mine: str) -> None:
        super().__init__()
        self._path, self._mine = path, mine

    def compose(self) -> ComposeResult:
        """Yield what happened, the ways out, and how the texts differ."""
        theirs, state = self._read()
        ways = _WAYS if theirs is not None else _GONE
        why = "You changed it as well. Nothing is lost by any choice. How theirs differs:"
        gone = "Your text is all here. Nothing is lost by any choice:"
        yield Label(f"! {sanitize(self._path.name)}: {state}", id="title", markup=False)
        yield Label(gone if theirs is None else why, markup=False)
        yield OptionList(*(Option(Content(title), id=way) for way, title in ways.items()), markup=False)
        if theirs is not None:
            yield Difference(self._mine, theirs)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Have the ways out be chosen by the arrows."""
        self.query_one(OptionList).focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Go this way."""
        event.stop()
        if event.option_id == "copy":
            self.action_conflict_copy()
        else:
            self.dismiss(event.option_id)

    def action_conflict_mine(self) -> None:
        """Keep the writer's."""
        self.dismiss("mine")

    def action_conflict_theirs(self) -> None:
        """Take the other program's."""
        self.dismiss("theirs")

    def action_conflict_copy(self) -> None:
        """Ask for the name of a copy."""

        def check(name: str) -> str | None:
            if not name.strip() or "/" in name or name.strip() in (".", ".."):
                return "a name, without a folder; the copy goes beside the file"
            try:
                taken = self._beside(name).exists()
            except OSError as error:
                return f"this cannot be a name: {error.strerror or error}; choose another"
            except ValueError:
                return "no file can have such a name; choose another"
            return f"{name.strip()} is there already; choose another name" if taken else None

        def answered(name: str | None) -> None:
            if name is not None:
                self.dismiss(self._beside(name))

        self.app.push_screen(Ask("Save my text under which name?", free_copy(self._path).name, check), answered)

    def action_back(self) -> None:
        """Decide later."""
        self.dismiss(None)

    def _beside(self, name: str) -> Path:
        return self._path.with_name(name.strip())

    def _read(self) -> tuple[str | None, str]:
        """Return their text, None if it is gone, and what happened to the file."""
        try:
            there = read_text_file(self._path)
        except BillyError as error:
            return "", str(error)
        return (None, "the file is gone") if there is None else (there.text, "another program changed this file")


def free_copy(path: Path) -> Path:
    """Return a name beside a file that nothing has yet."""
    copy, number = path.with_name(f"{path.stem} (mine){path.suffix}"), 1
    while copy.exists():
        number += 1
        copy = path.with_name(f"{path.stem} (mine {number}){path.suffix}")
    return copy
