"""Take in a document of another program: first shown as the text it will be, then saved, and nothing before that."""

import asyncio
import errno
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Label, OptionList, Static

from billy_mlx.errors import BillyError, DocumentError
from billy_mlx.files import replace_file
from billy_mlx.formats.documents.markdown_in import document_of
from billy_mlx.formats.documents.paragraphs import Paragraphs
from billy_mlx.manuscript.importing import MAX_BYTES, Imported, read_document
from billy_mlx.manuscript.textfile import meant, of_another_program
from billy_mlx.text import sanitize
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.screens.dialogs import Confirm, bytes_of, typed_path
from billy_mlx.tui.screens.settings import PARAGRAPHS, SettingsList
from billy_mlx.tui.setting_fields import Setting, setting
from billy_mlx.tui.word_count import WordCount, amount

_SHOWN = 6000  # characters of the text, which fill a large screen


@dataclass(frozen=True)
class Importing:
    """What becomes of a document."""

    path: str = setting("", Setting("File", "Where to save the text. You are asked before a file is overwritten."))
    paragraphs: str = setting(
        "blank lines separate them",
        Setting(
            "Paragraphs",
            "What a paragraph is in this document, as it was found; change it here.",
            (*PARAGRAPHS,),
        ),
    )


@dataclass(frozen=True)
class _Read:
    """A document that was read: the text it makes, how much that is, and a free path for it."""

    imported: Imported
    words: int
    paragraphs: int
    path: Path


class _ImportList(SettingsList):
    """A list without defaults to go back to, which leaves it to the screen to turn pages: there are two at most."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a command means anything here."""
        left_out = {"setting_reset", "page_down", "page_up"}
        return action not in left_out and super().check_action(action, parameters)


