"""What stands around the page: the heading, the status line, the footer, and where toasts may appear."""

from textwrap import wrap

from rich.cells import cell_len, set_cell_size
from textual.app import ComposeResult
from textual.content import Content
from textual.geometry import Region
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Footer, Static
from textual.widgets._toast import ToastRack

from billy_mlx.engine.messages import Coherence
from billy_mlx.text import sanitize

FRAYING = 1.65
"""Times what the unsteered model would have drawn at the same places, from which on text frays: the starter model's
texts at dose 0 and 1 came to 1.63 at most (28 readings), those of gothic@4 to 1.80 at least (8)."""
_MESSAGE_LEAST = 16  # columns for the message
_GAUGE_STEPS = "▁▂▃▄▅▆▇█"
_APART = 2  # cells between the two at least
_TOAST_WIDTH = 60  # columns, as billy.tcss has it
_TOAST_FRAME = 3  # columns: a border, and a blank at each side


class HeadingLine(Static):
    """One line: the text's name at the left, the blend's at the right, each as far as there is room."""

    DEFAULT_CSS = "HeadingLine { height: 1; background: $panel; color: $text-muted; padding: 0 1; }"

    text = reactive("")
    """What the text is called."""
    blend = reactive("")
    """What the blend is called."""

    def render(self) -> Content:
        """Return the line, as wide as there is room."""
        width = self.content_size.width
        text, blend = (sanitize(one).replace("\n", " ").replace("\t", " ") for one in (self.text, self.blend))
        blend = _shortened(blend, max(width - _APART - cell_len(text), width // 2))
        text = _shortened(text, max(0, width - _APART - cell_len(blend)))
        return Content.assemble((text, "bold"), " " * max(0, width - cell_len(text) - cell_len(blend)), blend)


class Status(Static):
    """One line: what the model does at the left, words and safety at the right."""

    DEFAULT_CSS = """
    Status { height: 1; background: $panel; color: $foreground; padding: 0 1; }
    Status.-trouble { text-style: bold; color: $text-error; }
    """

    model = reactive("")
    """The model, in words."""
    measured = reactive("")
    """The persona by which the text is coloured; empty if it is not."""
    doing = reactive("")
    """What it does, in words."""
    gauge: reactive[Coherence | None] = reactive(None)
    """How the running draft holds together."""
    preparing = reactive("")
    """How far the preparing of voices is, in words; "" if none is prepared."""
    words = reactive("")
    """How many words there are, and of the goal."""
    safety = reactive("")
    """Whether the text is saved, in words."""
    message = reactive("")
    """The last sentence for the writer; it goes with the next key."""

    def render(self) -> Content:
        """Return the line, as wide as there is room."""
        right = "  ".join(part for part in (self.words, self.safety) if part)
        if len(right) + _MESSAGE_LEAST > self.content_size.width:
            right = self.safety  # whether the text is saved comes before how long it is
        doing = self.doing or ("" if self.preparing else self.model)
        measured = f"measured likeness to {self.measured}" if self.measured else ""
        parts = (self._shown_gauge(), measured, doing, self.preparing)
        left = self.message or "  ".join(part for part in parts if part)
        room = max(0, self.content_size.width - len(right) - 2)
        left = sanitize(left).replace("\n", " ")
        left = left if len(left) <= room else f"{left[: room - 1]}…" if room else ""
        return Content(f"{left:<{room}}  {right}")

    def _shown_gauge(self) -> str:
        if self.gauge is None:
            return ""
        step = _GAUGE_STEPS[min(int(self.gauge.ratio / FRAYING * 4), len(_GAUGE_STEPS) - 1)]
        return f"{step} the text frays: lower the dose" if self.gauge.ratio >= FRAYING else f"{step} holds together"


class PageFooter(Footer):
    """The footer of a page that is open for hours: it forgets the keys it has shown before, which Textual's keeps."""

    def compose(self) -> ComposeResult:
        """Yield the keys of the moment, which alone follow the footer from now on."""
        getattr(self, "__watchers", {}).pop("compact", None)
        yield from super().compose()


def place_toasts(screen: Screen[None], region: Region, line: int) -> None:
    """Place messages within a region of the screen, above or below a line of it: where there is more room."""
    above, below = _room(region, line)
    for rack in screen.query(ToastRack):
        rack.styles.max_height = max(above, below)
        if above > below:
            rack.styles.dock, rack.styles.margin = "top", (region.y, 0, 0, 0)
        else:
            rack.styles.dock, rack.styles.margin = "bottom", (0, 0, screen.size.height - region.bottom, 0)


def fitted(message: str, region: Region, line: int) -> str:
    """Return a message, cut where there is no room for more of it beside the line."""
    lines = wrap(message, max(1, min(_TOAST_WIDTH, region.width) - _TOAST_FRAME))
    rows = max(_room(region, line))
    return message if len(lines) <= rows else f"{' '.join(lines[:rows])[:-1]}…"


def _shortened(text: str, cells: int) -> str:
    """Return a text in so many cells at most; where some of it is left out, … says so."""
    if cell_len(text) <= cells:
        return text
    return f"{set_cell_size(text, cells - 1).rstrip()}…" if cells > 0 else ""


def _room(region: Region, line: int) -> tuple[int, int]:
    """Return how many lines there are above and below one, which may itself be out of sight."""
    line = min(max(line, region.y - 1), region.bottom)
    return line - region.y, region.bottom - line - 1
