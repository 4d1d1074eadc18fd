"""After a crash: a text that was never saved, and what to do with it."""

import time
from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.widgets import Footer, Label

from billy_mlx.manuscript.prose import Prose
from billy_mlx.manuscript.records import Offer
from billy_mlx.tui.ago import ago
from billy_mlx.tui.screens.difference import Difference
from billy_mlx.tui.screens.question import Question

_WAYS = {
    "recover": "Take the text that was never saved",
    "decline": "Keep the file's text; the other one is kept as a version",
}


class RecoverScreen(Question):
    """Asks whether to "recover" or to "decline".

    Args:
        offer: what was never saved.
        current: the text as it is now.
        settled: told the answer; None is to be asked again next time.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("recover",)

    def __init__(self, offer: Offer, current: Prose, settled: Callable[[str | None], None]) -> None:
        super().__init__(_WAYS, settled)
        self._offer, self._current = offer, current

    def compose(self) -> ComposeResult:
        """Yield what was found, and how it differs."""
        yield Label("Some of this text was never saved to its file", id="title")
        made = self._offer.made  # 0 if the journal does not know
        when = f"You last worked on it {ago(made, time.time())}, and it is all here" if made else "It is all here"
        yield Label(f"{when}. Below you see how it differs from the file.")
        yield from self.answers()
        yield Difference(self._current.text, self._offer.prose.text)
        yield Footer(show_command_palette=False)

    def action_recover_take(self) -> None:
        """Have the text be what was never saved."""
        self.take("recover")

    def action_recover_decline(self) -> None:
        """Leave the text as it is."""
        self.take("decline")
