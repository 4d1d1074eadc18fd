"""The cursor of a page: it stops between grapheme clusters and words, and cuts none of them."""

from textual.document._document import EditResult, Location, Selection
from textual.widgets import TextArea

from billy_mlx.tui.widgets.clusters import border_after, border_before, cluster_around, word_after, word_before
from billy_mlx.tui.widgets.page_document import PageDocument
from billy_mlx.tui.widgets.view import View


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
