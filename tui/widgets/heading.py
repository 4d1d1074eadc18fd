"""The line above the page: which text this is, and which voices go on with it."""

from rich.cells import cell_len, set_cell_size
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from billy_mlx.text import sanitize

_APART = 2  # cells between the two at least


class HeadingLine(Static):
    """One line: the text's name at the left, the blend's at the right, each as far as there is room."""

    DEFAULT_CSS = "HeadingLine { height: 1; background: $panel; color: $text-muted; padding: 0 1; }"

    text = reactive("")
    """What the text is called."""
    blend = reactive("")
    """What the blend is called."""

    def render(self) -> Content:
        """Return the line, as wide as there is room."""
        width = self.content_size.width
        text, blend = (sanitize(one).replace("\n", " ").replace("\t", " ") for one in (self.text, self.blend))
        blend = _fitted(blend, max(width - _APART - cell_len(text), width // 2))
        text = _fitted(text, max(0, width - _APART - cell_len(blend)))
        return Content.assemble((text, "bold"), " " * max(0, width - cell_len(text) - cell_len(blend)), blend)


def _fitted(text: str, cells: int) -> str:
    """Return a text in so many cells at most; where some of it is left out, … says so."""
    if cell_len(text) <= cells:
        return text
    return f"{set_cell_size(text, cells - 1).rstrip()}…" if cells > 0 else ""
