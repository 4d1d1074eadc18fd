"""One voice of a chorus: its name, how it is, and its text as it grows."""

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Label, Static

from billy_mlx.text import sanitize
from billy_mlx.tui.widgets.status import FRAYING
from billy_mlx.words import count_words


class Column(VerticalScroll, inherit_bindings=False):
    """One voice: its name, how it is, and its text.

    Args:
        name: what it is called; safe to show.

    Attributes:
        text: what it has written, as it is.
        taken: how many characters of it are in the manuscript.
    """

    DEFAULT_CSS = """
    Column { width: 1fr; height: auto; min-height: 4; border: solid $surface-lighten-2; padding: 0 1; }
    Column:focus { border: heavy $primary; }
    Column Label { width: 100%; text-style: bold; }
    Column #state { color: $text-muted; text-style: none; }
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
        """Mark it, also where heavy lines look like others."""
        self.show()

    def on_blur(self) -> None:
        """Take the mark away."""
        self.show()

    def become(self, text: str, taken: int, *, over: bool) -> None:
        """Have this text, of which so many characters are in the manuscript; `over` if no more of it comes."""
        self.text, self.taken = text, taken
        self._state = "done" if over else "writing" if text else "waiting"
        if self.is_mounted:
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
