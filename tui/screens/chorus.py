"""The same continuation in several voices at once: side by side, or one below the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.message import Message
from textual.screen import ModalScreen, Screen
from textual.widgets import Footer, Label

from billy_mlx.blend.blend import Blend
from billy_mlx.manuscript.sentences import sentence_end
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.widgets.choices import Choices
from billy_mlx.tui.widgets.column import Column, named
from billy_mlx.write.desk import MOST_VOICES

_FEWEST = 2  # voices
_NARROWEST = 34  # cells of a column beside others


class ChorusScreen(Screen[None]):
    """Shows what the voices write; the screen below is told what the writer does, and acts.

    Args:
        voices: a blend's text form each; None is the unsteered model.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("chorus",)
    BINDINGS = bindings("anywhere", "chorus")  # type: ignore[assignment]
    DEFAULT_CSS = """
    ChorusScreen #columns { height: 1fr; layout: vertical; overflow-y: auto; }
    ChorusScreen #columns.-side { layout: horizontal; overflow-y: hidden; }
    ChorusScreen #columns.-side Column { height: 100%; }
    """

    @dataclass
    class Taken(Message):
        """A voice's text is to be put into the manuscript: all of it, or `length` more characters."""

        voice: int
        length: int | None

    class Again(Message):
        """All voices are to write once more; `begin` shows that."""

    class StopAll(Message):
        """All voices are to stop."""

    class ChooseVoices(Message):
        """The writer wants other voices."""

    def __init__(self, voices: tuple[str | None, ...]) -> None:
        super().__init__()
        self.voices = voices
        self._columns = [Column(blend) for blend in voices]

    def compose(self) -> ComposeResult:
        """Yield a column for each voice."""
        with Container(id="columns"):
            yield from self._columns
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Begin with the first voice."""
        self._columns[0].focus()

    def on_resize(self) -> None:
        """Put the columns side by side where there is room."""
        self._lay_out()

    def begin(self, voices: tuple[str | None, ...]) -> None:
        """Show these voices, which have written nothing yet."""
        self.voices = voices
        self._columns = [Column(blend) for blend in voices]
        container = self.query_one("#columns")
        container.remove_children()
        container.mount(*self._columns)
        self._lay_out()
        self.call_after_refresh(self._columns[0].focus)

    def texts(self) -> tuple[str, ...]:
        """Return what each voice has written."""
        return tuple(column.text for column in self._columns)

    def grow(self, voice: int, text: str) -> None:
        """Add to what a voice has written."""
        self._columns[voice].grow(text)

    def ended(self, voice: int) -> None:
        """Have a voice be over."""
        self._columns[voice].end()

    def took(self, voice: int, length: int) -> None:
        """Show how much of a voice's text is in the manuscript, where that is not what was wanted."""
        self._columns[voice].taken = length
        self._columns[voice].show()

    def coherence(self, voice: int, ratio: float) -> None:
        """Say how a voice's text holds together; see `engine.messages.Coherence`."""
        self._columns[voice].gauge(ratio)

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
        """Have this voice's text put into the manuscript."""
        column = self._columns[self._at()]
        if self._more(column):
            column.taken = len(column.text)
            self._say(self.Taken(self._at(), None))
            column.show()

    def action_chorus_take_sentence(self) -> None:
        """Have its next sentence put into the manuscript."""
        column = self._columns[self._at()]
        if self._more(column):
            end = sentence_end(column.text, column.taken)
            self._say(self.Taken(self._at(), end - column.taken))
            column.taken = end
            column.show()

    def action_chorus_again(self) -> None:
        """Have all write once more."""
        self._say(self.Again())

    def action_chorus_stop(self) -> None:
        """Have all stop."""
        self._say(self.StopAll())

    def action_chorus_voices(self) -> None:
        """Have other voices chosen."""
        self._say(self.ChooseVoices())

    def action_back(self) -> None:
        """Go back to the page."""
        self.dismiss(None)

    def _say(self, message: Message) -> None:
        """Tell the screen below: what a screen posts to itself would only reach the app."""
        self.app.screen_stack[self.app.screen_stack.index(self) - 1].post_message(message)

    def _at(self) -> int:
        return next((index for index, column in enumerate(self._columns) if column.has_focus), 0)

    def _go(self, by: int) -> None:
        self._columns[(self._at() + by) % len(self._columns)].focus()

    def _more(self, column: Column) -> bool:
        if column.taken < len(column.text):
            return True
        self.notify("There is no more of this voice yet.", markup=False)
        return False

    def _lay_out(self) -> None:
        self.query_one("#columns").set_class(self.size.width // len(self._columns) >= _NARROWEST, "-side")

    def _scrolling(self) -> Container | Column:
        container = self.query_one("#columns", Container)
        return self._columns[self._at()] if container.has_class("-side") else container


class ChorusVoices(ModalScreen[tuple[str | None, ...] | None]):
    """Asks which voices sing; gives 2 to 6 of them, or None.

    Args:
        blend: what the page is written with.
        saved: the blends that the writer kept, by name.
        chosen: those that are marked to begin with.
    """

    BINDINGS = bindings("anywhere")  # type: ignore[assignment]
    DEFAULT_CSS = """
    ChorusVoices { align: center middle; }
    ChorusVoices > Vertical {
        width: 76; max-width: 100%; height: auto; max-height: 90%; padding: 0 1;
        background: $surface; border: round $primary;
    }
    ChorusVoices Label { width: 100%; }
    ChorusVoices Choices, ChorusVoices Choices:focus { height: auto; max-height: 16; border: none; padding: 0; }
    """

    def __init__(self, blend: str | None, saved: Mapping[str, str], chosen: Sequence[str | None] = ()) -> None:
        super().__init__()
        self._rows = candidates(blend, saved)
        for voice in chosen:
            self._rows.setdefault(voice, named(voice))
        self._marked = [index for index, voice in enumerate(self._rows) if voice in chosen]

    def compose(self) -> ComposeResult:
        """Yield the list."""
        with Vertical():
            yield Label(f"Who sings? {_FEWEST} to {MOST_VOICES} voices. Space: mark   Enter: done   Esc: leave it")
            yield Choices(list(self._rows.values()), self._marked)

    def on_choices_done(self, event: Choices.Done) -> None:
        """Give the voices, if they are neither too few nor too many."""
        event.stop()
        if _FEWEST <= len(event.chosen) <= MOST_VOICES:
            voices = list(self._rows)
            self.dismiss(tuple(voices[index] for index in event.chosen))
        else:
            self.notify(
                f"{len(event.chosen)} are marked; a chorus has {_FEWEST} to {MOST_VOICES} voices.", markup=False
            )

    def action_back(self) -> None:
        """Choose none."""
        self.dismiss(None)


def candidates(blend: str | None, saved: Mapping[str, str]) -> dict[str | None, str]:
    """Return who could sing, and what to show of each: the blend, its personas alone, saved blends, the control."""
    rows: dict[str | None, str] = {}
    if blend is not None:
        whole = Blend.parse(blend)
        rows[blend] = f"{blend}, as it is now"
        for persona_id, alone in zip(whole.persona_ids, alone_in(whole), strict=True):
            rows.setdefault(alone, f"{persona_id} alone")
    for name, text in saved.items():
        rows.setdefault(text, f"{name}: {text}")
    rows[None] = named(None)
    return rows


def alone_in(blend: Blend) -> list[str]:
    """Return each persona of a blend by itself, in the same mode and at the same dose."""
    return [str(Blend(((persona, 1.0),), dose=blend.dose, mode=blend.mode)) for persona in blend.persona_ids]
