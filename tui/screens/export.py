"""Export the text for other programs and for readers, and show the first page of it before."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import ClassVar, TypeVar, cast

from textual import work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Label, OptionList, Static

from billy_mlx.errors import BillyError, ManuscriptError
from billy_mlx.files import replace_file
from billy_mlx.formats.documents.book import NO_DATE, Book, Template, read_cover
from billy_mlx.formats.documents.document import Block, Document, laid_out
from billy_mlx.formats.documents.markdown_in import document_of
from billy_mlx.formats.documents.plain import SCENE_BREAK
from billy_mlx.manuscript.exporting import (
    Edition,
    Format,
    Provenance,
    book_of,
    cover_named,
    export,
    keep_edition,
    left_out,
    paragraphs_of_manuscript,
    read_edition,
)
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.passage import Passage
from billy_mlx.manuscript.prose import Author, Prose
from billy_mlx.paths import documents_folder
from billy_mlx.text import sanitize, visible
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.screens.dialogs import Confirm, typed_path
from billy_mlx.tui.screens.settings import PARAGRAPHS, SettingsList
from billy_mlx.tui.setting_fields import Setting, setting

_FORMATS = {
    "Word": Format.DOCX,
    "EPUB": Format.EPUB,
    "Markdown": Format.MARKDOWN,
    "plain text": Format.PLAIN,
    "HTML": Format.HTML,
}
_TEMPLATES = {"as a book": Template.BOOK, "for editors (Shunn)": Template.SHUNN}
_PROVENANCES = {
    "not marked": Provenance.NONE,
    "in footnotes": Provenance.FOOTNOTES,
    "in a separate file": Provenance.SIDECAR,
}
_WORDS = ("title", "author", "language", "description", "cover")
_FIRST_CHARACTERS = 4000  # of Markdown, that are shown
_FIRST_BLOCKS = 60
_INDENT = "    "
_MIDDLE = " " * 20
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Exporting:
    """What is to be written, and where to."""

    format: str = setting("Word", Setting("Format", "What kind of file to write.", (*_FORMATS,)))
    path: str = setting("", Setting("File", "Where to write it. You are asked before a file is overwritten."))
    title: str = setting("", Setting("Title", "The title of the book."))
    author: str = setting("", Setting("Author", "The author of the book."))
    language: str = setting("en", Setting("Language", "A code such as en or pt-BR, for e-readers."))
    description: str = setting("", Setting("Description", "What the book is about, for EPUB and HTML."))
    cover: str = setting(
        "",
        Setting(
            "Cover", "A picture for the cover of an EPUB: JPEG, PNG, GIF or WebP.", check=lambda path: _cover(path)
        ),
    )
    template: str = setting(
        "as a book",
        Setting("Look of Word", "Shunn is what editors ask for: double spaced, with a header.", (*_TEMPLATES,)),
    )
    provenance: str = setting(
        "not marked",
        Setting("Who wrote what", "Whether to say which passages a model wrote, and how.", (*_PROVENANCES,)),
    )
    paragraphs: str = setting(
        "blank lines separate them",
        Setting("Paragraphs", "What a paragraph is in this text, as it was found; change it here.", (*PARAGRAPHS,)),
    )


@dataclass(frozen=True)
class _Source:
    """What is exported, taken from the manuscript before a thread goes to work on it."""

    prose: Prose
    passages: Mapping[Author, Passage]
    date: datetime


class ExportScreen(Screen[Path | None]):
    """Asks what to export and where to, shows the first page of it, and does it; gives the path of what was written.

    Args:
        manuscript: what is exported.
        author: whose it is, as far as the settings say.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("export", "settings")
    BINDINGS = bindings("export", "anywhere")  # type: ignore[assignment]
    DEFAULT_CSS = """
    ExportScreen > Label { width: 100%; padding: 0 1; }
    ExportScreen > .heading { text-style: bold; color: $primary; }
    ExportScreen SettingsList, ExportScreen SettingsList:focus { height: auto; max-height: 60%; border: none; }
    ExportScreen #about { height: 2; color: $text-muted; }
    ExportScreen #notes { height: auto; max-height: 3; color: $warning; }
    ExportScreen #first { height: 1fr; min-height: 3; padding: 0 1; background: $surface; }
    """

    def __init__(self, manuscript: Manuscript, author: str = "") -> None:
        super().__init__()
        self._manuscript = manuscript
        self._mine = documents_folder() / manuscript.path.name if manuscript.untitled else manuscript.path
        self._found = paragraphs_of_manuscript(manuscript.text)
        self._settled = self._found.certain
        self._unchanged = self._offered(author)
        self._rows = SettingsList(_as_kept(self._unchanged, read_edition(manuscript.folder)))
        self._settled |= self._wanted.paragraphs != self._unchanged.paragraphs

    def compose(self) -> ComposeResult:
        """Yield the rows, what is left out, the first page, and what there is to say about the row that is chosen."""
        yield Label("Export: choose, then press the key for Export below", classes="heading")
        yield self._rows
        yield Label("", id="notes", markup=False)
        with VerticalScroll(id="first"):
            yield Static("", id="page", markup=False)
        yield Label("", id="about", markup=False)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Show the first page."""
        self._look()

    def _offered(self, author: str) -> Exporting:
        """Return what is offered for this text before anything is chosen."""
        text = self._manuscript.text
        book, cover = book_of(text), cover_named(text, self._mine)
        return Exporting(
            path=str(_path_for(self._mine, "Word")),
            title=book.title or self._mine.stem,
            author=book.author or author,
            language=book.language,
            description=book.description,
            cover="" if cover is None else str(cover),
            paragraphs=_name_of(PARAGRAPHS, self._found.way),
        )

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Say what the row is about."""
        self.query_one("#about", Label).update(self._rows.about(event.option_id or ""))

    def on_settings_list_changed(self, event: SettingsList.Changed) -> None:
        """Give the file the ending of its format."""
        if event.name == "format":
            path = _path_for(Path(self._wanted.path), str(event.value))
            self._rows.change("path", str(self._beside(path)))
        self._settled |= event.name == "paragraphs"
        if event.name != "path":
            self._look()

    def action_export_write(self) -> None:
        """Write it; ask first, if it is not certain what a paragraph is, or if something is there."""
        if self._settled or self._wanted.format == "Markdown":
            self._export()
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._settled = True
                self._export()
            else:
                self._rows.highlighted = self._rows.get_option_index("paragraphs")

        question = f"What a paragraph is here is a guess: {self._wanted.paragraphs}. Export it so?"
        self.app.push_screen(Confirm(question, "Yes, export", "Choose"), answered)

    def _export(self) -> None:
        paths = _paths(self._wanted)
        if any(path.exists() and not path.is_file() for path in paths):
            self.notify("This is not a file. Choose another name.", severity="warning", markup=False)
            return
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

    @work(thread=True, group="look", exit_on_error=False)  # whoever leaves does not wait for it
    def _look(self) -> None:
        """Show the first page and what is left out once that is known, unless something else is wanted by then."""
        wanted, text = self._wanted, self._manuscript.text
        format, way = _FORMATS[wanted.format], PARAGRAPHS[wanted.paragraphs]
        document = document_of(text, way)
        if document.title and wanted.title == self._unchanged.title == self._mine.stem:
            self._unchanged = replace(self._unchanged, title=document.title)
            self.app.call_from_thread(self._rows.change, "title", document.title)
        notes = left_out(text, format, document, way)
        page = (
            text[:_FIRST_CHARACTERS]
            if format is Format.MARKDOWN
            else first_page(document, _book(wanted, NO_DATE, cover=False))
        )
        self.app.call_from_thread(self._show, wanted, page, notes)

    def _show(self, wanted: Exporting, page: Content | str, notes: Sequence[str]) -> None:
        if not self.is_attached or replace(wanted, path="") != replace(self._wanted, path=""):
            return
        self.query_one("#page", Static).update(visible(page) if isinstance(page, str) else page)
        guess = "" if self._settled else "What a paragraph is in this text is a guess; see below. "
        left = f"Not exported: {'; '.join(notes)}" if notes else ""
        self.query_one("#notes", Label).update(guess + left)

    @work(thread=True, exclusive=True, group="write")
    def _write(self, source: _Source, wanted: Exporting) -> None:
        try:
            path = _written(source, wanted)
            with suppress(BillyError):  # a convenience: what was asked for is written
                keep_edition(self._manuscript.folder, _edition(wanted, self._unchanged))
        except BillyError as error:
            self.app.call_from_thread(self.notify, str(error), severity="error", markup=False)
        else:
            self.app.call_from_thread(self._done, path)

    def _done(self, path: Path) -> None:
        self.notify(sanitize(f"{path} is saved."), markup=False)
        self.dismiss(path)


