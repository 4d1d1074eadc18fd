"""The same continuation in several voices at once: side by side, or one below the other."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.events import Key
from textual.screen import Screen
from textual.widgets import Footer, Label, Static

from billy_mlx.text import sanitize
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.widgets.status import FRAYING
from billy_mlx.words import count_words

if TYPE_CHECKING:
    from billy_mlx.tui.page.chorus import ChorusCommands


class ChorusColumn(VerticalScroll, inherit_bindings=False):
    """One voice: its name, how it is, and its text.

    Args:
        name: what it is called; safe to show.

    Attributes:
        text: what it has written, as it is.
        taken: how many characters of it are in the manuscript.
    """

    DEFAULT_CSS = """
    ChorusColumn { width: 1fr; height: auto; min-height: 4; border: solid $surface-lighten-2; padding: 0 1; }
    ChorusColumn:focus { border: heavy $primary; }
    ChorusColumn Label { width: 100%; text-style: bold; }
    ChorusColumn #state { color: $text-muted; text-style: none; }
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.text, self.taken = "", 0
        self._called, self._state, self._holds = name, "waiting", ""
        self._heading, self._below = Label("", markup=False), Label("", id="state", markup=False)
        self._shown = Static("", markup=False)

    def compose(self) -> ComposeResult:
        """Yield heading, state and text."""
        yield self._heading
        yield self._below
        yield self._shown

    def on_mount(self) -> None:
        """Show what is known."""
        self.show()

    def on_focus(self) -> None:
        """Mark it, also where heavy lines look like light ones."""
        self.show()

    def on_blur(self) -> None:
        """Take the mark away."""
        self.show()

    def show_text(self, text: str, taken: int, *, over: bool) -> None:
        """Show this text, of which `taken` characters are in the manuscript; `over` if no more of it comes."""
        self.text, self.taken = text, taken
        self._state = "done" if over else "writing" if text else "waiting"
        if self.is_mounted:
            self.show()

    def call(self, name: str) -> None:
        """Give it another name; safe to show."""
        self._called = name
        self.show()

    def gauge(self, ratio: float) -> None:
        """Say how its text holds together; see `engine.messages.Coherence`."""
        self._holds = "! frays: lower the dose" if ratio >= FRAYING else "holds together"
        self.show()

    def show(self) -> None:
        """Paint it."""
        self._heading.update(f"{'»' if self.has_focus else ' '} {self._called}")
        parts = [self._state, self._holds, self._said_of_taken()]
        self._below.update("  " + " · ".join(part for part in parts if part))
        taken, rest = self.text[: self.taken], self.text[self.taken :]
        self._shown.update(Content.assemble((sanitize(taken), "$text-muted"), sanitize(rest)))

    def _said_of_taken(self) -> str:
        if not self.taken:
            return ""
        words = count_words(self.text[: self.taken])
        some = "1 word" if words == 1 else f"{words} words"
        return "✓ taken" if self.taken == len(self.text) else f"✓ {some} taken"


_NARROWEST = 34  # cells of a column beside others
_LINES_BEFORE = 2  # of the manuscript


