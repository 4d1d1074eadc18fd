"""A question that opens by itself, perhaps in the middle of a word: nothing that is typed answers it."""

from collections.abc import Callable, Mapping

from textual.app import ComposeResult
from textual.content import Content
from textual.events import Key, Paste
from textual.screen import Screen
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from billy_mlx.text import visible
from billy_mlx.tui.commands import bindings

_TYPES = {"enter": "\n", "tab": "\t"}
_SHOWN = 40  # characters of what was typed
_KEYS = "Up or down chooses a line, Enter takes it, Esc asks again later."


class Ways(OptionList, can_focus=False):
    """The answers there are, of which none is chosen at first."""

    DEFAULT_CSS = """
    Ways { height: auto; max-height: 50%; padding: 0 2; border: none; }
    Ways > .option-list--option-highlighted { text-style: bold reverse; }
    """

    def __init__(self, ways: Mapping[str, str]) -> None:
        super().__init__(*(Option(Content(title), id=way) for way, title in ways.items()), markup=False)
        self.highlighted = None  # a list chooses its first line

    @property
    def chosen(self) -> str | None:
        """The id of the answer that an arrow has chosen; None if none has."""
        return None if self.highlighted_option is None else self.highlighted_option.id


class Question(Screen[None]):
    """Asks for one of several ways on. Whoever is writing has not asked for it, and may not have seen it yet.

    So no line is chosen at first, and enter counts only right after an arrow. Everything that types is kept for the
    text, and so is enter otherwise. No widget has the focus: all keys come here, in order.

    Args:
        ways: the answers, in words, by their ids.
        settled: told the id of the answer, or None to be asked again later, once the screen has gone.

    Attributes:
        typed: what was typed and pasted so far.
    """

    AUTO_FOCUS = ""
    BINDINGS = bindings("anywhere")  # type: ignore[assignment]
    DEFAULT_CSS = """
    Question > Label { width: 100%; padding: 0 2; }
    Question #title { text-style: bold; color: $warning; padding: 1 2 0 2; }
    Question #hint { color: $text-muted; }
    """

    def __init__(self, ways: Mapping[str, str], settled: Callable[[str | None], None]) -> None:
        super().__init__()
        self._ways, self._settled, self._done = Ways(ways), settled, False
        self.typed = ""

    def answers(self) -> ComposeResult:
        """Yield the answers, and what the keys do."""
        yield self._ways
        yield Label(self._hint(), id="hint", markup=False)

    def on_key(self, event: Key) -> None:
        """Move between the answers, take one, or keep what is typed."""
        if self._done:
            self._pass_on(event, Key(event.key, event.character))
        elif event.key in ("up", "down"):
            self._stop(event)
            self._ways.action_cursor_up() if event.key == "up" else self._ways.action_cursor_down()
        elif event.key == "enter" and self._ways.chosen is not None:
            self._stop(event)
            self.take(self._ways.chosen)
        elif event.key == "backspace":
            self._stop(event)
            self._keep(self.typed[:-1])
        elif event.key in _TYPES or event.is_printable:
            self._stop(event)
            self._keep(self.typed + _TYPES.get(event.key, event.character or ""))

    def on_paste(self, event: Paste) -> None:
        """Keep what is pasted."""
        if self._done:
            self._pass_on(event, Paste(event.text))
        else:
            event.stop()
            self._keep(self.typed + event.text)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take an answer that was clicked on."""
        event.stop()
        if event.option_id is not None and not self._done:
            self.take(event.option_id)

    def take(self, way: str) -> None:
        """Go this way."""
        self.settle(way)

    def action_back(self) -> None:
        """Ask again later."""
        self.settle(None)

    def settle(self, answer: str | None) -> None:
        """Give the answer: at once, so that what is typed next comes behind what was typed here."""
        if not self._done:
            self._done = True
            self.dismiss()
            self._settled(answer)

    def _keep(self, typed: str) -> None:
        """Have this be what was typed; a line that was chosen before is chosen no more."""
        self.typed = typed
        self._ways.highlighted = None
        for hint in self.query("#hint").results(Label):
            hint.update(self._hint())

    def _hint(self) -> str:
        shown = visible(self.typed.replace("\n", "⏎"))
        shown = shown if len(shown) <= _SHOWN else f"…{shown[1 - _SHOWN :]}"
        return f"Kept for your text: {shown}\n{_KEYS}" if shown else f"{_KEYS}\nWhat you type is kept for your text."

    def _stop(self, event: Key) -> None:
        event.stop()
        event.prevent_default()

    def _pass_on(self, event: Key | Paste, again: Key | Paste) -> None:
        """Hand what came too late to whoever it is for now."""
        event.stop()
        event.prevent_default()
        (self.app.focused or self.app.screen).post_message(again)
