"""What is there without a text: the ones worked on before, and ways to another."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Label, OptionList
from textual.widgets.option_list import Option

from billy_mlx.engine.messages import ListModels, ModelsListed
from billy_mlx.manuscript.state_folder import Recent, recent, untitled_path
from billy_mlx.manuscript.untitled import beginning
from billy_mlx.text import sanitize
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.dates import ago
from billy_mlx.tui.screens.dialogs import AskPath, shown_folder, typed_path

if TYPE_CHECKING:
    from billy_mlx.tui.app import Studio

_TITLE_COLUMNS = 28
_NEW, _OPEN, _IMPORT, _MODELS = "new", "open", "import", "models"
_WAYS = {
    _NEW: "+ A new text",
    _OPEN: "… Open a text by its path",
    _IMPORT: "↓ Import a document",
    _MODELS: "≈ See which models this machine can run",
}


class StartScreen(Screen[Path | None]):
    """Gives the path of the text to open, which may not be there yet; None to leave."""

    PLACES: ClassVar[tuple[str, ...]] = ("start",)
    BINDINGS = bindings("anywhere", "start")  # type: ignore[assignment]
    DEFAULT_CSS = """
    StartScreen { align: center top; }
    StartScreen > Label { width: 100%; padding: 0 2; }
    StartScreen #title { text-style: bold; color: $primary; padding: 1 2 0 2; }
    StartScreen #hint { padding: 0 2 1 2; color: $text-muted; }
    StartScreen OptionList { height: 1fr; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    StartScreen OptionList, StartScreen OptionList:focus { border: none; }
    StartScreen #model { background: $panel; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._model = Label("", id="model", markup=False)

    def compose(self) -> ComposeResult:
        """Yield the list and what stands around it."""
        yield Label("billy: write with a blend of voices", id="title")
        yield Label("Enter opens; up and down choose.", id="hint")
        yield OptionList(markup=False)
        yield self._model
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Show what was worked on, the newest first."""
        self.show(recent(), time.time())

    def show(self, texts: tuple[Recent, ...], now: float) -> None:
        """List these texts; `now` is in seconds since the epoch. Pages that nothing was written on are left out."""
        titles = {text: beginning(text.path) if text.untitled else text.path.stem for text in texts}
        self._texts = texts = tuple(text for text in texts if titles[text] is not None)
        rows = self.query_one(OptionList)
        rows.clear_options()
        rows.add_options(
            Option(_row(text, titles[text] or text.path.stem, now), id=str(index)) for index, text in enumerate(texts)
        )
        if texts:
            rows.add_option(None)
        rows.add_options(Option(Content(title), id=way) for way, title in _WAYS.items())
        rows.highlighted = next((index for index, text in enumerate(texts) if not text.gone), len(texts))
        rows.focus()

    def say_model(self, text: str) -> None:
        """Say which model is there, or what becomes of it; also before the screen is shown."""
        self._model.update(sanitize(text).replace("\n", " "))

    def on_engine_event(self, event: object) -> None:
        """Follow what becomes of the model, whatever the engine said; offer the models that were looked for."""
        self.say_model(self._studio.model_state)
        if isinstance(event, ModelsListed) and self.app.screen is self:
            from billy_mlx.tui.screens.models import ModelsScreen

            screen = ModelsScreen(event, self._studio.personas, self._studio.vector_job.progress)
            self.app.push_screen(screen, self._studio.get_model)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Open a text, or go another way."""
        event.stop()
        ways = {
            _NEW: self.action_start_new,
            _OPEN: self.action_start_open,
            _IMPORT: self.action_start_import,
            _MODELS: self.action_start_models,
        }
        chosen = event.option_id or ""
        if chosen in ways:
            ways[chosen]()
        else:
            self._open(self._texts[int(chosen)])

    def action_start_new(self) -> None:
        """Open an empty page; its name is asked for when there is something to save."""
        self.dismiss(untitled_path())

    def action_start_open(self) -> None:
        """Ask for a path, and open it."""

        def answered(path: str | None) -> None:
            if path is not None:
                self.dismiss(typed_path(path))

        self.app.push_screen(AskPath("Open which text?", _why_not_opened), answered)

    def action_start_import(self) -> None:
        """Ask for a document, show what becomes of it, and open the text that is made of it."""
        from billy_mlx.tui.screens.importing import ImportScreen

        def answered(path: str | None) -> None:
            if path is not None:
                self.app.push_screen(ImportScreen(typed_path(path)), imported)

        def imported(text: Path | None) -> None:
            if text is not None:
                self.dismiss(text)

        self.app.push_screen(AskPath("Import which document?", _why_not_there), answered)

    def action_start_models(self) -> None:
        """Look up which models this machine can run."""
        self.say_model("finding out what this machine can run ...")
        self._studio.engine.ask(ListModels(self._studio.engine.next_job()))

    def action_back(self) -> None:
        """Leave."""
        self.dismiss(None)

    @property
    def _studio(self) -> "Studio":
        return cast("Studio", self.app)

    def _open(self, text: Recent) -> None:
        if not text.gone:
            self.dismiss(text.path)
        else:
            self.notify(f"{sanitize(str(text.path))} is gone; if it was moved, open it where it is now", markup=False)


def _row(text: Recent, title: str, now: float) -> Content:
    when = ago(text.last, now) if text.exists or text.untitled else "✗ not found" if text.gone else "not saved yet"
    folder = "has no name yet" if text.untitled else shown_folder(text.path.parent)
    title = _line(title)
    title = title if len(title) <= _TITLE_COLUMNS else f"{title[: _TITLE_COLUMNS - 1]}…"
    return Content.assemble(f"{title:<{_TITLE_COLUMNS}} ", (f"{when:<16} {_line(folder)}", "$text-muted"))


def _line(text: str) -> str:
    return sanitize(text).replace("\n", " ").replace("\t", " ")


def _why_not_opened(typed: str) -> str | None:
    if typed_path(typed).suffix.lower() == ".docx":
        return "this is a Word document; press Esc, then import it"
    return _why_not_there(typed)


def _why_not_there(typed: str) -> str | None:
    path = typed_path(typed)
    if path.is_dir():
        return "this is a folder; add a file name"
    return None if path.is_file() else f"there is no file {path}; check its name"
