"""Small questions over any screen: for a line of text, for the path of a file, for yes or no."""

import asyncio
import contextlib
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Paste
from textual.screen import ModalScreen
from textual.suggester import Suggester
from textual.widgets import Button, Input, Label

from billy_mlx.errors import BillyError, DocumentError
from billy_mlx.files import read_all, reading
from billy_mlx.paths import documents_folder, expanded
from billy_mlx.text import sanitize
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.widgets.fields import LineField

_BOX = """
    {name} {{ align: center middle; }}
    {name} > Vertical {{
        width: 64; max-width: 95%; height: auto; padding: 1 2; background: $surface; border: round $primary;
    }}
    {name} Label {{ width: 100%; }}
"""


def refusal(check: Callable[[str], object], text: str) -> str | None:
    """Return what `check` raises about a text, as a sentence for `Ask`; None if nothing."""
    try:
        check(text)
    except BillyError as error:
        return str(error)
    return None


class Ask(ModalScreen[str | None]):
    """Asks for a line of text: enter gives it, escape gives None.

    Args:
        question: what is asked.
        value: what stands there to begin with.
        check: returns a sentence if a text will not do, and None if it will.
    """

    field: ClassVar[type[LineField]] = LineField
    BINDINGS = bindings("anywhere")  # type: ignore[assignment]
    DEFAULT_CSS = (
        _BOX.format(name="Ask") + "Ask #wrong { color: $text-muted; } Ask #wrong.wrong { color: $text-error; }"
    )

    def __init__(self, question: str, value: str = "", check: Callable[[str], str | None] | None = None) -> None:
        super().__init__()
        self._question, self._value, self._check = question, value, check

    def compose(self) -> ComposeResult:
        """Yield the question, the line, and where it says what is wrong."""
        with Vertical():
            yield Label(sanitize(self._question), markup=False)
            yield self.field(sanitize(self._value), id="answer", select_on_focus=False)
            yield Label("Enter: done   Esc: cancel", markup=False, id="wrong")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give the text, or say what is wrong with it."""
        event.stop()
        wrong = None if self._check is None else self._check(event.value)
        if wrong is None:
            self.dismiss(event.value)
        else:
            label = self.query_one("#wrong", Label)
            label.update(f"! {sanitize(wrong)}")
            label.add_class("wrong")

    def action_back(self) -> None:
        """Give nothing."""
        self.dismiss(None)


class Confirm(ModalScreen[bool]):
    """Asks for yes or no. Enter is no until the other button is chosen; escape is neither, and gives None.

    Args:
        question: what is asked, in plain words.
        yes: what the one button says: a verb.
        no: what the other says.
    """

    BINDINGS = bindings("anywhere")  # type: ignore[assignment]
    DEFAULT_CSS = _BOX.format(name="Confirm") + (
        "Confirm Horizontal { height: auto; margin-top: 1; align-horizontal: center; } Confirm Button { margin: 0 1; }"
    )

    def __init__(self, question: str, yes: str = "Yes", no: str = "No") -> None:
        super().__init__()
        self._question, self._yes, self._no = question, yes, no

    def compose(self) -> ComposeResult:
        """Yield the question and two buttons, the harmless one first."""
        with Vertical():
            yield Label(sanitize(self._question), markup=False)
            with Horizontal():
                yield Button(self._no, id="no")
                yield Button(self._yes, id="yes", variant="primary")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Give the answer."""
        event.stop()
        self.dismiss(event.button.id == "yes")

    def key_left(self) -> None:
        """Go to the other button."""
        self.focus_previous()

    def key_right(self) -> None:
        """Go to the other button."""
        self.focus_next()

    def action_back(self) -> None:
        """Give no answer."""
        self.dismiss(None)


class PathField(LineField):
    """A line for a path. A file that is dropped on the terminal takes the place of what stands there."""

    def _on_paste(self, event: Paste) -> None:
        path = dropped(event.text)
        if path is not None:
            event.prevent_default()
            event.stop()
            self.value = path
            self.cursor_position = len(self.value)


