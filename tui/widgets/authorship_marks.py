"""How the page tells who wrote what, and how much of a persona is in it: styles, marks in the margin, drawn lines."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from string import ascii_letters
from typing import NamedTuple, Protocol

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.expand_tabs import expand_text_tabs_from_widths
from textual.strip import Strip

from billy_mlx.manuscript.passage import Passage
from billy_mlx.manuscript.prose import UNKNOWN, WRITER, Author, Prose
from billy_mlx.manuscript.provenance import first_voice
from billy_mlx.tui.widgets.cursor import border_after
from billy_mlx.tui.widgets.ghost_view import PartKind, View

MARKS_WIDTH = 3
"""Cells beside the text: two for the mark, one to keep it off the text."""
GHOST, STRUCK, HERE, UNKNOWN_MARK, THERE_BEFORE = "┊", "−", "▸", "▎?", "·"
GHOST_END, WAITING = GHOST, f"{GHOST}…"
GHOST_STYLE, STRUCK_STYLE, UNKNOWN_STYLE = "page--ghost", "page--struck", "page--unknown"
GHOST_HERE_STYLE, STRUCK_HERE_STYLE = "page--ghost-here", "page--struck-here"
VOICE_STYLES = tuple(f"page--voice-{index}" for index in range(6))
HEAT_STYLES = tuple(f"page--heat-{index}" for index in range(1, 6))
FILLED_STYLES = {*HEAT_STYLES, GHOST_HERE_STYLE, STRUCK_HERE_STYLE}
"""Those that have a background of their own."""
STYLES = {GHOST_STYLE, STRUCK_STYLE, UNKNOWN_STYLE, *VOICE_STYLES, *FILLED_STYLES}
_DRAFTED = {
    PartKind.GHOST: (GHOST_STYLE, GHOST),
    PartKind.STRUCK: (STRUCK_STYLE, STRUCK),
    PartKind.GHOST_HERE: (GHOST_HERE_STYLE, HERE),
    PartKind.STRUCK_HERE: (STRUCK_HERE_STYLE, HERE),
}
_HEAT_MARKS = "▁▂▃▅▇"
_STEPS = (0.2, 0.4, 0.6, 0.8)
Heats = Mapping[str, Sequence[tuple[int, int, int]]]
"""Sentences by their paragraph, which is a line of the text without its end: start and end in it, and the step."""


class ScoredSpan(Protocol):
    """Characters `start` to `end` of the manuscript, and how much they are of a persona: 0 neutral, 1 its own."""

    @property
    def start(self) -> int: ...  # noqa: D102

    @property
    def end(self) -> int: ...  # noqa: D102

    @property
    def score(self) -> float: ...  # noqa: D102


@dataclass(frozen=True)
class StyledPiece:
    """Characters `start` to `end`: the name of their style ("" is plain), and what stands for them in the gutter."""

    start: int
    end: int
    style: str = ""
    mark: str = ""


class VoiceLetters:
    """The letter of each voice: a, b and so on, in the order in which they came into the text.

    A passage has the letter of the voice it began in, which is known from its first word on: so no letter changes when
    it ends, and none for each turn of a dial.

    Args:
        passage: how a span of an author was made, if that is known.
        used: gives all authors that ever were in the text, in that order; asked for when there is a voice to show.
        begun: which voice an author began in, while it is not known yet how its span was made.
    """

    def __init__(
        self,
        passage: Callable[[Author], Passage | None],
        used: Callable[[], Iterable[Author]] = tuple,
        begun: Callable[[Author], str | None] = lambda _: None,
    ) -> None:
        self._passage, self._used, self._begun = passage, used, begun
        self._of: dict[Author, int | None] = {}

    def style(self, author: Author) -> tuple[str, str]:
        """Return style and mark of an author; the writer has neither, and what was there before no style."""
        if author in (WRITER, UNKNOWN):
            return "", THERE_BEFORE if author == UNKNOWN else ""
        index = self._index(author)
        if index is None:
            return UNKNOWN_STYLE, UNKNOWN_MARK
        return VOICE_STYLES[index % len(VOICE_STYLES)], _mark(index)

    @cached_property
    def _voices(self) -> list[str]:
        voices = (self._voice(author) for author in self._used())
        return list(dict.fromkeys(voice for voice in voices if voice is not None))

    def _voice(self, author: Author) -> str | None:
        passage = self._passage(author)
        return self._begun(author) if passage is None else first_voice(passage)

    def _index(self, author: Author) -> int | None:
        if author not in self._of:
            voice = self._voice(author)
            self._of[author] = None if voice is None else self._number(voice)
        return self._of[author]

    def _number(self, voice: str) -> int:
        if voice not in self._voices:
            self._voices.append(voice)
        return self._voices.index(voice)


def pieces(
    view: View, start: int, end: int, colouring: str, voices: VoiceLetters, heats: Heats
) -> Iterator[StyledPiece]:
    """Yield what there is to tell of the shown characters `start` to `end`, which are in one row.

    Args:
        colouring: "authors", "none", or the id of the persona of which `heats` are.
    """
    for part in view.parts(start, end):
        if part.kind is not PartKind.TEXT:
            yield StyledPiece(part.start, part.end, *_DRAFTED[part.kind])
            continue
        behind = part.start - view.to_text(part.start)
        first, last = part.start - behind, part.end - behind
        found: Iterable[StyledPiece] = ()
        if colouring == "authors":
            found = by_author(view.prose, first, last, voices)
        elif colouring != "none":
            found = by_heat(view.prose.text, first, last, heats)
        for piece in found:
            yield StyledPiece(piece.start + behind, piece.end + behind, piece.style, piece.mark)


def by_author(prose: Prose, start: int, end: int, voices: VoiceLetters) -> Iterator[StyledPiece]:
    """Yield who wrote the characters `start` to `end` of a text."""
    for span in prose.authors[start:end].spans():
        yield StyledPiece(start + span.start, start + span.end, *voices.style(span.author))


def by_heat(text: str, start: int, end: int, heats: Heats) -> Iterator[StyledPiece]:
    """Yield the sentences that have a heat and touch the characters `start` to `end` of one line of a text."""
    first, paragraph = _paragraph(text, start, end)
    for from_, to, level in heats.get(paragraph, ()):
        low, high = max(first + from_, start), min(first + to, end)
        if low < high:
            yield StyledPiece(low, high, HEAT_STYLES[level], _HEAT_MARKS[level])


def by_paragraph(text: str, scores: Iterable[ScoredSpan]) -> Heats:
    """Return the heat of sentences of a text, so kept that it is still found when other paragraphs change."""
    found: dict[str, list[tuple[int, int, int]]] = {}
    for one in scores:
        first, paragraph = _paragraph(text, one.start, one.end)
        found.setdefault(paragraph, []).append((one.start - first, one.end - first, heat(one.score)))
    return found


def heat(score: float) -> int:
    """Return the step, 0 to 4, of a score, of which 0 is neutral and 1 the persona's own."""
    return bisect_right(_STEPS, score)