def first_page(text: Document, book: Book) -> Content:
    """Return title, author and the first paragraphs as readers see them, indented but after a heading or break."""
    lines = [Content.styled(_MIDDLE + visible(one), "bold") for one in (book.title, book.author) if one.strip()]
    numbers = text.numbers
    before: Block | None = None
    for block in islice(text.below(book.title).blocks, _FIRST_BLOCKS):
        lines += _block(block, before, numbers)
        before = block
    return Content("\n").join(lines)


def _block(block: Block, before: Block | None, numbers: dict[str, int]) -> list[Content]:
    if block.kind == "break":
        return [Content(_MIDDLE + SCENE_BREAK)]
    text = visible("".join(f"[{numbers[run.note]}]" if run.note else run.text for run in block.runs))
    if block.kind == "heading":
        return [Content(""), Content.styled(_MIDDLE + text, "bold"), Content("")]
    if block.inside or block.kind == "code":
        return [Content(line) for line in laid_out([block], lambda _: text, quote=_INDENT).rstrip("\n").split("\n")]
    goes_on = before is not None and before.kind == "paragraph" and not before.inside
    return [Content(line) for line in ((_INDENT if goes_on and "\n" not in text else "") + text).split("\n")]


def _written(source: _Source, wanted: Exporting) -> Path:
    """Write the files of an export, and return the path of the text."""
    files = export(
        source.prose,
        _FORMATS[wanted.format],
        _book(wanted, source.date),
        passages=source.passages,
        provenance=_PROVENANCES[wanted.provenance],
        way=PARAGRAPHS[wanted.paragraphs],
        template=_TEMPLATES[wanted.template],
    )
    paths = _paths(wanted)
    for path, content in zip(paths, files.values(), strict=True):
        try:
            replace_file(Path(os.path.realpath(path)), content)
        except OSError as error:
            raise ManuscriptError(
                f"{sanitize(str(path))} was not saved: {error.strerror or error}; choose another place"
            ) from error
    return paths[0]


