"""What the model should always know: memory, author's note, lorebook."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Input, Label, OptionList, Static
from textual.widgets.option_list import Option

from billy_mlx.errors import BillyError
from billy_mlx.formats.lorebooks.foreign_lorebook import read_lorebook
from billy_mlx.formats.lorebooks.lorebook import MOST_ENTRIES, Entry, Lorebook
from billy_mlx.manuscript.context.guide import Guide
from billy_mlx.text import sanitize
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.screens.dialogs import Ask, Confirm, bytes_of, typed_path
from billy_mlx.tui.widgets.fields import LineField, TextField

_MOST_BYTES = 17 << 20  # one more than a lorebook may have, so that it is refused and not cut


class GuideScreen(Screen[Guide | None]):
    """Memory, author's note and lorebook; gives the guide as it was changed, or None.

    Args:
        guide: as it is.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("guide",)
    BINDINGS = bindings("guide", "anywhere")  # type: ignore[assignment]
    DEFAULT_CSS = """
    GuideScreen Label { width: 1fr; padding: 0 1; color: $text-muted; }
    GuideScreen TextField { height: 1fr; border: round $surface-lighten-2; padding: 0; }
    GuideScreen TextField:focus, GuideScreen OptionList:focus { border: round $primary; }
    GuideScreen OptionList { height: 1fr; border: round $surface-lighten-2; }
    GuideScreen VerticalScroll { height: auto; max-height: 7; border: round $warning; padding: 0 1; display: none; }
    GuideScreen VerticalScroll.shown { display: block; }
    GuideScreen Horizontal { height: 1; }
    GuideScreen LineField, GuideScreen LineField:focus { width: 8; height: 1; border: none; padding: 0 1; }
    """

    def __init__(self, guide: Guide) -> None:
        super().__init__()
        self._guide = guide
        self._lorebook = guide.lorebook
        self._lost: tuple[str, ...] = ()  # of the lorebooks that were imported

    def compose(self) -> ComposeResult:
        """Yield the fields and the entries."""
        yield Label("Memory: always told to the model, before anything else")
        yield TextField(self._guide.memory, id="memory")
        yield Label("Author's note: how to continue, told near the end of the text")
        yield TextField(self._guide.note, id="note")
        with Horizontal():
            yield Label("How many paragraphs before the cursor should the note go?")
            yield LineField(str(self._guide.note_depth), id="depth", type="integer")
        yield Label("Lorebook: told when the text mentions it. Enter: on or off", id="book")
        yield OptionList(*self._options(), markup=False)
        with VerticalScroll() as notes:
            notes.border_title = "What was not taken over"
            yield Static(markup=False, id="notes")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Begin at the memory."""
        self.query_one("#memory").focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Turn an entry on or off."""
        entries = list(self._lorebook.entries)
        entries[event.option_index] = replace(
            entries[event.option_index], enabled=not entries[event.option_index].enabled
        )
        self._lorebook = replace(self._lorebook, entries=tuple(entries))
        event.option_list.replace_option_prompt_at_index(event.option_index, _row(entries[event.option_index]))

    def action_guide_import(self) -> None:
        """Ask for a lorebook file, and take its entries in; what of it is lost stays to be read until this is saved."""

        def answered(path: str | None) -> None:
            if path:
                self._import(typed_path(path))

        self.app.push_screen(Ask("Which lorebook? Give the path of its file"), answered)

    def action_guide_keep(self) -> None:
        """Give the guide as it is now."""
        try:
            guide = self._changed()
        except ValueError:
            self.notify(
                "The note goes 1 to 1,000 paragraphs before the cursor; give such a number.",
                severity="warning",
                markup=False,
            )
            self.query_one("#depth").focus()
        else:
            self.dismiss(None if guide == self._guide else guide)

    def action_back(self) -> None:
        """Go back; ask first, if something was changed."""
        try:
            if self._changed() == self._guide:
                self.dismiss(None)
                return
        except ValueError:
            pass

        def answered(keep: bool | None) -> None:
            if keep:
                self.action_guide_keep()
            elif keep is not None:
                self.dismiss(None)

        self.app.push_screen(Confirm("Save your changes?", "Save", "Discard"), answered)

    @work(thread=True, exclusive=True)
    def _import(self, path: Path) -> None:
        try:
            lorebook, notes = read_lorebook(bytes_of(path, _MOST_BYTES), path.name)
        except BillyError as error:
            self.app.call_from_thread(self.notify, str(error), severity="error", markup=False)
        else:
            self.app.call_from_thread(self._take_in, lorebook, notes)

    def _take_in(self, lorebook: Lorebook, notes: tuple[str, ...]) -> None:
        entries = self._lorebook.entries + lorebook.entries
        if len(entries) > MOST_ENTRIES:
            self.notify(f"The lorebook would have more than {MOST_ENTRIES:,} entries.", severity="error")
            return
        self._lorebook = replace(self._lorebook, entries=entries)
        rows = self.query_one(OptionList)
        rows.clear_options()
        rows.add_options(self._options())
        self.notify(f"{_entries(len(lorebook.entries))} imported.", markup=False)
        self._lost += notes
        self.query_one("#notes", Static).update("\n".join(sanitize(note) for note in self._lost))
        self.query_one(VerticalScroll).set_class(bool(self._lost), "shown")

    def _changed(self) -> Guide:
        """Return the guide as it stands on the screen. Raises ValueError if the paragraph is no number that will do."""
        memory, note = (self.query_one(f"#{field}", TextField).text for field in ("memory", "note"))
        depth = int(self.query_one("#depth", Input).value)
        return replace(self._guide, memory=memory, note=note, note_depth=depth, lorebook=self._lorebook)

    def _options(self) -> list[Option]:
        return [Option(_row(entry)) for entry in self._lorebook.entries]


def _entries(count: int) -> str:
    return "1 entry was" if count == 1 else f"{count:,} entries were"


def _row(entry: Entry) -> str:
    keys = "always" if entry.always else ", ".join(entry.keys) or "no keys"
    return sanitize(f"[{'x' if entry.enabled else ' '}] {entry.name}: {keys}").replace("\n", " ")
