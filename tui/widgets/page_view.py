"""How a manuscript looks in the editor: its measure, its colours, and the marks beside it."""

from collections.abc import Iterable
from typing import ClassVar

from rich.style import Style
from textual.binding import Binding, BindingType
from textual.document._document import Location, Selection
from textual.document._document_navigator import DocumentNavigator
from textual.geometry import Offset, Region
from textual.reactive import reactive
from textual.strip import Strip
from textual.widgets import TextArea

from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.prose import Author
from billy_mlx.tui.commands import at
from billy_mlx.tui.widgets.authorship_marks import (
    FILLED_STYLES,
    MARKS_WIDTH,
    STYLES,
    Heats,
    Line,
    ScoredSpan,
    StyledPiece,
    VoiceLetters,
    by_paragraph,
    drawn,
    pieces,
)
from billy_mlx.tui.widgets.cursor import Cursor
from billy_mlx.tui.widgets.ghost_view import View
from billy_mlx.tui.widgets.page_document import PageDocument, PageWrap

_CURSOR_WIDTH = 1
_KEPT_STRIPS = 500  # the lines of some screens
_COMMANDS = {
    key for place in ("anywhere", "page", "rewrite", "draft") for one in at(place) for key in one.keys.split(",")
}


def editing_keys() -> list[BindingType]:
    """Return what the BINDINGS of a text area are that leaves the keys of a page and of its drafts to the screen."""
    own = [
        Binding("ctrl+home", "cursor_text_start", "Start of the text", show=False),
        Binding("ctrl+end", "cursor_text_end", "End of the text", show=False),
    ]
    for binding in TextArea.BINDINGS:
        if isinstance(binding, Binding) and binding.action not in ("undo", "redo", "select_line"):
            keys = ",".join(key for key in binding.key.split(",") if key not in _COMMANDS)
            own += [Binding(keys, binding.action, binding.description, show=False)] if keys else []
    return [*own]


