"""After a crash: a text that was never saved, and what to do with it."""

import time
from typing import ClassVar

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Footer, Label

from billy_mlx.manuscript.prose import Prose
from billy_mlx.manuscript.records import Offer
from billy_mlx.tui.ago import ago
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.screens.difference import Difference


class RecoverScreen(Screen[tuple[str, Offer]]):
    """Gives "recover", "decline" or "later", and the offer.

    Args:
        offer: what was never saved.
        current: the text as it is now.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("recover",)
    BINDINGS = bindings("anywhere", "recover")  # type: ignore[assignment]
    DEFAULT_CSS = """
    RecoverScreen > Label { width: 100%; padding: 0 2; }
    RecoverScreen #title { text-style: bold; color: $primary; padding: 1 2 0 2; }
    """

    def __init__(self, offer: Offer, current: Prose) -> None:
        super().__init__()
        self._offer, self._current = offer, current

    def compose(self) -> ComposeResult:
        """Yield what was found, and how it differs."""
        yield Label("Some of this text never reached its file", id="title")
        made = self._offer.made  # 0 if the journal does not know
        when = f"You last worked on it {ago(made, time.time())}, and it is all here" if made else "It is all here"
        yield Label(f"{when}: this is how it differs from the file.")
        yield Label(
            "Enter takes it, d stays with the file's text, Esc asks again next time. It stays a version anyway."
        )
        yield Difference(self._current.text, self._offer.prose.text)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Have the keys scroll the difference."""
        self.query_one(Difference).focus()

    def action_recover_take(self) -> None:
        """Have the text be what was never saved."""
        self.dismiss(("recover", self._offer))

    def action_recover_decline(self) -> None:
        """Leave the text as it is."""
        self.dismiss(("decline", self._offer))

    def action_back(self) -> None:
        """Decide later."""
        self.dismiss(("later", self._offer))