def _book(wanted: Exporting, date: datetime, *, cover: bool = True) -> Book:
    shown = _cover(wanted.cover) if cover and wanted.format == "EPUB" else None
    return Book(wanted.title, wanted.author, wanted.language, date, wanted.description, shown)


def _cover(path: str) -> bytes | None:
    return read_cover(typed_path(path)) if path.strip() else None


def _as_kept(offered: Exporting, kept: Edition) -> Exporting:
    """Return what is offered, but where something else was chosen before."""
    words = {name: getattr(kept, name) or getattr(offered, name) for name in _WORDS}
    way = offered.paragraphs if kept.paragraphs is None else _name_of(PARAGRAPHS, kept.paragraphs)
    return replace(offered, **words, paragraphs=way, template=_name_of(_TEMPLATES, kept.template))


def _edition(wanted: Exporting, offered: Exporting) -> Edition:
    """Return what was chosen: what is as it was offered follows the text as before."""
    words = {name: getattr(wanted, name) for name in _WORDS if getattr(wanted, name) != getattr(offered, name)}
    way = None if wanted.paragraphs == offered.paragraphs else PARAGRAPHS[wanted.paragraphs]
    return Edition(**words, paragraphs=way, template=_TEMPLATES[wanted.template])


def _name_of(names: Mapping[str, _Value], value: _Value) -> str:
    return next(name for name, each in names.items() if each is value)


def _paths(wanted: Exporting) -> list[Path]:
    """Return where the files of an export go: the text, and what is beside it."""
    path = typed_path(wanted.path)
    beside = _PROVENANCES[wanted.provenance] is Provenance.SIDECAR
    return [path, path.with_suffix(".provenance.json")] if beside else [path]


def _path_for(path: Path, format: str) -> Path:
    return path.with_suffix(f".{_FORMATS[format]}") if path.name else path


def _is_same(path: Path, other: Path) -> bool:
    return os.path.realpath(path) == os.path.realpath(other)  # which also ends for links that lead in a circle
