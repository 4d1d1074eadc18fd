"""The footer of a page that is open for hours."""

from textual.app import ComposeResult
from textual.widgets import Footer


class LastingFooter(Footer):
    """A footer that lets go of the keys it has shown before: Textual's holds them for as long as it is there."""

    def compose(self) -> ComposeResult:
        """Yield the keys of the moment, which alone follow the footer from now on."""
        getattr(self, "__watchers", {}).pop("compact", None)
        yield from super().compose()
