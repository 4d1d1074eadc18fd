"""How one text differs from another, to be scrolled through."""

import asyncio

from textual import work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from billy_mlx.manuscript.chronicle import compared


class Difference(VerticalScroll, can_focus=False):
    """Shows what would be taken out of `now`, with a −, and what would be put in, with a +, to make it `then`."""

    DEFAULT_CSS = """
    Difference { border: round $primary; padding: 0 1; height: 1fr; }
    """

    def __init__(self, now: str, then: str) -> None:
        super().__init__()
        self._now, self._then = now, then
        self._shown = Static("comparing ...", markup=False)

    def compose(self) -> ComposeResult:
        """Yield the text."""
        yield self._shown

    def on_mount(self) -> None:
        """Begin to compare, which takes a while for a long text."""
        self._compare()

    @work
    async def _compare(self) -> None:
        self._shown.update(await asyncio.to_thread(compared, self._now, self._then))
