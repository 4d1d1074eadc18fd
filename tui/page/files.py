"""The commands for the file of the text: save it, open another, hand it to an editor; and a name for a new one."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from textual.timer import Timer

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.textfile import meant, of_another_program
from billy_mlx.manuscript.untitled import first_words
from billy_mlx.paths import documents_folder
from billy_mlx.tui.commands import COMMANDS
from billy_mlx.tui.keys import keys_of, shown_keys
from billy_mlx.tui.page.autosave import Autosave
from billy_mlx.tui.screens.dialogs import AskPath, shown_folder, typed_path

if TYPE_CHECKING:
    from billy_mlx.tui.screens.writing import WritingScreen

_WORTH_SAVING = 20  # words, from which on a pause is used to say that there is no name yet
_MOST_WORDS = 10  # of a name; a sentence typed by mistake has more
_FEW = 4  # words, from which on a full stop makes it one
_WITHOUT = ""  # the answer that it is to be left without a name
_BY_NAME = {command.name: command for command in COMMANDS}


class FileCommands:
    """Keeps the file of the text.

    Args:
        page: what shows the text.

    Attributes:
        autosave: saves it by itself.
    """

    def __init__(self, page: "WritingScreen") -> None:
        self._page = page
        self.autosave = Autosave(page.manuscript, page)
        self._reminded = False
        self._saving: Timer | None = None
        self._saving_seconds = 0.0

    def action_save(self) -> None:
        """Save now; ask for a name if there is none."""
        manuscript = self._page.manuscript
        if self._wants_name:
            self._ask_name()
        elif manuscript.untitled and manuscript.read_only is None:
            raise ManuscriptError("the page is empty: there is nothing to save yet")
        else:
            self.autosave.save()
            self._page.rest()

    def action_open(self) -> None:
        """Put this text away and choose another."""
        if self.is_at_risk():
            problem = self._page.manuscript.safety.problems[0]
            raise ManuscriptError(f"{problem}; this text stays open until then")
        self.leave_by(self._leave_for_another)

    def action_editor(self) -> None:
        """Hand the text to the writer's own editor."""
        own = self._page.studio.settings.editor
        commands = (own, os.environ.get("VISUAL", ""), os.environ.get("EDITOR", ""), "vi")
        self.autosave.hand_over(next(command for command in commands if command.strip()))

    def save_every(self, seconds: float) -> None:
        """Save the text so often from now on."""
        if self._saving is None or seconds != self._saving_seconds:
            if self._saving is not None:
                self._saving.stop()
            self._saving_seconds = seconds
            self._saving = self._page.set_interval(seconds, self.autosave.save_quietly)

    @property
    def safety(self) -> str:
        """How safe the text is, in words."""
        manuscript = self._page.manuscript
        return str(manuscript.safety) if manuscript.read_only is None else "read only"

    def is_at_risk(self) -> bool:
        """Save what is not saved, and return whether some of it is in memory only even so."""
        manuscript = self._page.manuscript
        return manuscript.read_only is None and manuscript.safety.unsaved and manuscript.save().at_risk

    def put_away(self) -> str | None:
        """Save and close the manuscript; returns a sentence if some of it could not be saved."""
        self._page.drafts.stop()
        self.autosave.finish()
        return self._page.manuscript.close()

    def leave_by(self, leave: Callable[[], None]) -> None:
        """Leave the page; ask for a name first, if the text has none."""
        if self._wants_name:
            self._ask_name(leave)
        else:
            leave()

    def remind_of_name(self) -> None:
        """Say once that the text has no name, when there is something worth saving."""
        page = self._page
        if self._reminded or not self._wants_name or not page.is_current or page.status.message:
            return  # there is time: what is said now may not be said again
        if page.text_commands.count_words() >= _WORTH_SAVING:
            self._reminded = True
            page.show_status(f"{self._first_key('save')} gives this text a name")

    @property
    def _wants_name(self) -> bool:
        """There is something on the page, and no file for it."""
        manuscript = self._page.manuscript
        return manuscript.untitled and manuscript.read_only is None and bool(manuscript.text.strip())

    def _ask_name(self, leave: Callable[[], None] | None = None) -> None:
        """Ask for a name, save the text under it, and `leave` then, or if it is to stay without a name."""
        page = self._page
        proposed, number = first_words(page.manuscript.text) or page.manuscript.name, 1
        name = proposed
        while named_path(name).exists():
            number += 1
            name = f"{proposed} {number}"

        def answered(typed: str | None) -> None:
            if typed is None:
                return
            with page.errors_shown():
                if typed != _WITHOUT:
                    page.manuscript.give_name(named_path(typed))
                    page.show_status(f"saved: {page.manuscript.name}")
                    page.rest()
                if leave is not None:
                    leave()
                elif typed == _WITHOUT:
                    page.studio.leave()

        page.app.push_screen(AskName(name, self._first_key("quit")), answered)

    def _first_key(self, command: str) -> str:
        return shown_keys(keys_of(_BY_NAME[command], self._page.studio.settings.keys).split(",")[0])

    def _leave_for_another(self) -> None:
        studio = self._page.studio
        unsaved = self.put_away()
        studio.choose_another()
        if unsaved is not None:
            studio.show_status(unsaved)


class AskName(AskPath):
    """Asks what a text is called, and where it goes; gives the path as typed, or "" if it is to stay without.

    Args:
        proposed: a name to begin with.
        quit_key: which key leaves the text as it is.
    """

    def __init__(self, proposed: str, quit_key: str) -> None:
        folder = shown_folder(documents_folder())
        super().__init__(
            "What is this text called, and where should it be saved?", why_not_named, f"{folder}{proposed}"
        )
        self._quit_key = quit_key

    @property
    def hint(self) -> str:
        """What can be done, in words."""
        return f"Enter: save   Esc: go on writing\n{self._quit_key}: leave without a name; the text is kept"

    def action_quit(self) -> None:
        """Leave the text without a name."""
        self.dismiss(_WITHOUT)


def named_path(typed: str) -> Path:
    """Return the path of a new text: among the writer's documents, and Markdown, unless they say otherwise."""
    return meant(typed_path(typed, documents_folder()))


def why_not_named(typed: str) -> str | None:
    """Return the sentence that says why a text cannot be called so; None if it can."""
    path = named_path(typed)
    if not typed.strip() or typed.rstrip().endswith("/") or path.is_dir():
        return "this is a folder; add a file name"
    kind = of_another_program(path)
    if kind is not None:
        return f"that is the name of {kind}, and this is Markdown; name it {path.stem}.md, and export it later"
    if _is_sentence(typed.rstrip().rpartition("/")[2]):
        return "this looks like a sentence; a name is a few words"
    if path.exists():
        return f"{path.name} exists already; choose another name"
    return None if path.parent.is_dir() else f"there is no folder {path.parent}; create it first, or choose another"


def _is_sentence(name: str) -> bool:
    words = name.split()
    return len(words) > _MOST_WORDS or (len(words) >= _FEW and re.search(r"[.…][\"'”’]*$", name) is not None)
