"""Where the messages above everything else stand: never over the line that is written on, nor over what is around."""

from textwrap import wrap

from textual.geometry import Region
from textual.screen import Screen
from textual.widgets._toast import ToastRack

_WIDTH = 60  # columns, as billy.tcss has it
_FRAME = 3  # columns: a border, and a blank at each side


def place_toasts(screen: Screen[None], region: Region, line: int) -> None:
    """Have messages stand within a region of the screen, above or below a line of it: where there is more room."""
    above, below = _room(region, line)
    for rack in screen.query(ToastRack):
        rack.styles.max_height = max(above, below)
        if above > below:
            rack.styles.dock, rack.styles.margin = "top", (region.y, 0, 0, 0)
        else:
            rack.styles.dock, rack.styles.margin = "bottom", (0, 0, screen.size.height - region.bottom, 0)


def fitted(message: str, region: Region, line: int) -> str:
    """Return a message, cut where there is no room for more of it beside the line."""
    lines = wrap(message, max(1, min(_WIDTH, region.width) - _FRAME))
    rows = max(_room(region, line))
    return message if len(lines) <= rows else f"{' '.join(lines[:rows])[:-1]}…"


def _room(region: Region, line: int) -> tuple[int, int]:
    """Return how many lines there are above and below one, which may itself be out of sight."""
    line = min(max(line, region.y - 1), region.bottom)
    return line - region.y, region.bottom - line - 1
