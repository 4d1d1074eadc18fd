"""A question for the path of a file, which is completed while it is typed."""

import asyncio
import contextlib
import shlex
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

from textual.events import Paste
from textual.suggester import Suggester
from textual.widgets import Input, Label

from billy_mlx.errors import DocumentError
from billy_mlx.files import read_all, reading
from billy_mlx.paths import documents_folder, expanded
from billy_mlx.text import sanitize
from billy_mlx.tui.screens.ask import Ask
from billy_mlx.tui.widgets.fields import LineField


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
        self.query_one("#wrong", Label).update(self.keys_told)

    @property
    def keys_told(self) -> str:
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
