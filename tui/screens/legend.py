"""Who wrote what: each sign in the margin with whom it stands for, and whose the place is that one is at."""

import time
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Static

from billy_mlx.tui.authorship import MarginEntry, described
from billy_mlx.tui.commands import bindings

_YOU = "none"
_SIGNS = (
    "▎ marks a line that one voice wrote, + a line that several wrote, perhaps you among them.",
    "┊ marks a draft that you have not taken yet, and − what a rewrite would remove.",
    "When the text is coloured by a persona, ▁ to ▇ show how much each sentence reads like it. That is measured: it "
    "does not say who wrote the sentence.",
)


class LegendScreen(Screen[None]):
    """The legend of a text.

    Args:
        entries: its signs.
        here: who wrote what stands at the cursor, in words.
    """

    PLACES: ClassVar[tuple[str, ...]] = ()
    BINDINGS = bindings("anywhere")  # type: ignore[assignment]
    DEFAULT_CSS = "LegendScreen VerticalScroll { height: 1fr; padding: 0 1; }"

    def __init__(self, entries: Sequence[MarginEntry], here: str) -> None:
        super().__init__()
        self._entries, self._here = entries, here

    def compose(self) -> ComposeResult:
        """Yield the legend."""
        with VerticalScroll():
            yield Static(_text(self._entries, self._here, time.time()), id="legend")
        yield Footer(show_command_palette=False)

    def action_back(self) -> None:
        """Go back to the page."""
        self.dismiss()


def _text(entries: Sequence[MarginEntry], here: str, now: float) -> Content:
    head = [Content.styled("Who wrote what", "bold $primary"), Content(f"At the cursor: {here}.\n")]
    rows = [Content(f"{entry.mark or _YOU:<6}{described(entry, now)}") for entry in entries]
    empty = [Content("There is no text here yet.")]
    return Content("\n").join([*head, *(rows or empty), Content(""), *map(Content, _SIGNS)])
