"""A name for a text that has none: asked for on the page, when the writer saves or leaves it."""

import re
from collections.abc import Callable
from pathlib import Path

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.textfile import meant, of_another_program
from billy_mlx.manuscript.untitled import first_words
from billy_mlx.paths import documents_folder
from billy_mlx.tui.commands import COMMANDS
from billy_mlx.tui.keys import keys_of, shown_keys
from billy_mlx.tui.screens.dialogs import AskPath, shown_folder, typed_path
from billy_mlx.tui.screens.page_screen import PageScreen

_WORTH_SAVING = 20  # words, from which on a pause is used to say that there is no name yet
_MOST_WORDS = 10  # of a name; a sentence typed by mistake has more
_FEW = 4  # words, from which on a full stop makes it one
_WITHOUT = ""  # the answer that it is to be left without a name
_BY_NAME = {command.name: command for command in COMMANDS}


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
    def keys_told(self) -> str:
        """What can be done, in words."""
        return f"Enter: save   Esc: go on writing\n{self._quit_key}: leave without a name; the text is kept"

    def action_quit(self) -> None:
        """Leave the text without a name."""
        self.dismiss(_WITHOUT)


class Naming(PageScreen):
    """A page whose text may have no name yet."""

    _reminded = False

    @property
    def wants_name(self) -> bool:
        """There is something on the page, and no file for it."""
        manuscript = self.manuscript
        return manuscript.untitled and manuscript.read_only is None and bool(manuscript.text.strip())

    def action_save(self) -> None:
        """Save now; ask for a name if there is none."""
        if self.wants_name:
            self.ask_name()
        elif self.manuscript.untitled and self.manuscript.read_only is None:
            raise ManuscriptError("the page is empty: there is nothing to save yet")
        else:
            self.keeping.save()
            self.rest()

    def leave_by(self, leave: Callable[[], None]) -> None:
        """Leave the page; ask for a name first, if it has none."""
        if self.wants_name:
            self.ask_name(leave)
        else:
            leave()

    def ask_name(self, leave: Callable[[], None] | None = None) -> None:
        """Ask for a name, save the text under it, and `leave` then, or if it is to stay without a name."""
        proposed, number = first_words(self.manuscript.text) or self.manuscript.name, 1
        name = proposed
        while named_path(name).exists():
            number += 1
            name = f"{proposed} {number}"

        def answered(typed: str | None) -> None:
            if typed is None:
                return
            with self.telling():
                if typed != _WITHOUT:
                    self.manuscript.give_name(named_path(typed))
                    self.tell(f"saved: {self.manuscript.name}")
                    self.rest()
                if leave is not None:
                    leave()
                elif typed == _WITHOUT:
                    self.studio.leave()

        quit_key = shown_keys(keys_of(_BY_NAME["quit"], self.studio.settings.keys).split(",")[0])
        self.app.push_screen(AskName(name, quit_key), answered)

    def remind_of_name(self, words: int) -> None:
        """Say once that the text has no name, when there is something worth saving."""
        if words >= _WORTH_SAVING and self.wants_name and not self._reminded and self.is_current:
            self._reminded = True
            save = shown_keys(keys_of(_BY_NAME["save"], self.studio.settings.keys).split(",")[0])
            self.tell(f"{save} gives this text a name")


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
