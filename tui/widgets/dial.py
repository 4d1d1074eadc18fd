"""One row of the voices panel: a name, a bar and a number; and the dose with its scale below it."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

_NUMBER, _MARKS = 6, 2  # columns


@dataclass(frozen=True)
class Face:
    """What a dial shows.

    Attributes:
        label: safe to show.
        text: the value in words or as a number.
        value: what the bar shows; None for a row without one.
        low: where the bar begins.
        high: where it ends.
        marks: signs at the end of the row, at most two.
        muted: the bar counts for nothing now.
        ticks: places on the scale below the bar, with their words; only of the dose.
    """

    label: str
    text: str = ""
    value: float | None = None
    low: float = 0.0
    high: float = 1.0
    marks: str = ""
    muted: bool = False
    ticks: tuple[tuple[float, str], ...] = ()


class Dial(Widget):
    """A row. It takes clicks; keys are the panel's."""

    DEFAULT_CSS = """
    Dial { height: 1; width: 1fr; }
    Dial.-dose { height: 3; }
    Dial.-chosen { text-style: bold; background: $boost; }
    """

    face: reactive[Face] = reactive(Face(""), layout=True)
    """What it shows."""
    chosen = reactive(False)
    """The keys turn this one."""

    @dataclass
    class Clicked(Message):
        """The dial was clicked, at a value if it was on the bar."""

        dial: "Dial"
        value: float | None

    def watch_face(self, face: Face) -> None:
        """Make room for the scale."""
        self.set_class(bool(face.ticks), "-dose")

    def watch_chosen(self, chosen: bool) -> None:
        """Stand out."""
        self.set_class(chosen, "-chosen")

    def render(self) -> Content:
        """Return the row, as wide as there is room."""
        width, face = max(self.content_size.width, 16), self.face
        pointer = "▸" if self.chosen else " "
        line = Content(pointer + _spread(face.label, face.text, width - 1))
        if face.ticks:
            places = [(_cell(place, face, width), word) for place, word in face.ticks]
            scale = labels(places, width)
            return Content.assemble(line, "\n", (self._bar(width), "$primary"), "\n", (scale, "$text-muted"))
        if face.value is None:
            return line
        start, cells = self._bar_place()
        return Content.assemble(
            f"{pointer}{_fitted(face.label, start - 2)} ",
            (self._bar(cells), "$text-muted" if face.muted else "$primary"),
            f"{face.text:>{_NUMBER}}",
            (f"{face.marks:<{_MARKS}}"[:_MARKS], "$text-warning"),
        )

    def on_click(self, event: Click) -> None:
        """Say where on the bar the click was."""
        event.stop()
        start, cells = self._bar_place()
        face, place = self.face, event.x - start
        on_bar = 0 <= place < cells and (event.y > 0 or not face.ticks)
        value = None
        if face.value is not None and on_bar:
            share = place / max(cells - 1, 1)
            value = round((face.low + share * (face.high - face.low)) * 20) / 20 + 0.0
        self.post_message(self.Clicked(self, value))

    def _bar_place(self) -> tuple[int, int]:
        """Return the column where the bar begins, and how many it has: odd, so that it has a middle."""
        width = max(self.content_size.width, 16)
        if self.face.ticks:
            return 0, width
        rest = width - _NUMBER - _MARKS - 2
        cells = max(5, min(21, rest * 2 // 5)) // 2 * 2 + 1
        cells = cells if cells < rest else rest
        return width - _NUMBER - _MARKS - cells, cells

    def _bar(self, cells: int) -> str:
        face = self.face
        zero, end = _cell(0.0, face, cells), _cell(face.value or 0.0, face, cells)
        first, last = min(zero, end), max(zero, end)
        filled = "┅" if face.muted else "━"
        bar = [filled if first <= cell <= last and end != zero else "─" for cell in range(cells)]
        for place, _ in face.ticks:
            cell = _cell(place, face, cells)
            bar[cell] = "┿" if bar[cell] == "━" else "┼"
        if face.low < 0:
            bar[zero] = "│"
        return "".join(bar)


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


def _cell(value: float, face: Face, cells: int) -> int:
    share = (value - face.low) / (face.high - face.low)
    return round(min(max(share, 0.0), 1.0) * (cells - 1))


def _spread(left: str, right: str, width: int) -> str:
    """Return `left` at the left and `right` at the right; what is too long loses its end."""
    right = Content(right).truncate(max(0, width - 8), ellipsis=True).plain
    return f"{_fitted(left, width - Content(right).cell_length - 1)} {right}"


def _fitted(text: str, width: int) -> str:
    return Content(text).truncate(max(0, width), ellipsis=True, pad=True).plain
