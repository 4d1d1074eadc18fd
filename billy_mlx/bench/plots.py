"""Figures for the inside of a page, as SVG: text stays text, and the page sets the colours. Needs the extra `plot`."""

import io
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from billy_mlx.bench.result import Estimate
from billy_mlx.text import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
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
_MARKERS = ("o", "s", "^", "D", "v", "P")


@dataclass(frozen=True)
class Pair:
    """A row of a figure: what was found as written, and at matched length."""

    label: str
    written: Estimate | None
    matched: Estimate | None = None


def can_draw() -> bool:
    """Return whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def bars(rows: Sequence[Pair], title: str, unit: str) -> str:
    """Return an SVG with a bar and its interval for each row, and a second, hatched one at matched length."""

    def draw(figure: "Figure") -> None:
        axes = _rows(figure, [row.label for row in rows], title, unit)
        for kind, found in _kinds(rows, 0.2):
            means = [estimate.mean for estimate in found.values()]
            face, hatch = (FIRST, None) if kind.filled else ("none", "///")
            axes.barh(
                list(found), means, 0.36, label=kind.label,
                facecolor=face, edgecolor=kind.color, hatch=hatch, linewidth=0.8,
            )  # fmt: skip
            _whiskers(axes, found, INK, "none")
        _legend(figure, axes)

    return inline(draw, title, 1.1 + 0.32 * len(rows))


def forest(rows: Sequence[Pair], title: str, unit: str) -> str:
    """Return an SVG with the difference and its interval for each row, beside a line where nothing differs."""

    def draw(figure: "Figure") -> None:
        axes = _rows(figure, [row.label for row in rows], title, unit)
        axes.axvline(0, color=INK, linewidth=0.8)
        for kind, found in _kinds(rows, 0.16):
            _whiskers(axes, found, kind.color, kind.marker, kind.label, filled=kind.filled)
        _legend(figure, axes)

    return inline(draw, title, 1.1 + 0.32 * len(rows))


def groups(series: Mapping[str, Mapping[str, Estimate]], title: str, unit: str) -> str:
    """Return an SVG with a row for each inner name, and in it a sign with its interval for each outer name."""
    labels = list(dict.fromkeys(label for found in series.values() for label in found))
    legend_lines = -(-len(series) // 3)

    def draw(figure: "Figure") -> None:
        axes = _rows(figure, labels, title, unit, legend_lines)
        axes.axvline(0, color=INK, linewidth=0.8)
        step = 0.7 / max(1, len(series))
        for n, (name, found) in enumerate(series.items()):
            offset = (n - (len(series) - 1) / 2) * step
            places = {labels.index(label) + offset: estimate for label, estimate in found.items()}
            # After a round of both the colours are one ahead, so that no two have the same of both.
            color, marker = SERIES[(n + n // len(_MARKERS)) % len(SERIES)], _MARKERS[n % len(_MARKERS)]
            _whiskers(axes, places, color, marker, label_of(name))
        _legend(figure, axes)

    return inline(draw, title, 0.9 + 0.2 * legend_lines + (0.22 + 0.12 * len(series)) * len(labels))


def heat_map(
    cells: Mapping[tuple[str, str], Estimate],
    title: str,
    across: str,
    up: str,
    order: Callable[[str], float],
    written: Callable[[Estimate], str],
) -> str:
    """Return an SVG with a field for each (x, y) of `cells`, coloured by its mean.

    Args:
        cells: fields that are not there are left blank.
        title: of the figure.
        across: what x is.
        up: what y is.
        order: what the names along both sides are sorted by.
        written: what stands in a field.
    """
    xs, ys = (sorted({cell[side] for cell in cells}, key=order) for side in (0, 1))
    values = [[cells[x, y].mean if (x, y) in cells else float("nan") for x in xs] for y in ys]

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        mesh = axes.pcolormesh(values, cmap="cividis", edgecolors="face")
        axes.set_xticks([n + 0.5 for n in range(len(xs))], [label_of(x) for x in xs])
        axes.set_yticks([n + 0.5 for n in range(len(ys))], [label_of(y) for y in ys])
        axes.set(xlabel=label_of(across), ylabel=label_of(up))
        _margins(figure, [*ys, "and its name"], title)
        low, high = mesh.get_clim()
        for (x, y), found in cells.items():
            paper = "black" if found.mean > (low + high) / 2 else "white"
            axes.text(xs.index(x) + 0.5, ys.index(y) + 0.5, written(found), color=paper, ha="center", va="center")

    return inline(draw, title, 0.9 + 0.36 * len(ys))


def curve(points: Mapping[float, Estimate], title: str, across: str, unit: str) -> str:
    """Return an SVG with a line through the points, each with its interval."""

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        xs = sorted(points)
        means = [points[x].mean for x in xs]
        axes.errorbar(xs, means, yerr=_reach([points[x] for x in xs]), color=FIRST, fmt="o-", capsize=3, linewidth=1)
        axes.set(xlabel=label_of(across), ylabel=label_of(unit), xticks=xs)
        axes.grid(axis="y")
        _margins(figure, ["and its name"], title)

    return inline(draw, title, 2.8)


def amounts(found: Mapping[str, float], title: str, unit: str) -> str:
    """Return an SVG with a bar for each of `found` with its number beside it."""

    def draw(figure: "Figure") -> None:
        axes = _rows(figure, list(found), title, unit, legend_lines=0)
        axes.barh(range(len(found)), list(found.values()), height=0.6, color=FIRST)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
        for y, value in enumerate(found.values()):
            number = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
            axes.annotate(number, (value, y), (3, 0), textcoords="offset points", va="center")
        axes.margins(x=0.12)

    return inline(draw, title, 0.8 + 0.26 * len(found))


def label_of(text: str, most: int = 42) -> str:
    """Return `text` as one line of `most` letters at the most."""
    line = visible(" ".join(text.split()))
    return line if len(line) <= most else f"{line[: most - 1]}…"


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


@dataclass(frozen=True)
class _Kind:
    label: str
    color: str
    marker: str
    filled: bool


def _kinds(rows: Sequence[Pair], offset: float) -> Iterator[tuple[_Kind, dict[float, Estimate]]]:
    """Yield what the rows hold as written, a little above the middle of each, and at matched length below it."""
    written = {y - offset: row.written for y, row in enumerate(rows)}
    matched = {y + offset: row.matched for y, row in enumerate(rows)}
    kinds = (
        (_Kind("as written", FIRST, "o", filled=True), written),
        (_Kind("at matched length", SECOND, "s", filled=False), matched),
    )
    for kind, found in kinds:
        known = {y: estimate for y, estimate in found.items() if estimate is not None}
        if known:
            yield kind, known


def _rows(figure: "Figure", labels: Sequence[str], title: str, unit: str, legend_lines: int = 1) -> "Axes":
    axes = figure.subplots()
    _dress(axes, labels, unit)
    _margins(figure, labels, title, bottom=0.5 + 0.2 * legend_lines)
    return axes


def _margins(figure: "Figure", labels: Sequence[str], title: str, bottom: float = 0.5) -> None:
    """Write the title, and leave room for labels and for `bottom` inches; matplotlib could, by drawing twice."""
    width, height = figure.get_size_inches()
    left = 0.25 + 0.078 * max((len(label_of(label)) for label in labels), default=0)
    figure.subplots_adjust(left / width, bottom / height, 1 - 0.15 / width, 1 - 0.3 / height)
    figure.suptitle(label_of(title, most=80), fontsize=10, y=1 - 0.08 / height, va="top")


def _dress(axes: "Axes", labels: Sequence[str], unit: str) -> None:
    axes.set_yticks(range(len(labels)), [label_of(label) for label in labels])
    axes.set_ylim(len(labels) - 0.4, -0.6)  # the first row is on top
    axes.set_xlabel(label_of(unit, most=60))
    axes.grid(axis="x")


def _whiskers(
    axes: "Axes", found: Mapping[float, Estimate], color: str, marker: str, label: str = "", *, filled: bool = True
) -> None:
    means = [estimate.mean for estimate in found.values()]
    face = color if filled else "none"
    axes.errorbar(
        means, list(found), xerr=_reach(list(found.values())), label=label or "_", capsize=2, linewidth=1, linestyle="",
        color=color, marker=marker, markersize=5, markerfacecolor=face,
    )  # fmt: skip


def _reach(found: Sequence[Estimate]) -> list[list[float]]:
    # Of a skewed bootstrap the mean may lie outside its interval, by a hair: matplotlib refuses a length below 0.
    return [[max(0.0, e.mean - e.low) for e in found], [max(0.0, e.high - e.mean) for e in found]]


def _legend(figure: "Figure", axes: "Axes") -> None:
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) > 1:
        figure.legend(handles, labels, loc="lower center", ncols=3, frameon=False)


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