class PageView(Cursor, inherit_bindings=False):
    """Shows a `View` of a manuscript. Lines are as wide as `measure` at most, in the middle of a wide screen."""

    DEFAULT_CSS = """
    PageView {
        scrollbar-gutter: stable;  /* or all would be wrapped again when the scrollbar comes */
        border: none;
        padding: 0;
        background: $background;
        &:focus { border: none; }
        & .page--ghost { text-style: dim italic; }
        & .page--struck { text-style: dim strike; }
        & .page--ghost-here { text-style: bold underline; background: $success 30%; }
        & .page--struck-here { text-style: bold strike; background: $error 30%; }
        & .page--unknown { color: $text-muted; }
        & .page--voice-0 { color: $text-primary; }
        & .page--voice-1 { color: $text-success; }
        & .page--voice-2 { color: $text-warning; }
        & .page--voice-3 { color: $text-accent; }
        & .page--voice-4 { color: $text-secondary; }
        & .page--voice-5 { color: $text-error; }
        & .page--heat-1 { background: $warning 8%; }
        & .page--heat-2 { background: $warning 18%; }
        & .page--heat-3 { background: $warning 30%; }
        & .page--heat-4 { background: $warning 45%; }
        & .page--heat-5 { background: $warning 60%; text-style: underline; }
        &:ansi {
            & .page--heat-1, & .page--heat-2, & .page--heat-3, & .page--heat-4, & .page--heat-5 {
                background: transparent;
            }
            & .page--ghost-here { text-style: bold reverse; background: transparent; }
            & .page--struck-here { text-style: bold strike; background: transparent; }
            & .page--heat-3 { text-style: underline; }
            & .page--heat-4 { text-style: bold; }
            & .page--heat-5 { text-style: bold underline; }
        }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = STYLES

    BINDINGS: ClassVar[list[BindingType]] = editing_keys()

    colouring: reactive[str] = reactive("authors", init=False)
    """What colours show: "authors", "none", or the id of the persona whose scores they are."""

    measure: reactive[int] = reactive(72, init=False)
    """How many cells wide a line of text is at most."""

    hint: reactive[str] = reactive("", init=False)
    """What an empty page says."""

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        self.manuscript: Manuscript | None = None
        self._view = View()
        self._voices = VoiceLetters(lambda _: None)
        self._heats: Heats = {}
        self._strips: dict[Line, Strip] = {}
        self._drawn: dict[int, Line | None] = {}  # what is on the screen, by its line there
        self._columns = (MARKS_WIDTH, 0)
        super().__init__(name=name, id=id, classes=classes, highlight_cursor_line=False, tab_behavior="indent")
        self.indent_type = "tabs"
        self.match_cursor_bracket = False

    def set_scores(self, scores: Iterable[ScoredSpan]) -> None:
        """Take in the scores of sentences of the manuscript as it is now, for the persona that colours show.

        A paragraph that is changed after that loses its colours, until it has scores again.
        """
        self._heats = by_paragraph(self._view.prose.text, scores)
        self.repaint()

    def mark_of(self, author: Author) -> str:
        """Return the mark that stands for an author in the margin; empty for the writer."""
        return self._voices.style(author)[1]

    def repaint(self) -> None:
        """Draw everything anew."""
        self.refresh()

    def watch_colouring(self) -> None:
        """Draw in other colours; the scores are another persona's."""
        self._heats = {}
        self.repaint()

    def watch_measure(self) -> None:
        """Wrap anew."""
        self._rewrap_and_refresh_virtual_size()

    def watch_hint(self) -> None:
        """Draw it."""
        self.repaint()

    def action_cursor_text_start(self) -> None:
        """Go to the start of the text."""
        self.move_cursor(self.document.start)

    def action_cursor_text_end(self) -> None:
        """Go to the end of the text."""
        self.move_cursor(self.document.end)

    # Places.

    @property
    def cursor(self) -> int:
        """Where the cursor is in the manuscript."""
        return self.manuscript_offset(self.selection.end)

    @property
    def selected(self) -> tuple[int, int]:
        """The start and end of the selection in the manuscript; the same if nothing is selected."""
        first, last = sorted(map(self.manuscript_offset, self.selection))
        return first, last

    def select(self, start: int, end: int) -> None:
        """Select a part of the manuscript, or put the cursor there, and bring it into view."""
        first = self.location_of(start, behind=start < end)
        self.selection = Selection(first, self.location_of(end))
        self.record_cursor_width()

    def manuscript_offset(self, location: Location) -> int:
        """Return the place in the manuscript of a location."""
        return self._view.to_text(self.page.offset(location))

    def location_of(self, offset: int, *, behind: bool = False) -> Location:
        """Return the location of a place in the manuscript; that of the ghost is before it, or `behind` it."""
        return self.page.location(self._view.to_shown(offset, behind=behind))

    # What a text area asks of itself.

    @property
    def gutter_width(self) -> int:
        """The cells left of the text: what is too much for the measure, and the marks."""
        spare = self.scrollable_content_region.width - self.measure - MARKS_WIDTH - _CURSOR_WIDTH
        return max(0, spare // 2) + MARKS_WIDTH

    @property
    def wrap_width(self) -> int:
        """The cells that a line may have."""
        return max(0, min(self.measure, self.scrollable_content_region.width - self.gutter_width - _CURSOR_WIDTH))

    def get_text_range(self, start: Location, end: Location) -> str:
        """Return the manuscript's text between two locations, without the ghost."""
        first, last = sorted((self.manuscript_offset(start), self.manuscript_offset(end)))
        return self._view.prose.text[first:last]

    def find_matching_bracket(self, bracket: str, search_from: Location) -> Location | None:
        """Find none: prose has brackets that no one closes, and a search for those goes through all of the text."""
        return None

    def _validate_selection(self, selection: Selection) -> Selection:
        start, end = super()._validate_selection(selection)
        return self._whole(
            Selection(self._outside(start, self.selection.start), self._outside(end, self.selection.end))
        )

    def _set_document(self, text: str, language: str | None) -> None:
        document = PageDocument(text, "\n" if self.manuscript is None else self.manuscript.newline)
        self.document = document
        self.wrapped_document = PageWrap(document, self.wrap_width, self.indent_width)
        self.navigator = DocumentNavigator(self.wrapped_document)
        self.move_cursor((0, 0))
        self._rewrap_and_refresh_virtual_size()

    def _rewrap_and_refresh_virtual_size(self) -> None:
        if self.wrap_width != self.wrapped_document._width:
            super()._rewrap_and_refresh_virtual_size()  # 0.2 s for a long book: only if the width is another one
        else:
            self.repaint()
            self._refresh_size()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw lines of the screen."""
        self._columns = self.gutter_width, self.scrollable_content_region.width  # once, and not for each line
        return super().render_lines(crop)

    def notify_style_update(self) -> None:
        """Draw in other colours."""
        self._strips.clear()
        super().notify_style_update()

    def _repaint_changed(self) -> None:
        """Draw anew the lines on the screen that are not as they were drawn."""
        for y in range(self.size.height):
            if y not in self._drawn or self._drawn[y] != self._line(y):
                self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        """Draw a line of the screen; a text area goes through all of a paragraph for each of its lines."""
        line = self._drawn[y] = self._line(y)
        if line is None:
            return Strip.blank(self.size.width, self._theme.base_style or self.rich_style)
        if line not in self._strips:
            if len(self._strips) >= _KEPT_STRIPS:
                self._strips.clear()
            self._strips[line] = drawn(line, self._style, self.app.console)
        return self._strips[line]

    def _line(self, y: int) -> Line | None:
        """Return what a line on the screen is drawn from; None below the text."""
        y += self.scroll_offset.y
        if y >= self.wrapped_document.height:
            return None
        if not (self._view.prose.text or self._view.ghost):
            return self._hint_line()
        row, first, last = self._stretch(y)
        start, words = self.page.starts[row] + first, self.page.lines[row]
        tabs = self.wrapped_document.get_tab_widths(row)[words.count("\t", 0, first) :] if "\t" in words else ()
        found = pieces(self._view, start, start + last - first, self.colouring, self._voices, self._heats)
        low, high = sorted(self.page.offset(place) - start for place in self.selection)
        at, column = self.selection.end
        return Line(
            words[first:last] + (" " if last == len(words) else ""),
            tuple(tabs),
            tuple(StyledPiece(one.start - start, one.end - start, one.style, one.mark) for one in found),
            (max(low, 0), min(high, last - first + 1)) if low < high and high > 0 and low <= last - first else None,
            column - first if at == row and first <= column <= last and self._draw_cursor else None,
            self._columns,
            self._line_styles,
            self._view.waits(start, start + last - first + (last == len(words))),
        )

    def _hint_line(self) -> Line:
        said, cursor = StyledPiece(0, len(self.hint), "page--unknown", ""), 0 if self._draw_cursor else None
        return Line(f"{self.hint} ", (), (said,), None, cursor, self._columns, self._line_styles)

    @property
    def _line_styles(self) -> tuple[Style | None, ...]:
        theme = self._theme
        return theme.base_style or self.rich_style, theme.selection_style, theme.cursor_style

    def _stretch(self, line: int) -> tuple[int, int, int]:
        """Return which row a line of the screen is of, and the first and last column of it."""
        row, section = self.wrapped_document._offset_to_line_info[line]
        borders = self.wrapped_document.get_offsets(row)
        last = borders[section] if section < len(borders) else len(self.page.lines[row])
        return row, borders[section - 1] if section else 0, last

    def _recompute_cursor_offset(self) -> None:
        self._cursor_offset = self.wrapped_document.location_to_offset(self.cursor_location)

    def _style(self, name: str) -> Style:
        if not name:
            return Style.null()
        own, whole = (self.get_component_rich_style(name, partial=partial) for partial in (True, False))
        # Only the whole one has the colours that transparent ones make with the page's.
        return own + Style(color=whole.color, bgcolor=whole.bgcolor if name in FILLED_STYLES else None)

    def _location_at(self, y: int) -> Location:
        """Return the location at the start of a line on the screen, counted from the top of the text."""
        return self.wrapped_document.offset_to_location(Offset(0, y))

    def _outside(self, location: Location, before: Location) -> Location:
        """Return the end of the ghost to go to instead of into it: on, in the direction it is gone."""
        ghost = self._view.inside(self.page.offset(location))
        if ghost is None:
            return location
        start, end = ghost
        return self.page.location(end if self.page.offset(before) <= start else start)
