"""Write the text out for other programs and for readers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Footer, Label, OptionList

from billy_mlx.errors import BillyError, ManuscriptError
from billy_mlx.files import replace_file
from billy_mlx.manuscript.formats.book import Book
from billy_mlx.manuscript.formats.exporting import (
    Format,
    Provenance,
    book_of,
    export,
    left_out,
    paragraphs_of_manuscript,
)
from billy_mlx.manuscript.formats.paragraphs import Paragraphs
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.passage import Passage
from billy_mlx.manuscript.prose import Author, Prose
from billy_mlx.paths import documents_folder
from billy_mlx.text import sanitize
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.schema import Setting, setting
from billy_mlx.tui.screens.ask import Confirm
from billy_mlx.tui.screens.paths import typed_path
from billy_mlx.tui.screens.rows import Rows

_FORMATS = {
    "Word": Format.DOCX,
    "EPUB": Format.EPUB,
    "Markdown": Format.MARKDOWN,
    "plain text": Format.PLAIN,
    "HTML": Format.HTML,
}
_PARAGRAPHS = {
    "blank lines separate them": Paragraphs.BLANK,
    "each line is one": Paragraphs.LINE,
    "lines go on": Paragraphs.WRAPPED,
}
_PROVENANCES = {
    "not marked": Provenance.NONE,
    "in footnotes": Provenance.FOOTNOTES,
    "in a separate file": Provenance.SIDECAR,
}


@dataclass(frozen=True)
class Exporting:
    """What is to be written, and where to."""

    format: str = setting("Word", Setting("Format", "What kind of file to write.", (*_FORMATS,)))
    path: str = setting("", Setting("File", "Where to write it. You are asked before a file is overwritten."))
    title: str = setting("", Setting("Title", "The title of the book."))
    author: str = setting("", Setting("Author", "The author of the book."))
    language: str = setting("en", Setting("Language", "A code such as en or pt-BR, for e-readers."))
    provenance: str = setting(
        "not marked",
        Setting("Who wrote what", "Whether to say which passages a model wrote, and how.", (*_PROVENANCES,)),
    )
    paragraphs: str = setting(
        "blank lines separate them",
        Setting("Paragraphs", "What a paragraph is in this text, as it was found; change it here.", (*_PARAGRAPHS,)),
    )


@dataclass(frozen=True)
class _Source:
    """What is exported, taken from the manuscript before a thread goes to work on it."""

    prose: Prose
    passages: Mapping[Author, Passage]
    date: datetime


class ExportScreen(Screen[Path | None]):
    """Asks what to export and where to, and does it; gives the path of what was written, or None.

    Args:
        manuscript: what is exported.
        author: whose it is, as far as the settings say.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("export", "settings")
    BINDINGS = bindings("export", "anywhere")  # type: ignore[assignment]
    DEFAULT_CSS = """
    ExportScreen > Label { width: 100%; padding: 0 1; }
    ExportScreen > .heading { text-style: bold; color: $primary; }
    ExportScreen Rows, ExportScreen Rows:focus { height: 1fr; border: none; }
    ExportScreen #about { height: 2; color: $text-muted; }
    ExportScreen #notes { height: auto; max-height: 3; }
    """

    def __init__(self, manuscript: Manuscript, author: str = "") -> None:
        super().__init__()
        self._manuscript = manuscript
        self._mine = documents_folder() / manuscript.path.name if manuscript.untitled else manuscript.path
        book, way = book_of(manuscript.text, author=author), paragraphs_of_manuscript(manuscript.text).way
        self._rows = Rows(
            Exporting(
                path=str(_path_for(self._mine, "Word")),
                title=book.title or self._mine.stem,
                author=book.author,
                language=book.language,
                paragraphs=next((said for said, each in _PARAGRAPHS.items() if each is way), "lines go on"),
            )
        )

    def compose(self) -> ComposeResult:
        """Yield the rows, and what there is to say about the one that is chosen."""
        yield Label("Export: choose, then press the key for Export below", classes="heading")
        yield self._rows
        notes = left_out(self._manuscript.text, Format.DOCX)
        yield Label(f"Not exported: {'; '.join(notes)}" if notes else "", id="notes", markup=False)
        yield Label("", id="about", markup=False)
        yield Footer(show_command_palette=False)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Say what the row is about."""
        self.query_one("#about", Label).update(self._rows.about(event.option_id or ""))

    def on_rows_changed(self, event: Rows.Changed) -> None:
        """Give the file the ending of its format."""
        if event.name == "format":
            path = _path_for(Path(self._wanted.path), str(event.value))
            self._rows.change("path", str(self._beside(path)))

    def action_export_write(self) -> None:
        """Write it; ask first, if something is there."""
        paths = _paths(self._wanted)
        if any(_is_same(path, self._manuscript.path) for path in paths):
            self.notify("This is the text itself. Choose another file.", severity="warning", markup=False)
            return
        there = [path for path in paths if path.exists()]
        if not there:
            self._begin()
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._begin()

        names = " and ".join(path.name for path in there)
        self.app.push_screen(Confirm(f"{names} exists already. Overwrite it?", "Overwrite", "Cancel"), answered)

    def action_back(self) -> None:
        """Go back to the page."""
        self.dismiss(None)

    def _beside(self, path: Path) -> Path:
        """Return a path beside the manuscript: as Markdown, an export would have its name."""
        mine = self._mine
        other = mine.with_stem(f"{mine.stem}-export")
        if path == mine:
            return other
        return path.with_stem(mine.stem) if path.with_suffix(mine.suffix) == other else path

    @property
    def _wanted(self) -> Exporting:
        return cast("Exporting", self._rows.values)

    def _begin(self) -> None:
        newest = next(self._manuscript.versions.tree(landmarks=False), None)
        date = datetime.fromtimestamp(0 if newest is None else newest.made, UTC)
        self._write(_Source(self._manuscript.prose, self._manuscript.passages, date), self._wanted)

    @work(thread=True, exclusive=True)
    def _write(self, source: _Source, wanted: Exporting) -> None:
        try:
            path = _written(source, wanted)
        except BillyError as error:
            self.app.call_from_thread(self.notify, str(error), severity="error", markup=False)
        else:
            self.app.call_from_thread(self._done, path)

    def _done(self, path: Path) -> None:
        self.notify(sanitize(f"{path} is saved."), markup=False)
        self.dismiss(path)


def _written(source: _Source, wanted: Exporting) -> Path:
    """Write the files of an export, and return the path of the text."""
    files = export(
        source.prose,
        _FORMATS[wanted.format],
        Book(wanted.title, wanted.author, wanted.language, source.date),
        passages=source.passages,
        provenance=_PROVENANCES[wanted.provenance],
        way=_PARAGRAPHS[wanted.paragraphs],
    )
    paths = _paths(wanted)
    for path, content in zip(paths, files.values(), strict=True):
        try:
            replace_file(path.resolve(), content)
        except OSError as error:
            raise ManuscriptError(
                f"{sanitize(str(path))} was not saved: {error.strerror or error}; choose another place"
            ) from error
    return paths[0]


def _paths(wanted: Exporting) -> list[Path]:
    """Return where the files of an export go: the text, and what is beside it."""
    path = typed_path(wanted.path)
    beside = _PROVENANCES[wanted.provenance] is Provenance.SIDECAR
    return [path, path.with_suffix(".provenance.json")] if beside else [path]


def _path_for(path: Path, format: str) -> Path:
    return path.with_suffix(f".{_FORMATS[format]}") if path.name else path


def _is_same(path: Path, other: Path) -> bool:
    return path.resolve() == other.resolve()
