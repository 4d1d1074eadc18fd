"""The line below the page: model, draft, words and how safe the text is, in words and signs."""

from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from billy_mlx.engine.messages import Coherence
from billy_mlx.text import sanitize

FRAYING = 1.65
"""Times what the unsteered model would have drawn at the same places, from which on text frays: the starter model's
texts at dose 0 and 1 came to 1.63 at most (28 readings), those of gothic@4 to 1.80 at least (8)."""
_LEAST = 16  # columns for what is told
_STEPS = "▁▂▃▄▅▆▇█"


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
    making = reactive("")
    """How far the making of vectors is, in words; "" if none is made."""
    words = reactive("")
    """How many words there are, and of the goal."""
    safety = reactive("")
    """Whether the text is saved, in words."""
    told = reactive("")
    """The last sentence for the writer; it goes with the next key."""

    def render(self) -> Content:
        """Return the line, as wide as there is room."""
        right = "  ".join(part for part in (self.words, self.safety) if part)
        if len(right) + _LEAST > self.content_size.width:
            right = self.safety  # whether the text is saved comes before how long it is
        doing = self.doing or ("" if self.making else self.model)
        measured = f"measured likeness to {self.measured}" if self.measured else ""
        parts = (self._shown_gauge(), measured, doing, self.making)
        left = self.told or "  ".join(part for part in parts if part)
        room = max(0, self.content_size.width - len(right) - 2)
        left = sanitize(left).replace("\n", " ")
        left = left if len(left) <= room else f"{left[: room - 1]}…" if room else ""
        return Content(f"{left:<{room}}  {right}")

    def _shown_gauge(self) -> str:
        if self.gauge is None:
            return ""
        step = _STEPS[min(int(self.gauge.ratio / FRAYING * 4), len(_STEPS) - 1)]
        return f"{step} the text frays: lower the dose" if self.gauge.ratio >= FRAYING else f"{step} holds together"