class ImportScreen(Screen[Path | None]):
    """Shows what a document becomes and asks where to save it; gives the path of the text, or None.

    Args:
        document: the path of the file.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("import", "settings")
    BINDINGS = bindings("import", "anywhere")  # type: ignore[assignment]
    DEFAULT_CSS = """
    ImportScreen > Label { width: 100%; padding: 0 1; }
    ImportScreen > .heading { text-style: bold; color: $primary; }
    ImportScreen SettingsList, ImportScreen SettingsList:focus { height: auto; border: none; display: none; }
    ImportScreen #about { height: 1; color: $text-muted; display: none; }
    ImportScreen.read SettingsList, ImportScreen.read #about { display: block; }
    ImportScreen #wrong { color: $text-error; display: none; }
    ImportScreen #wrong.shown { display: block; }
    ImportScreen VerticalScroll { height: 1fr; border: round $surface-lighten-2; padding: 0 1; }
    ImportScreen VerticalScroll:focus { border: round $primary; }
    """

    def __init__(self, document: Path) -> None:
        super().__init__()
        self._document = document
        self._rows = _ImportList(Importing())
        self._read: _Read | None = None

    def compose(self) -> ComposeResult:
        """Yield the rows, and below them what was left out and how the text begins."""
        name = " ".join(sanitize(self._document.name).split())
        yield Label("Import: look, then press the key for Import below; Esc goes back", classes="heading")
        yield Label(name, id="name", markup=False)
        yield self._rows
        yield Label("", id="about", markup=False)
        with VerticalScroll():
            yield Static("Reading it ...", id="text", markup=False)
        yield Label("", id="wrong", markup=False)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Read the document."""
        self._take(None)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Say what the row is about."""
        self.query_one("#about", Label).update(self._rows.about(event.option_id or ""))

    def on_settings_list_changed(self, event: SettingsList.Changed) -> None:
        """Show what another choice makes of the document."""
        self._say("")
        if event.name == "paragraphs" and (self._read is None or self._way is not self._read.imported.way):
            self._take(self._way)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Import only what can be shown."""
        return action != "import_write" or self._read is not None

    def action_import_write(self) -> None:
        """Save the text; ask first, if there is a file of that name."""
        read = self._read
        if read is None:
            return
        try:
            path = self._checked(meant(typed_path(self._wanted.path)))
            if not path.exists():
                self._save(read.imported.text, path, over=False)
                return
        except (BillyError, OSError, ValueError) as error:
            self._say(_sentence(self._wanted.path, error))
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._save(read.imported.text, path, over=True)

        self.app.push_screen(Confirm(f"{path.name} exists already. Overwrite it?", "Overwrite", "Cancel"), answered)

    def action_import_down(self) -> None:
        """Turn the page."""
        self.query_one(VerticalScroll).scroll_page_down(animate=False)

    def action_import_up(self) -> None:
        """Turn the page back."""
        self.query_one(VerticalScroll).scroll_page_up(animate=False)

    def action_back(self) -> None:
        """Go back; nothing is written."""
        self.dismiss(None)

    @property
    def _wanted(self) -> Importing:
        return cast("Importing", self._rows.values)

    @property
    def _way(self) -> Paragraphs:
        return PARAGRAPHS[self._wanted.paragraphs]

    @work(exclusive=True)
    async def _take(self, way: Paragraphs | None) -> None:
        self._read = None  # what is shown and what is chosen are not the same until it is read
        self.refresh_bindings()
        try:
            read = await asyncio.to_thread(_read_document, self._document, way)
        except BillyError as error:
            self.query_one("#text", Static).update("Nothing was imported.")
            self._say(str(error))
        else:
            self._show(read, first=way is None)

    def _show(self, read: _Read, *, first: bool) -> None:
        self._read = read
        if first:
            self._begin(read)
        name = " ".join(sanitize(self._document.name).split())
        count = "1 paragraph" if read.paragraphs == 1 else f"{read.paragraphs:,} paragraphs"
        self.query_one("#name", Label).update(f"{amount(read.words)} in {count}: {name}")
        self.query_one("#text", Static).update(_shown(read.imported))
        self.refresh_bindings()

    def _begin(self, read: _Read) -> None:
        """Fill the rows with what was found."""
        self._rows.change("path", str(read.path))
        way = read.imported.way
        if way is None:
            self._rows.remove_option("paragraphs")
        else:
            self._rows.change("paragraphs", next(said for said, each in PARAGRAPHS.items() if each is way))
        self.add_class("read")
        self._rows.focus()

    def _checked(self, path: Path) -> Path:
        """Return a path if a text may be saved there. Raises DocumentError if it may not."""
        kind = of_another_program(path)
        if kind is not None:
            raise DocumentError(f"this is the name of {kind}, and the text is Markdown; name it {path.stem}.md")
        if path.is_dir():
            raise DocumentError("this is a folder; add a file name")
        if path.exists() and not path.is_file():
            raise DocumentError("this is not a file; choose another name")
        if path.resolve() == self._document.resolve():
            raise DocumentError("this is the document itself; choose another file")
        return path

    def _save(self, text: str, path: Path, *, over: bool) -> None:
        def check(_: Path) -> None:
            if not over and path.exists():
                raise FileExistsError(errno.EEXIST, "another program has just made such a file")

        try:
            replace_file(path.resolve(), text.encode(), check)
        except (OSError, ValueError) as error:
            self._say(_sentence(str(path), error))
        else:
            self.dismiss(path)

    def _say(self, sentence: str) -> None:
        label = self.query_one("#wrong", Label)
        label.update(sanitize(f"! {sentence}"))
        label.set_class(bool(sentence), "shown")


def _read_document(document: Path, way: Paragraphs | None) -> _Read:
    """Return what becomes of a document. Raises BillyError if nothing does."""
    imported = read_document(bytes_of(document, MAX_BYTES + 1), document.name, way)
    try:
        path = _free_path(document)
    except OSError as error:
        raise DocumentError(_sentence(str(document), error)) from error
    paragraphs = sum(block.kind != "break" for block in document_of(imported.text).blocks)
    return _Read(imported, WordCount().of(imported.text), paragraphs, path)


def _free_path(document: Path) -> Path:
    """Return a path beside a document that nothing has yet."""
    path, number = document.with_suffix(".md"), 1
    while path.exists():
        number += 1
        path = document.with_name(f"{document.stem} {number}.md")
    return path


def _shown(imported: Imported) -> str:
    """Return what was left out or guessed, and how the text begins."""
    notes = [f"· {sanitize(note)}" for note in imported.notes]
    lines = ["Left out or guessed:", *notes] if notes else ["Nothing was left out, and nothing guessed."]
    text = imported.text.strip("\n")
    begins = text if len(text) <= _SHOWN else f"{text[:_SHOWN]} …"
    return "\n".join([*lines, "", "The text:" if begins == text else "The text begins:", "", sanitize(begins)])


def _sentence(path: str, error: Exception) -> str:
    """Return why a text cannot be saved as `path`."""
    if isinstance(error, BillyError):
        return str(error)
    if isinstance(error, OSError):
        return f"{path} was not saved: {error.strerror or error}; choose another place"
    return "no file can have this name; choose another"
