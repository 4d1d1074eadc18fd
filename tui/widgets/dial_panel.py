"""Dials below one another, turned by keys or the mouse: the part of the voices panel that opens no dialogs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Click, Key
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from billy_mlx.tui.dials import DialRow, Dials, rows_of, set_to, stepped
from billy_mlx.tui.messages import BlendChanged
from billy_mlx.tui.widgets.dial_labels import DialLabel, Names, Notes, dial_labels, legend_of

_NUMBER, _MARKS = 6, 2  # columns


class Dial(Widget):
    """A row. It takes clicks; keys are the panel's."""

    DEFAULT_CSS = """
    Dial { height: 1; width: 1fr; }
    Dial.-dose { height: 3; }
    Dial.-chosen { text-style: bold; background: $boost; }
    """

    label: reactive[DialLabel] = reactive(DialLabel(""), layout=True)
    """What it shows."""
    chosen = reactive(False)
    """The keys turn this one."""

    @dataclass
    class Clicked(Message):
        """The dial was clicked, at a value if it was on the bar."""

        dial: "Dial"
        value: float | None

    def watch_label(self, label: DialLabel) -> None:
        """Make room for the scale."""
        self.set_class(bool(label.ticks), "-dose")

    def watch_chosen(self, chosen: bool) -> None:
        """Stand out."""
        self.set_class(chosen, "-chosen")

    def render(self) -> Content:
        """Return the row, as wide as there is room."""
        width, label = max(self.content_size.width, 16), self.label
        pointer = "▸" if self.chosen else " "
        line = Content(pointer + _spread(label.name, label.text, width - 1))
        if label.ticks:
            places = [(_cell(place, label, width), word) for place, word in label.ticks]
            scale = labels(places, width)
            return Content.assemble(line, "\n", (self._bar(width), "$primary"), "\n", (scale, "$text-muted"))
        if label.value is None:
            return line
        start, cells = self._bar_place()
        return Content.assemble(
            f"{pointer}{_fitted(label.name, start - 2)} ",
            (self._bar(cells), "$text-muted" if label.muted else "$primary"),
            f"{label.text:>{_NUMBER}}",
            (f"{label.marks:<{_MARKS}}"[:_MARKS], "$text-warning"),
        )

    def on_click(self, event: Click) -> None:
        """Say where on the bar the click was."""
        event.stop()
        start, cells = self._bar_place()
        label, place = self.label, event.x - start
        on_bar = 0 <= place < cells and (event.y > 0 or not label.ticks)
        value = None
        if label.value is not None and on_bar:
            share = place / max(cells - 1, 1)
            value = round((label.low + share * (label.high - label.low)) * 20) / 20 + 0.0
        self.post_message(self.Clicked(self, value))

    def _bar_place(self) -> tuple[int, int]:
        """Return the column where the bar begins, and how many it has: odd, so that it has a middle."""
        width = max(self.content_size.width, 16)
        if self.label.ticks:
            return 0, width
        rest = width - _NUMBER - _MARKS - 2
        cells = max(5, min(21, rest * 2 // 5)) // 2 * 2 + 1
        cells = cells if cells < rest else rest
        return width - _NUMBER - _MARKS - cells, cells

    def _bar(self, cells: int) -> str:
        label = self.label
        zero, end = _cell(0.0, label, cells), _cell(label.value or 0.0, label, cells)
        first, last = min(zero, end), max(zero, end)
        filled = "┅" if label.muted else "━"
        bar = [filled if first <= cell <= last and end != zero else "─" for cell in range(cells)]
        for place, _ in label.ticks:
            cell = _cell(place, label, cells)
            bar[cell] = "┿" if bar[cell] == "━" else "┼"
        if label.low < 0:
            bar[zero] = "│"
        return "".join(bar)


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
        """Take other dials from the writer, and say so if they make another blend."""
        before, self.dials = self.dials.blend(), dials
        after = dials.blend()
        if after != before:
            self.post_message(BlendChanged(after))

    def sync(self) -> None:
        """Show a row for each dial, and words about the one that is turned."""
        if not self._body.is_attached:
            return
        if self.row >= len(self._rows):
            self.row = len(self._rows) - 1  # comes here again
            return
        shown = dial_labels(self.dials, self.notes, self.names, advanced=self.advanced)
        self._fit(len(shown))
        for index, (dial, label) in enumerate(zip(self._shown, shown, strict=True)):
            dial.label, dial.chosen = label, index == self.row
        legend = legend_of(self.dials, self.kind, self.voice, self.notes, self.names)
        self.query_one("#legend", Static).update(legend)
        self.call_after_refresh(self._shown[self.row].scroll_visible, animate=False)

    @property
    def _rows(self) -> tuple[DialRow, ...]:
        return rows_of(self.dials, advanced=self.advanced)

    def _fit(self, count: int) -> None:
        """Show `count` dials."""
        new = [Dial() for _ in range(count - len(self._shown))]
        if new:
            self._body.mount(*new)
        for dial in self._shown[count:]:
            dial.remove()
        self._shown = [*self._shown[:count], *new]


def labels(places: Sequence[tuple[int, str]], width: int) -> str:
    """Return words on one line of `width`, each at its column or as near to it as the others leave it."""
    starts: list[int] = []
    free = 0
    for place, word in places:
        starts.append(max(place, free))
        free = starts[-1] + len(word) + 1
    line, end = [" "] * width, width
    for start, (_, word) in reversed([*zip(starts, places, strict=True)]):
        at = max(0, min(start, end - len(word)))
        line[at : at + len(word)] = word
        end = at - 1
    return "".join(line)


def _cell(value: float, label: DialLabel, cells: int) -> int:
    share = (value - label.low) / (label.high - label.low)
    return round(min(max(share, 0.0), 1.0) * (cells - 1))


def _spread(left: str, right: str, width: int) -> str:
    """Return `left` at the left and `right` at the right; what is too long loses its end."""
    right = Content(right).truncate(max(0, width - 8), ellipsis=True).plain
    return f"{_fitted(left, width - Content(right).cell_length - 1)} {right}"


def _fitted(text: str, width: int) -> str:
    return Content(text).truncate(max(0, width), ellipsis=True, pad=True).plain
