"""The editor: a manuscript on a page, to be written in, with a draft as ghost text where it will stand."""

import re
import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass

from textual import events
from textual.document._document import EditResult, Selection
from textual.document._edit import Edit as Keyed
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.reactive import reactive

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.draft import Draft
from billy_mlx.manuscript.edit import Edit, difference
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.prose import WRITER, Prose
from billy_mlx.text import without_strays
from billy_mlx.tui.messages import StatusMessage
from billy_mlx.tui.widgets.authorship_marks import GHOST_END, VoiceLetters
from billy_mlx.tui.widgets.ghost_view import Ghost, View, carried, changed, seam
from billy_mlx.tui.widgets.page_view import PageView
from billy_mlx.tui.word_count import amount
from billy_mlx.words import count_words

_LINE_END = re.compile(r"\r\n?|\n")
_WORDS = re.compile(r"\S")


class Editor(PageView):
    """Edits a manuscript: what the writer does goes to the manuscript first, and is shown as it stands there then.

    Places are offsets in the manuscript's text where they are called so; a location is a (row, column) of what is
    shown, the ghost included. The ghost cannot be edited: it is one place of the manuscript, and the cursor jumps over.

    Args:
        manuscript: what to show; `show` does that later, too.

    Attributes:
        changes_of: gives the changes of a draft that is gone through change by change, and which of them stands out;
            None for any other draft.
    """

    typewriter: reactive[bool] = reactive(False, init=False)
    """The line with the cursor stays in the middle of the page, at the end of the text too."""

    @dataclass
    class Edited(Message):
        """The writer has changed the manuscript here: typed, pasted, taken a step back."""

    def __init__(
        self,
        manuscript: Manuscript | None = None,
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._draft: int | None = None
        self.changes_of: Callable[[Draft], tuple[tuple[Ghost, ...], int | None] | None] = lambda _: None
        self._followed: int | None = None  # where the page was last scrolled to with the ghost's growing end
        if manuscript is not None:
            self.show(manuscript)

    def show(self, manuscript: Manuscript) -> None:
        """Show a manuscript from its start, without a draft."""
        self.manuscript = manuscript
        self._voices = VoiceLetters(manuscript.passage, manuscript.drafts.used, manuscript.drafts.begun_in)
        self._heats = {}
        self._draft = self._followed = None
        self._view = self._now()
        self._set_document(self._view.shown, None)

    def sync(self, *, follow: bool = True) -> None:
        """Show what the manuscript has become by something else: a step back, a draft taken, another version.

        Args:
            follow: the cursor goes to the end of the change; otherwise it stays where it is in the text.
        """
        if self.manuscript is None:
            return
        view = self._now()
        change = difference(self._view.prose, view.prose)
        if not follow or change.removed == change.inserted:
            self._keep_still(view, change)
            return
        self._become(view, (view.to_shown(change.inserted_end),) * 2)
        self.scroll_cursor_visible()
        self._followed = None if self._followed is None else self.scroll_offset.y

    def show_draft(self, draft: int | None) -> None:
        """Show an open draft as ghost text, instead of the one that was; None for none."""
        if draft != self._draft:
            self._draft, self._followed = draft, None if draft is None else self.scroll_offset.y
        self.refresh_draft()

    def refresh_draft(self) -> None:
        """Show how far the draft is now. The page goes along with its end if the cursor stands at its start."""
        if self.manuscript is None:
            return
        view = self._now()
        if view.prose is not self._view.prose:
            self.sync()
        elif view.ghost and self.cursor == view.at and self._goes_along:
            self._become(view, self._carried(view, None))
            self._follow_ghost()
        else:
            self._keep_still(view, None)

    def reveal_change(self) -> None:
        """Bring the change of a rewrite that stands out into view, its start rather than its end; the cursor stays."""
        view = self._view
        if view.here is not None:
            ghost = view.changes[view.here]
            places = view.to_shown(ghost.end, behind=True), view.to_shown(ghost.start)
            for place in places:
                self._scroll_to_line(self.wrapped_document.location_to_offset(self.page.location(place)).y)

    def give_away(self, keys: Collection[str]) -> None:
        """Leave keys to the screen that would move the cursor or edit here: the writer wants them for a command."""
        own = type(self)._merge_bindings().key_to_bindings
        self._bindings.key_to_bindings = {key: bindings for key, bindings in own.items() if key not in keys}

    def undo(self) -> None:
        """Take the manuscript's last step back."""
        if self.manuscript is not None:
            self._step(self.manuscript.versions.undo, "There is nothing to undo.")

    def redo(self) -> None:
        """Make the step again that was taken back last."""
        if self.manuscript is not None:
            self._step(self.manuscript.versions.redo, "There is nothing to redo.")

    def action_copy(self) -> None:
        """Copy the selection, and say so."""
        self._copy(self.selected_text, "copied")

    def action_cut(self) -> None:
        """Cut the selection out, or the line if nothing is selected, and say so."""
        start, end = self.selection
        cut = self._delete_cursor_line() if start == end else self._delete_via_keyboard(start, end)
        self._copy("" if cut is None else cut.replaced_text, "cut")

    # What a text area asks of itself.

    def edit(self, edit: Keyed) -> EditResult:
        """Make an edit of the writer in the manuscript, and show it. What of it is ghost stays as it is."""
        start, end = self.manuscript_offset(edit.top), self.manuscript_offset(edit.bottom)
        if self.manuscript is None or (start == end and not edit.text):
            self._step_over(edit)
            return EditResult(self.selection.end, "")
        text = _LINE_END.sub(self.manuscript.newline, edit.text)
        removed = self.manuscript.text[start:end]
        try:
            self._edit(self.manuscript, start, end, text, edit)
        except ManuscriptError as error:
            self.post_message(StatusMessage(str(error), trouble=True))
            return EditResult(self.selection.end, "")
        self._followed = None
        self._show_edit(Edit(start, Prose.by(WRITER, removed), Prose.by(WRITER, text)), edit)
        self.post_message(self.Edited())
        return EditResult(self.location_of(start + len(text)), removed)

    def scroll_cursor_visible(self, center: bool = False, animate: bool = False) -> Offset:
        """Scroll to the cursor at once, so that nothing drawn between is thrown away."""
        if not self._has_cursor:
            return Offset(0, 0)
        self._recompute_cursor_offset()
        center = center or (self.typewriter and not self._selecting)  # under the mouse, the text must stay
        return self._scroll_to_line(self._cursor_offset[1], center=center)

    def watch_typewriter(self) -> None:
        """Make room below the text, or none."""
        self._refresh_size()
        self.scroll_cursor_visible()

    def _refresh_size(self) -> None:
        below = self.size.height // 2 if self.typewriter else 0
        self.virtual_size = Size(0, self.wrapped_document.height + below)
        self._refresh_scrollbars()

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            event.prevent_default()  # a text area would give the focus away, and the screen would not hear of it
            return
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            # Here and not in the app, whose turn comes later: letters typed fast would overtake what moves the cursor.
            event.stop()
            event.prevent_default()
            await self.run_action(binding.action)
            return
        if event.character is not None and unicodedata.category(event.character[:1]) == "Cf":
            event.stop()
            event.prevent_default()  # a text area takes only what is to be seen, and families would fall apart
            self._replace_via_keyboard(event.character, *self.selection)

    async def _on_mouse_down(self, event: events.MouseDown) -> None:
        self._selecting = True  # a text area says so only once the cursor has moved

    # How it is done.

    def _copy(self, text: str, did: str) -> None:
        if not text:
            self.post_message(StatusMessage(f"nothing is selected, so nothing was {did}"))
            return
        self.app.copy_to_clipboard(without_strays(text))
        words = count_words(text)
        self.post_message(StatusMessage(f"{did} {amount(words)}" if words else did))

    def _edit(self, manuscript: Manuscript, start: int, end: int, text: str, edit: Keyed) -> None:
        """Make an edit; what the ghost has at the cursor is typed along with it, so that it shrinks."""
        along = None
        if self._view.ghost and edit.top <= self.page.location(self._view.at) and self._draft is not None:
            along = manuscript.drafts.along(self._draft, start, end, text)
        if along is None:
            manuscript.edit(start, end, text)
        else:
            manuscript.type_along(along, start, end, text)

    def _step(self, step: Callable[[], bool], nothing: str) -> None:
        try:
            done = step()
        except ManuscriptError as error:
            self.post_message(StatusMessage(str(error), trouble=True))
            return
        if not done:
            self.post_message(StatusMessage(nothing))
            return
        self.sync()
        self.post_message(self.Edited())

    def _now(self) -> View:
        """Return what is to be shown by what the manuscript and the draft are now."""
        if self.manuscript is None:
            return View()
        prose, here = self.manuscript.prose, self.manuscript.drafts.here
        draft = next((draft for draft in here if draft.id == self._draft), None)
        waiting = tuple(one.start for one in here if one is not draft)
        # While there is a draft the tab key is the screen's, which takes the draft.
        self.tab_behavior = "indent" if draft is None else "focus"
        if draft is None:
            return View(prose, waiting=waiting)
        found = self.changes_of(draft)
        if found is not None:
            changes, at = found
            return View(prose, waiting=waiting, changes=changes, here=at)
        ghost = seam(prose.text[draft.start : draft.end], str(self.manuscript.drafts.rest(draft)))
        if ghost and _WORDS.search(prose.text, draft.end):
            ghost += GHOST_END
        return View(prose, draft.end, ghost, draft.start if draft.start < draft.end else None, waiting)

    def _show_edit(self, change: Edit, edit: Keyed) -> None:
        """Show what the writer did; the cursor goes to its end, or with the text around it."""
        view = self._now()
        if edit.maintain_selection_offset:
            places = [view.to_shown(change.moved(self.manuscript_offset(one), after=True)) for one in self.selection]
            self._become(view, (places[0], places[1]))
        else:
            behind = not edit.text and self._view.is_behind(self.page.offset(edit.top))
            self._become(view, (view.to_shown(change.inserted_end, behind=behind),) * 2)
        self.scroll_cursor_visible()
        self.record_cursor_width()

    def _become(self, view: View, selection: tuple[int, int]) -> None:
        """Show a view by the smallest change to what is shown, with the selection at these places in it."""
        cursor = self.cursor
        start, end, text = changed(self._view, view)
        self._view = view
        if start < end or text:
            rows = self.page.splice(start, end, text)
            self.wrapped_document.wrap_range((rows.first, 0), (rows.old_last, 0), (rows.new_last, 0))
        # Quietly: whether to scroll is decided by who calls, when the size is known.
        self.set_reactive(Editor.selection, self._whole(Selection(*map(self.page.location, selection)), forward=True))
        self._recompute_cursor_offset()
        self._refresh_size()
        self._repaint_changed()
        if self.is_mounted:
            self.app.cursor_position = self.cursor_screen_offset
        if self.cursor != cursor:
            self.post_message(self.SelectionChanged(self.selection, self))

    def _keep_still(self, view: View, change: Edit | None) -> None:
        """Show a view while what the writer looks at stays where it is: the cursor's line, or else the top one."""
        top, y = self.scroll_offset.y, self._cursor_offset[1]
        held = self.selection.end
        if not top <= y < top + self.size.height:
            y, held = top, self._location_at(top)
        place = carried(self.page.offset(held), self._view, view, change)
        self._become(view, self._carried(view, change))
        now = self.wrapped_document.location_to_offset(self.page.location(place)).y
        if now != y:
            self.scroll_to(y=top + now - y, animate=False, force=True, immediate=True)

    def _carried(self, view: View, change: Edit | None) -> tuple[int, int]:
        """Return where in a view the selection's ends will be."""
        start, end = (carried(self.page.offset(one), self._view, view, change) for one in self.selection)
        return start, end

    @property
    def _goes_along(self) -> bool:
        """Whether the page is where the ghost's end had it, or as near as a shorter alternative lets it."""
        return self._followed is not None and min(self._followed, self.max_scroll_y) == self.scroll_offset.y

    def _follow_ghost(self) -> None:
        end = self.wrapped_document.location_to_offset(self.page.location(self._view.ghost_end))
        self._scroll_to_line(end.y)
        self._followed = self.scroll_offset.y

    def _scroll_to_line(self, y: int, *, center: bool = False) -> Offset:
        return self.scroll_to_region(
            Region(0, y, 1, 1), animate=False, force=True, center=center, immediate=True, x_axis=False
        )

    def _step_over(self, edit: Keyed) -> None:
        """Move the cursor to the other end of the ghost, where a deletion would have taken from it."""
        first, last = self.location_of(self.cursor), self.location_of(self.cursor, behind=True)
        if edit.top < edit.bottom and self.selection.end in (first, last):
            self.move_cursor(last if self.selection.end == first else first)