def sign(words: str, found: Sequence[StyledPiece]) -> StyledPiece | None:
    """Return a piece with the mark that stands for a line; None if there are no pieces.

    Where several have written it, it is that of a voice, if one of them is, with a + in place of its bar.

    Args:
        words: the line.
        found: its pieces, whose places are counted in it.
    """
    # A space at its end has hardly been written by anybody.
    seen = [piece for piece in found if words[piece.start : piece.end].strip()] or found
    first = most(seen)
    if first is None or first.mark in (GHOST, STRUCK) or first.style in HEAT_STYLES:
        return first
    written = [piece for piece in seen if piece.mark not in (GHOST, STRUCK)]
    voices = [piece for piece in written if piece.mark not in ("", THERE_BEFORE)]
    other = most(voices or [piece for piece in written if piece.mark])
    if other is None or all(piece.mark == other.mark for piece in written):
        return first
    return replace(other, mark=f"+{other.mark[-1]}")


def most(found: Iterable[StyledPiece]) -> StyledPiece | None:
    """Return a piece with the mark that most of their characters have; None if there are none.

    The change of a rewrite that stands out is marked however short it is.
    """
    length: Counter[str] = Counter()
    first: dict[str, StyledPiece] = {}
    for piece in found:
        if piece.mark == HERE:
            return piece
        length[piece.mark] += piece.end - piece.start
        first.setdefault(piece.mark, piece)
    return first[length.most_common(1)[0][0]] if first else None


def _paragraph(text: str, start: int, end: int) -> tuple[int, str]:
    """Return where the paragraph begins that `start` and `end` are in, and the paragraph."""
    first, last = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    return first, text[first : len(text) if last < 0 else last].removesuffix("\r")


def _mark(index: int) -> str:
    return "▎" + (ascii_letters[index] if index < len(ascii_letters) else "…")


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