class ChorusScreen(Screen[None]):
    """Shows what the voices write.

    Args:
        names: what the voices are called; safe to show.
        commands: does what the writer wants.

    Attributes:
        message: the sentence that is shown; empty once it was read.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("chorus",)
    BINDINGS = bindings("anywhere", "chorus")  # type: ignore[assignment]
    DEFAULT_CSS = """
    ChorusScreen #before { width: 100%; height: auto; max-height: 2; padding: 0 1; color: $text-muted; }
    ChorusScreen #columns { height: 1fr; layout: vertical; overflow-y: auto; }
    ChorusScreen #columns.-side { layout: horizontal; overflow-y: hidden; }
    ChorusScreen #columns.-side ChorusColumn { height: 100%; }
    ChorusScreen #message { width: 100%; height: auto; max-height: 3; padding: 0 1; color: $text-warning; }
    """

    def __init__(self, names: Sequence[str], commands: "ChorusCommands") -> None:
        super().__init__()
        self._commands = commands
        self._columns = [ChorusColumn(name) for name in names]
        self.message = self._text_before = ""
        self._before = Label("", id="before", markup=False)
        self._message = Label("", id="message", markup=False)
        self._message.display = False

    def compose(self) -> ComposeResult:
        """Yield the text before, a column for each voice, and a line for words."""
        yield self._before
        with Container(id="columns"):
            yield from self._columns
        yield self._message
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Begin with the first voice."""
        self._columns[0].focus()

    def on_resize(self) -> None:
        """Put the columns side by side where there is room."""
        self._lay_out()
        self.show_before(self._text_before)

    def on_key(self, _: Key) -> None:
        """Take the last sentence away: it was read."""
        self.message = ""
        self._message.display = False

    # What is shown.

    def begin(self, names: Sequence[str]) -> None:
        """Show these voices, which have written nothing yet."""
        self._columns = [ChorusColumn(name) for name in names]
        container = self.query_one("#columns")
        container.remove_children()
        container.mount(*self._columns)
        self._lay_out()
        self.call_after_refresh(self._columns[0].focus)

    def name_voices(self, names: Sequence[str]) -> None:
        """Say who they are."""
        for column, name in zip(self._columns, names, strict=True):
            column.call(name)

    def show_voice(self, voice: int, text: str, taken: int = 0, *, over: bool = False) -> None:
        """Show what a voice has written, and how many characters of it are in the manuscript."""
        self._columns[voice].show_text(text, taken, over=over)

    def show_before(self, text: str) -> None:
        """Show the end of the text that the voices continue."""
        self._text_before = text
        if self.is_attached:
            room = _LINES_BEFORE * max(self.app.size.width - 6, 20)
            words = " ".join(sanitize(text).split())
            self._before.update(words if len(words) <= room else f"… {words[-room:].partition(' ')[2]}")

    def coherence(self, voice: int, ratio: float) -> None:
        """Say how a voice's text holds together; see `engine.messages.Coherence`."""
        self._columns[voice].gauge(ratio)

    def show_status(self, sentence: str) -> None:
        """Show a sentence until the next key."""
        self.message = sentence
        self._message.update(sanitize(sentence))
        self._message.display = True

    # What the writer does.

    def action_chorus_next(self) -> None:
        """Go to the next voice."""
        self._go(1)

    def action_chorus_previous(self) -> None:
        """Go to the voice before."""
        self._go(-1)

    def action_chorus_down(self) -> None:
        """Scroll down."""
        self._scrolling().scroll_page_down(animate=False)

    def action_chorus_up(self) -> None:
        """Scroll up."""
        self._scrolling().scroll_page_up(animate=False)

    def action_chorus_take(self) -> None:
        """Put all that this voice wrote into the text."""
        self._take(sentence=False)

    def action_chorus_take_sentence(self) -> None:
        """Put its next sentence into the text."""
        self._take(sentence=True)

    def action_chorus_take_back(self) -> None:
        """Undo what was taken last."""
        self._commands.undo()

    def action_chorus_again(self) -> None:
        """Let all voices write on."""
        self._commands.again()

    def action_chorus_before(self) -> None:
        """Show what they wrote before."""
        self._commands.before()

    def action_chorus_stop(self) -> None:
        """Stop all voices."""
        self._commands.stop()

    def action_chorus_voices(self) -> None:
        """Choose which voices write."""
        self._commands.choose_voices()

    def action_chorus_blind(self) -> None:
        """Hide the names, or show them, from the next time on."""
        self._commands.turn_blind()

    def action_back(self) -> None:
        """Go back to the page."""
        self.dismiss(None)

    def _take(self, *, sentence: bool) -> None:
        column = self._columns[self._at()]
        if column.taken < len(column.text):
            self._commands.take(self._at(), sentence=sentence)
        else:
            self.show_status("This voice has nothing more yet.")

    def _at(self) -> int:
        return next((index for index, column in enumerate(self._columns) if column.has_focus), 0)

    def _go(self, by: int) -> None:
        self._columns[(self._at() + by) % len(self._columns)].focus()

    def _lay_out(self) -> None:
        self.query_one("#columns").set_class(self.size.width // len(self._columns) >= _NARROWEST, "-side")

    def _scrolling(self) -> Container | ChorusColumn:
        container = self.query_one("#columns", Container)
        return self._columns[self._at()] if container.has_class("-side") else container
