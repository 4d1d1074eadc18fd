"""Two small questions over any screen: for a line of text, and for yes or no."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label

from billy_mlx.errors import BillyError
from billy_mlx.text import sanitize
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.widgets.fields import LineField

_BOX = """
    {name} {{ align: center middle; }}
    {name} > Vertical {{
        width: 64; max-width: 95%; height: auto; padding: 1 2; background: $surface; border: round $primary;
    }}
    {name} Label {{ width: 100%; }}
"""


def refusal(check: Callable[[str], object], text: str) -> str | None:
    """Return what `check` raises about a text, as a sentence for `Ask`; None if nothing."""
    try:
        check(text)
    except BillyError as error:
        return str(error)
    return None


class Ask(ModalScreen[str | None]):
    """Asks for a line of text: enter gives it, escape gives None.

    Args:
        question: what is asked.
        value: what stands there to begin with.
        check: returns a sentence if a text will not do, and None if it will.
    """

    field: ClassVar[type[LineField]] = LineField
    BINDINGS = bindings("anywhere")  # type: ignore[assignment]
    DEFAULT_CSS = (
        _BOX.format(name="Ask") + "Ask #wrong { color: $text-muted; } Ask #wrong.wrong { color: $text-error; }"
    )

    def __init__(self, question: str, value: str = "", check: Callable[[str], str | None] | None = None) -> None:
        super().__init__()
        self._question, self._value, self._check = question, value, check

    def compose(self) -> ComposeResult:
        """Yield the question, the line, and where it says what is wrong."""
        with Vertical():
            yield Label(sanitize(self._question), markup=False)
            yield self.field(sanitize(self._value), id="answer", select_on_focus=False)
            yield Label("Enter: done   Esc: cancel", markup=False, id="wrong")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give the text, or say what is wrong with it."""
        event.stop()
        wrong = None if self._check is None else self._check(event.value)
        if wrong is None:
            self.dismiss(event.value)
        else:
            label = self.query_one("#wrong", Label)
            label.update(f"! {sanitize(wrong)}")
            label.add_class("wrong")

    def action_back(self) -> None:
        """Give nothing."""
        self.dismiss(None)


class Confirm(ModalScreen[bool]):
    """Asks for yes or no. Enter is no until the other button is chosen; escape is neither, and gives None.

    Args:
        question: what is asked, in plain words.
        yes: what the one button says: a verb.
        no: what the other says.
    """

    BINDINGS = bindings("anywhere")  # type: ignore[assignment]
    DEFAULT_CSS = _BOX.format(name="Confirm") + (
        "Confirm Horizontal { height: auto; margin-top: 1; align-horizontal: center; } Confirm Button { margin: 0 1; }"
    )

    def __init__(self, question: str, yes: str = "Yes", no: str = "No") -> None:
        super().__init__()
        self._question, self._yes, self._no = question, yes, no

    def compose(self) -> ComposeResult:
        """Yield the question and two buttons, the harmless one first."""
        with Vertical():
            yield Label(sanitize(self._question), markup=False)
            with Horizontal():
                yield Button(self._no, id="no")
                yield Button(self._yes, id="yes", variant="primary")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Give the answer."""
        event.stop()
        self.dismiss(event.button.id == "yes")

    def key_left(self) -> None:
        """Go to the other button."""
        self.focus_previous()

    def key_right(self) -> None:
        """Go to the other button."""
        self.focus_next()

    def action_back(self) -> None:
        """Give no answer."""
        self.dismiss(None)
