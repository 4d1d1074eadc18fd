"""The cursor of a page: it stops between words and between grapheme clusters, which readers take for one character."""

from functools import cache
from typing import TYPE_CHECKING

from textual.document._document import EditResult, Location, Selection
from textual.widgets import TextArea

from billy_mlx.tui.widgets.ghost_view import View
from billy_mlx.tui.widgets.page_document import PageDocument

if TYPE_CHECKING:
    import regex


_WINDOW = 256  # characters that are looked at on either side of a place: a row may be a whole book


class Cursor(TextArea, inherit_bindings=False):
    """A text area with a `PageDocument`, in which keys and mouse go by what readers take for one character."""

    _view: View

    @property
    def page(self) -> PageDocument:
        """The document: what is shown."""
        if not isinstance(self.document, PageDocument):
            raise TypeError(f"a page shows a PageDocument, not {type(self.document).__name__}")
        return self.document

    # Steps, as a text area asks for them.

    def get_cursor_left_location(self) -> Location:
        """Return where the cursor goes by one cluster to the left."""
        row, column = self.cursor_location
        if column == 0:
            return super().get_cursor_left_location()
        return row, self._stopped(row, column, border_before(self.page.lines[row], column))

    def get_cursor_right_location(self) -> Location:
        """Return where the cursor goes by one cluster to the right."""
        row, column = self.cursor_location
        if column == len(self.page.lines[row]):
            return super().get_cursor_right_location()
        return row, self._stopped(row, column, border_after(self.page.lines[row], column))

    def get_cursor_word_left_location(self) -> Location:
        """Return where the cursor goes by one word to the left."""
        row, column = self.cursor_location
        return (row, word_before(self.page.lines[row], column)) if column else super().get_cursor_left_location()

    def get_cursor_word_right_location(self) -> Location:
        """Return where the cursor goes by one word to the right."""
        row, column = self.cursor_location
        at_end = column == len(self.page.lines[row])
        return super().get_cursor_right_location() if at_end else (row, word_after(self.page.lines[row], column))

    def _delete_via_keyboard(self, start: Location, end: Location) -> EditResult | None:
        first, last = sorted((start, end))
        return super()._delete_via_keyboard(self._cluster(first)[0], self._cluster(last)[1])

    def _whole(self, selection: Selection, *, forward: bool = False) -> Selection:
        """Return a selection that cuts no cluster; a cursor in one goes to its start, or `forward` to its end."""
        start, end = selection
        if start == end:
            return Selection.cursor(self._cluster(end)[forward])
        return Selection(self._cluster(start)[start > end], self._cluster(end)[end > start])

    def _cluster(self, location: Location) -> tuple[Location, Location]:
        """Return the start and end of the cluster that a location is inside of, or the location twice."""
        row, column = location
        if row >= len(self.page.lines):  # as behind the last line, when it is deleted
            return location, location
        if self._view.ghost and self.page.offset(location) in (self._view.at, self._view.ghost_end):
            return location, location  # whatever would join the text and the ghost
        start, end = cluster_around(self.page.lines[row], column)
        return (row, self._stopped(row, column, start)), (row, self._stopped(row, column, end))

    def _stopped(self, row: int, column: int, target: int) -> int:
        """Return where a step in a row ends: at an end of the ghost, if it would lead across one."""
        if not self._view.ghost:
            return target
        ends = [place - self.page.starts[row] for place in (self._view.at, self._view.ghost_end)]
        crossed = [end for end in ends if min(column, target) < end < max(column, target)]
        return min(crossed, key=lambda end: abs(end - column), default=target)


def border_before(text: str, place: int) -> int:
    """Return the last border between clusters before a place; 0 at the start of the text."""
    if _is_plain(text, place - 2, place):
        return max(0, place - 1)
    start = end = _sure_border(text, place)
    for cluster in _pattern(r"\X").finditer(text, start, place + _WINDOW):
        start, end = cluster.span()
        if end >= place:
            break
    return start if end >= place else end


def border_after(text: str, place: int) -> int:
    """Return the first border between clusters behind a place; the text's length at its end."""
    if _is_plain(text, place - 1, place + 2):
        return min(place + 1, len(text))
    for cluster in _pattern(r"\X").finditer(text, _sure_border(text, place), place + _WINDOW):
        if cluster.end() > place:
            return cluster.end()
    return len(text)


def cluster_around(text: str, place: int) -> tuple[int, int]:
    """Return where the cluster begins and ends that a place is inside of; the place twice if it is at a border."""
    if not 0 < place < len(text) or _is_plain(text, place - 1, place + 1):
        return place, place
    start = border_before(text, place)
    end = border_after(text, start)
    return (start, end) if start < place < end else (place, place)


def word_before(text: str, place: int) -> int:
    """Return where the word, or the signs, before a place begin; the blanks between are passed over."""
    # An accent that stands alone is a letter to this library, and not to Python's own.
    found = _pattern(r"(?r)(?:\w+|[^\w\s]+)?\s*\Z").search(text, max(0, place - _WINDOW), place)
    return place if found is None else found.start()


def word_after(text: str, place: int) -> int:
    """Return where the word, or the signs, behind a place end; the blanks between are passed over."""
    found = _pattern(r"\s*(?:\w+|[^\w\s]+)?").match(text, place, place + _WINDOW)
    return place if found is None else found.end()


def _sure_border(text: str, place: int) -> int:
    """Return a border before a place, or where the window begins: from there the next ones are found soon enough."""
    floor = max(0, place - _WINDOW)
    pair = _pattern(r"(?r)(?<=[ -~])[ -~]").search(text, floor, place)  # nothing joins two of these
    return floor if pair is None else pair.start()


def _is_plain(text: str, start: int, end: int) -> bool:
    """Return whether a stretch has nothing that joins what stands beside it: most text is so, and needs no pattern."""
    stretch = text[max(0, start) : end]
    return stretch.isascii() and stretch.isprintable()


@cache
def _pattern(pattern: str) -> "regex.Pattern[str]":
    import regex  # late, as the page is painted without it

    return regex.compile(pattern)
