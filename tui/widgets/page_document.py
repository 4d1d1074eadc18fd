"""A text as an editor's lines: exactly the text, whatever is in it, and places in it as offsets or as (row, column)."""

import re
from bisect import bisect_right
from itertools import accumulate, pairwise
from typing import Literal, NamedTuple, overload

from rich.cells import cell_len
from textual._wrap import compute_wrap_offsets
from textual.document._document import DocumentBase, EditResult, Location
from textual.document._wrapped_document import WrappedDocument
from textual.expand_tabs import expand_tabs_inline, get_tab_widths
from textual.geometry import Size

from billy_mlx.text import visible

# One cell each, and the space is all that can be broken at: Latin, Greek, Cyrillic, dashes and quotes.
_PLAIN = re.compile("[ -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0482\u2010-\u2027]*")


class ChangedRows(NamedTuple):
    """The rows that a change concerned: `first` to `old_last` are now `first` to `new_last`."""

    first: int
    old_last: int
    new_last: int


class PageDocument(DocumentBase):
    """A document in which only line feeds, with or without a carriage return, end a line; each is kept as it is.

    Its lines are as they are drawn: without their ends, and `visible`; they are as long as those of the text.

    Args:
        text: all of it.
        newline: what `newline` answers.
    """

    def __init__(self, text: str, newline: Literal["\n", "\r\n"] = "\n") -> None:
        self._newline = newline
        self._rows = _rows(text)
        self._lines = [_line(row) for row in self._rows]
        self._text: str | None = text
        self._starts: list[int] | None = None

    def splice(self, start: int, end: int, text: str) -> ChangedRows:
        """Replace the characters `start` to `end` by `text`."""
        first, last = self._row_of(start), self._row_of(end)
        head = self._rows[first][: start - self.starts[first]]
        rows = _rows(head + text + self._rows[last][end - self.starts[last] :])
        if last < len(self._rows) - 1:
            rows.pop()  # what follows the last end of line is the next row, which is there already
        self._rows[first : last + 1] = rows
        self._lines[first : last + 1] = [_line(row) for row in rows]
        self._text = self._starts = None
        return ChangedRows(first, last, first + len(rows) - 1)

    def offset(self, location: Location) -> int:
        """Return where a location is in the text; one that is nowhere is brought to the nearest end."""
        row, column = location
        if row >= len(self._rows):
            return len(self.text)
        return self.starts[row] + min(column, len(self._lines[row]))

    def location(self, offset: int) -> Location:
        """Return the location of a place in the text; inside an end of line it is before it."""
        row = self._row_of(offset)
        return row, min(offset - self.starts[row], len(self._lines[row]))

    @property
    def starts(self) -> list[int]:
        """Where each row begins in the text."""
        if self._starts is None:
            self._starts = [0, *accumulate(map(len, self._rows[:-1]))]
        return self._starts

    @property
    def text(self) -> str:
        """All of the text, as it is."""
        if self._text is None:
            self._text = "".join(self._rows)
        return self._text

    @property
    def newline(self) -> Literal["\n", "\r\n"]:
        """The end of line that was given."""
        return self._newline

    @property
    def lines(self) -> list[str]:
        """The rows as they are drawn."""
        return self._lines

    @property
    def line_count(self) -> int:
        """How many rows there are; one at least."""
        return len(self._lines)

    @property
    def start(self) -> Location:
        """The first location."""
        return 0, 0

    @property
    def end(self) -> Location:
        """The last location."""
        return len(self._lines) - 1, len(self._lines[-1])

    def replace_range(self, start: Location, end: Location, text: str) -> EditResult:
        """Replace what is between two locations by `text`."""
        first, last = sorted((self.offset(start), self.offset(end)))
        replaced = self.text[first:last]
        self.splice(first, last, text)
        return EditResult(self.location(first + len(text)), replaced)

    def get_line(self, index: int) -> str:
        """Return a row as it is drawn."""
        return self._lines[index]

    def get_text_range(self, start: Location, end: Location) -> str:
        """Return the text between two locations, as it is."""
        first, last = sorted((self.offset(start), self.offset(end)))
        return self.text[first:last]

    def get_size(self, indent_width: int) -> Size:
        """Return how many cells wide and rows high it is."""
        return Size(max(cell_len(expand_tabs_inline(line, indent_width)) for line in self._lines), len(self._lines))

    @overload
    def __getitem__(self, line_index: int) -> str: ...

    @overload
    def __getitem__(self, line_index: slice) -> list[str]: ...

    def __getitem__(self, line_index: int | slice) -> str | list[str]:
        """Return rows as they are drawn."""
        return self._lines[line_index]

    def _row_of(self, offset: int) -> int:
        return bisect_right(self.starts, offset) - 1


class PageWrap(WrappedDocument):
    """Lines wrapped to a width."""

    def wrap(self, width: int, tab_width: int | None = None) -> None:
        """Wrap all rows, to no width if `width` is 0; most are plain, for which a text area takes ten times as long."""
        self._width, self._tab_width = width, tab_width or self._tab_width
        lines = self.document.lines
        self._tab_width_cache = [
            [cells for _, cells in get_tab_widths(line, self._tab_width)] if "\t" in line else [0] for line in lines
        ]
        self._wrap_offsets = [self._breaks(line) for line in lines]
        self._offset_to_line_info, self._line_index_to_offsets = [], []
        for row, breaks in enumerate(self._wrap_offsets):
            top = len(self._offset_to_line_info)
            self._line_index_to_offsets.append([*range(top, top + len(breaks) + 1)])
            self._offset_to_line_info += [(row, section) for section in range(len(breaks) + 1)]

    @property
    def height(self) -> int:
        """How many lines there are on the screen; asked for each of them, so it must not go through the text."""
        return len(self._offset_to_line_info)

    def get_sections(self, line_index: int) -> list[str]:
        """Return the lines on the screen that a row is broken into."""
        line = self.document[line_index]
        return [line[start:end] for start, end in pairwise([0, *self.get_offsets(line_index), len(line)])]

    def _breaks(self, line: str) -> list[int]:
        """Return the columns at which a row is broken."""
        if not self._width:
            return []
        breaks = plain_breaks(line, self._width)
        if breaks is not None:
            return breaks
        tabs = get_tab_widths(line, self._tab_width)
        return compute_wrap_offsets(line, self._width, self._tab_width, precomputed_tab_sections=tabs)


def plain_breaks(line: str, width: int) -> list[int] | None:
    """Return the columns at which a line is broken; None if a word, or what it is written in, makes that difficult."""
    if _PLAIN.fullmatch(line) is None or "  " in line:
        return None
    breaks, start = [], 0
    while len(line) - start > width:
        space = line.rfind(" ", start, start + width)
        if space < 0:
            return None
        start = space + 1
        breaks.append(start)
    return breaks


def _rows(text: str) -> list[str]:
    """Return the lines of a text with their ends; the last one has none."""
    *ended, last = text.split("\n")
    return [*(row + "\n" for row in ended), last]


def _line(row: str) -> str:
    return visible(row[: -2 if row.endswith("\r\n") else -1] if row.endswith("\n") else row)
