"""One voice of a chorus: its blend, how it is, and its text as it grows."""

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Label, Static

from billy_mlx.manuscript.counts import count_words
from billy_mlx.text import sanitize
from billy_mlx.tui.widgets.status import FRAYING

_CONTROL = "unsteered, the control"


class Column(VerticalScroll, inherit_bindings=False):
    """One voice: its blend, how it is, and its text.

    Attributes:
        text: what it has written, as it is.
        taken: how many characters of it were taken.
    """

    DEFAULT_CSS = """
    Column { width: 1fr; height: auto; min-height: 4; border: solid $surface-lighten-2; padding: 0 1; }
    Column:focus { border: heavy $primary; }
    Column Label { width: 100%; text-style: bold; }
    Column #state { color: $text-muted; text-style: none; }
    """

    def __init__(self, blend: str | None) -> None:
        super().__init__()
        self.text, self.taken = "", 0
        self._blend, self._state, self._holds = blend, "waiting", ""
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

    def grow(self, text: str) -> None:
        """Add to its text."""
        self.text += text
        self._state = "writing"
        self.show()

    def end(self) -> None:
        """Have it be over."""
        self._state = "done"
        self.show()

    def gauge(self, ratio: float) -> None:
        """Say how its text holds together; see `engine.messages.Coherence`."""
        self._holds = f"! frays ({ratio:.1f}×)" if ratio >= FRAYING else f"holds ({ratio:.1f}×)"
        self.show()

    def show(self) -> None:
        """Paint it."""
        self._heading.update(f"{'»' if self.has_focus else ' '} {named(self._blend)}")
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


def named(blend: str | None) -> str:
    """Return what a voice is called: its blend, or that it is the unsteered model."""
    return _CONTROL if blend is None else sanitize(blend)
