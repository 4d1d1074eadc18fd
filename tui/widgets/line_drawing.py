"""A line of the page on the screen: what it is drawn from, and how."""

from collections.abc import Callable
from typing import NamedTuple

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.expand_tabs import expand_text_tabs_from_widths
from textual.strip import Strip

from billy_mlx.tui.widgets.authorship_marks import GHOST_STYLE, WAITING, StyledPiece, sign
from billy_mlx.tui.widgets.cursor import border_after

MARKS_WIDTH = 3
"""Cells beside the text: two for the mark, one to keep it off the text."""

Styles = Callable[[str], Style]
"""The style that a name stands for."""


class Line(NamedTuple):
    """All that a line on the screen is drawn from, so that it is drawn once as long as that stays.

    Columns are counted from its own start; None where there is no selection or cursor in it. `waits` says that a
    draft stands in it which is not shown.
    """

    words: str
    tabs: tuple[int, ...]
    pieces: tuple[StyledPiece, ...]
    selected: tuple[int, int] | None
    cursor: int | None
    columns: tuple[int, int]
    styles: tuple[Style | None, ...]
    waits: bool = False


def drawn(line: Line, style: Styles, console: Console) -> Strip:
    """Return the cells of a line, its margin with them."""
    text = Text(line.words, end="", no_wrap=True)
    for piece in line.pieces:
        text.stylize(style(piece.style), piece.start, piece.end)
    base, selection, cursor = line.styles
    if line.selected is not None and selection is not None:
        text.stylize(selection, *line.selected)
    if line.cursor is not None and cursor is not None:
        text.stylize(cursor, line.cursor, border_after(line.words, line.cursor))
    text = expand_text_tabs_from_widths(text, list(line.tabs))
    gutter, width = line.columns
    strip = Strip(text.render(console)).adjust_cell_length(width - gutter, base)
    mark = StyledPiece(0, 0, GHOST_STYLE, WAITING) if line.waits else sign(line.words, line.pieces)
    return Strip.join([_margin(gutter, mark, style), strip]).apply_style(base or Style.null())


def _margin(width: int, mark: StyledPiece | None, style: Styles) -> Strip:
    margin = Segment(" " * (width - MARKS_WIDTH))
    if mark is None:
        return Strip([margin, Segment(" " * MARKS_WIDTH)])
    return Strip([margin, Segment(f"{mark.mark:{MARKS_WIDTH}}", style(mark.style))])