class AskPath(Ask):
    """Asks for a path and completes it: the right arrow takes what is proposed.

    `check` may raise OSError or ValueError. What stands there to begin with is `value`, or else the current folder.
    """

    field = PathField

    def __init__(self, question: str, check: Callable[[str], str | None], value: str | None = None) -> None:
        def checked(typed: str) -> str | None:
            try:
                return check(typed)
            except OSError as error:
                return f"this path cannot be read: {error.strerror or error}; choose another path"
            except ValueError:  # of a null character, or of half a surrogate pair
                return "no file can have this name; choose another path"

        super().__init__(question, shown_folder(new_folder()) if value is None else value, checked)

    def on_mount(self) -> None:
        """Begin to complete."""
        self.query_one(Input).suggester = PathSuggester()
        self.query_one("#wrong", Label).update(self.hint)

    @property
    def hint(self) -> str:
        """What can be done, in words."""
        return "Enter: done   →: complete   Esc: cancel"


class PathSuggester(Suggester):
    """Proposes the first file or folder that begins as a path does."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """Return the path with its last part completed; None if there is nothing."""
        return await asyncio.to_thread(completed, value)


def completed(typed: str) -> str | None:
    """Return a path with its last part completed by what is there; None if nothing is."""
    head, slash, tail = typed.rpartition("/")
    if not tail:
        return None
    try:
        there = sorted(path for path in typed_path(head + slash).iterdir() if path.name.startswith(tail))
        first = next((path for path in there if path.name == sanitize(path.name)), None)
        return None if first is None else f"{head}{slash}{first.name}{'/' if first.is_dir() else ''}"
    except (OSError, ValueError):
        return None


def dropped(pasted: str) -> str | None:
    """Return the path of the file that a terminal pastes when it is dropped there; None if that is something else.

    Terminals put quotation marks round it, or a backslash before its spaces, or write it as a link.
    """
    text = pasted.strip()
    readings = [text, unquote(text.removeprefix("file://")) if text.startswith("file:///") else text]
    with contextlib.suppress(ValueError):  # of a quotation mark that stands alone
        readings += shlex.split(text) if len(shlex.split(text)) == 1 else []
    for path in readings:
        with contextlib.suppress(OSError, ValueError):
            if path.startswith(("/", "~/")) and typed_path(path).exists():
                return path
    return None


def typed_path(typed: str, folder: Path = Path()) -> Path:
    """Return the path that is meant by what a writer typed, in a folder unless they name one."""
    path = Path(typed.strip() or ".")
    try:
        return (folder / expanded(path)).absolute()
    except RuntimeError:  # there is no such user
        return (folder / path).absolute()


def bytes_of(path: Path, most: int) -> bytes:
    """Return what a file holds, or `most` bytes of it.

    Raises:
        DocumentError: it is not there, is no file, or cannot be read.
    """
    shown = sanitize(str(path))
    try:
        if not path.is_file():
            raise DocumentError(f"{shown} does not exist, or is not a file; check where it is")
        with reading(path) as handle:
            return read_all(handle, most)
    except OSError as error:
        raise DocumentError(f"{shown} cannot be read: {error.strerror or error}; check where it is") from error


def new_folder() -> Path:
    """Return where other texts are looked for first: the current folder, or from home the writer's documents."""
    documents = documents_folder()
    try:
        here = Path.cwd()
    except FileNotFoundError:  # somebody has deleted it
        here = Path.home()
    return documents if here in (Path.home(), Path("/")) else here


def shown_folder(folder: Path) -> str:
    """Return a folder as people write it, with ~ for home."""
    home = Path.home()
    return f"~/{folder.relative_to(home)}/".replace("/./", "/") if folder.is_relative_to(home) else f"{folder}/"
