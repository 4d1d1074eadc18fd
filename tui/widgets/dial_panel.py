"""Dials one below the other, turned by keys or the mouse: the part of the voices panel that knows no dialogs."""

from collections.abc import Mapping
from dataclasses import replace

from textual.containers import VerticalScroll
from textual.events import Key
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from billy_mlx.tui.dials import Dials
from billy_mlx.tui.messages import BlendChanged
from billy_mlx.tui.naming import Names
from billy_mlx.tui.turning import DialRow, rows_of, set_to, stepped
from billy_mlx.tui.widgets.dial import Dial
from billy_mlx.tui.widgets.faces import Notes, faces_of, legend_of


class DialPanel(Widget, can_focus=True):
    """The dials of a blend. Posts `BlendChanged` whenever the writer makes another blend of it.

    Attributes:
        notes: what is known of the vectors, by persona id; None while no model is there.
        names: what people call a persona, by id.
        layer_count: how many layers the model has; None while there is none.
    """

    DEFAULT_CSS = """
    DialPanel { width: 28; height: 1fr; layout: vertical; }
    DialPanel #dials { height: 1fr; scrollbar-size-vertical: 1; }
    DialPanel #legend { height: auto; max-height: 5; color: $text-muted; }
    """

    dials: reactive[Dials] = reactive(Dials())
    """The blend, and who is left out of it for now."""
    row: reactive[int] = reactive(0)
    """Which dial the keys turn, from the top."""
    advanced: reactive[bool] = reactive(False)
    """Whether mode, layers and positions are shown."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.notes: Notes = None
        self.names: Names = {}
        self.layer_count: int | None = None
        self._body = VerticalScroll(id="dials", can_focus=False)
        self._shown: list[Dial] = []

    def fill(self) -> None:
        """Put the dials in, if they are not there yet: a page is on the screen before them."""
        if self.is_attached and not self._body.is_attached:
            self.mount(*self.parts())

    def parts(self) -> tuple[Widget, ...]:
        """Return the dials, and the words about one of them."""
        return self._body, Static(id="legend", markup=False)

    def watch_dials(self) -> None:
        """Show the dials."""
        self.sync()

    def watch_row(self) -> None:
        """Show which dial the keys turn."""
        self.sync()

    def watch_advanced(self) -> None:
        """Show or hide the fold."""
        self.sync()

    def on_key(self, event: Key) -> None:
        """Set a dial in tenths by a digit."""
        if event.character is not None and event.character in "0123456789":
            event.stop()
            self.change(set_to(self.dials, self.kind, self.voice, int(event.character) / 10))

    def on_dial_clicked(self, event: Dial.Clicked) -> None:
        """Turn the dial that was clicked to where it was clicked."""
        event.stop()
        self.focus()
        self.row = self._shown.index(event.dial)
        if event.value is not None:
            self.change(set_to(self.dials, self.kind, self.voice, event.value))

    def action_voice_next(self) -> None:
        """Go down."""
        self.row = min(self.row + 1, len(self._rows) - 1)

    def action_voice_previous(self) -> None:
        """Go up."""
        self.row = max(self.row - 1, 0)

    def action_voice_more(self) -> None:
        """Turn up a little."""
        self.step(1)

    def action_voice_less(self) -> None:
        """Turn down a little."""
        self.step(-1)

    def action_voice_much_more(self) -> None:
        """Turn up a lot."""
        self.step(1, coarse=True)

    def action_voice_much_less(self) -> None:
        """Turn down a lot."""
        self.step(-1, coarse=True)

    def action_voice_mute(self) -> None:
        """Leave a voice out, or let it speak again."""
        if self.kind is DialRow.VOICE:
            voice = self.dials.voices[self.voice]
            self.change(self.dials.with_voice(self.voice, replace(voice, muted=not voice.muted)))

    def action_voice_invert(self) -> None:
        """Turn a weight round."""
        if self.kind is DialRow.VOICE:
            self.change(set_to(self.dials, self.kind, self.voice, 0.0 - self.dials.voices[self.voice].weight))

    def action_voice_remove(self) -> None:
        """Take a voice out; on the row of the layers, leave them to the vectors."""
        if self.kind is DialRow.VOICE:
            self.change(self.dials.without(self.voice))
        elif self.kind is DialRow.LAYERS:
            self.change(replace(self.dials, layers=None))

    def action_blend_advanced(self) -> None:
        """Show or hide what few need."""
        self.advanced = not self.advanced

    # For the panel that is made of this.

    @property
    def kind(self) -> DialRow:
        """What the keys turn."""
        return self._rows[self.row]

    @property
    def voice(self) -> int:
        """Which voice the keys turn, where they turn one."""
        return self.row - 1

    @property
    def known(self) -> Mapping[str, object]:
        """Personas that have a vector, by id."""
        return self.notes or {}

    def step(self, step: int, *, coarse: bool = False) -> None:
        """Turn by a step up (1) or down (-1)."""
        notes, count = self.notes or {}, self.layer_count
        self.change(stepped(self.dials, self.kind, self.voice, step, notes, coarse=coarse, layer_count=count))

    def change(self, dials: Dials) -> None:
        """Have other dials because the writer wants it, and tell if that is another blend."""
        before, self.dials = self.dials.blend(), dials
        after = dials.blend()
        if after != before:
            self.post_message(BlendChanged(after))

    def sync(self) -> None:
        """Have a row for each dial, and words about the one that is turned."""
        if not self._body.is_attached:
            return
        if self.row >= len(self._rows):
            self.row = len(self._rows) - 1  # comes here again
            return
        faces = faces_of(self.dials, self.notes, self.names, advanced=self.advanced)
        self._fit(len(faces))
        for index, (dial, face) in enumerate(zip(self._shown, faces, strict=True)):
            dial.face, dial.chosen = face, index == self.row
        legend = legend_of(self.dials, self.kind, self.voice, self.notes, self.names)
        self.query_one("#legend", Static).update(legend)
        self.call_after_refresh(self._shown[self.row].scroll_visible, animate=False)

    @property
    def _rows(self) -> tuple[DialRow, ...]:
        return rows_of(self.dials, advanced=self.advanced)

    def _fit(self, count: int) -> None:
        """Have `count` dials."""
        new = [Dial() for _ in range(count - len(self._shown))]
        if new:
            self._body.mount(*new)
        for dial in self._shown[count:]:
            dial.remove()
        self._shown = [*self._shown[:count], *new]
