"""A figure of matplotlib as SVG for the inside of a page: text stays text, and colours are the page's."""

import io
import re
import warnings
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

from billy_mlx.text import visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The page says what these look like in the light and in the dark; by themselves they are for white paper. Told apart
# with any colour vision (Okabe and Ito), and never by colour alone.
INK, _FAINT, FIRST, SECOND = "#1c2328", "#b4bcc2", "#0072b2", "#d55e00"
SERIES = (FIRST, SECOND, "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_ON_THE_PAGE = {INK: "ink", _FAINT: "faint"} | {color: f"series-{n}" for n, color in enumerate(SERIES, 1)}

_WIDTH = 6.6  # inches

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "billy",  # ids that are the same every time
    "text.parse_math": False,
    "font.size": 9,
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": _FAINT,
    "grid.linewidth": 0.5,
    "hatch.linewidth": 0.8,
}


def inline(draw: Callable[["Figure"], None], title: str, height: float) -> str:
    """Return what `draw` draws as an SVG of `height` inches that a page can hold; the same bytes every time."""
    import matplotlib
    from matplotlib.figure import Figure  # no pyplot: nothing opens a window or is kept alive

    target = io.StringIO()
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        # The browser has the letters that matplotlib's own font has not.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = Figure(figsize=(_WIDTH, height))
        draw(figure)
        figure.savefig(target, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _for_the_page(target.getvalue(), title)


def label_of(text: str, most: int = 42) -> str:
    """Return `text` as one line of `most` letters at the most."""
    line = visible(" ".join(text.split()))
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _for_the_page(svg: str, title: str) -> str:
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r"<[^>]*>", _themed, svg)
    size = re.compile(r'(<svg[^>]*?) (?:width|height)="[^"]*"')
    return size.sub(r"\1", size.sub(r"\1", svg)).replace(
        "<svg", f'<svg role="img" aria-label="{escape(label_of(title, most=80))}"', 1
    )


def _themed(tag: re.Match[str]) -> str:
    """Return a tag without what the page says better, and a third as long."""
    short = re.sub(r'<g id="[^"]*"', "<g", tag[0])  # matplotlib's names for parts would be there once per figure
    short = re.sub(r'font-family: [^;"]*;? ?', "", short)
    short = re.sub(r"\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", short)
    short = re.sub(r"\s+", " ", short)
    for color, name in _ON_THE_PAGE.items():
        short = short.replace(color, f"var(--{name})")
    return short
