"""The commands that let the voices write, and that decide what becomes of a draft."""

from typing import TYPE_CHECKING

from billy_mlx.blend.blend import Blend
from billy_mlx.tui.screens.dialogs import Ask
from billy_mlx.tui.screens.side_by_side import SideBySide
from billy_mlx.tui.settings import writing
from billy_mlx.write.messages import Writing

if TYPE_CHECKING:
    from billy_mlx.tui.screens.writing import WritingScreen


class DraftCommands:
    """The keys of a draft, and those that begin one.

    Args:
        page: where the voices write.
    """

    def __init__(self, page: "WritingScreen") -> None:
        self._page = page

    def action_continue(self) -> None:
        """Let the voices write on from the cursor."""
        self._page.drafts.go_on(*self._recipe())

    def action_rewrite(self) -> None:
        """Let the voices rewrite the selection."""
        self._page.drafts.rewrite(*self._recipe())

    def action_instruct(self) -> None:
        """Ask what should happen, then continue, or rewrite the selection."""
        start, end = self._page.editor.selected
        title = "Rewrite the selection: what should change?" if end > start else "What should happen next?"
        self._page.app.push_screen(Ask(title), self._instructed)

    def _instructed(self, instruction: str | None) -> None:
        if not instruction:
            return
        page = self._page
        start, end = page.editor.selected
        begin = page.drafts.rewrite if end > start else page.drafts.go_on
        with page.errors_shown():
            begin(*self._recipe(), instruction)

    def action_retry(self) -> None:
        """Write another alternative."""
        self._page.drafts.again(*self._recipe())

    def action_accept(self) -> None:
        """Put the draft into the text."""
        self._page.drafts.accept()

    def action_accept_sentence(self) -> None:
        """Put the draft's next sentence into the text."""
        self._page.drafts.accept_sentence()

    def action_accept_word(self) -> None:
        """Put the draft's next word into the text."""
        self._page.drafts.accept_word()

    def action_next_draft(self) -> None:
        """Show the next alternative."""
        self._page.drafts.swipe(1)

    def action_previous_draft(self) -> None:
        """Show the previous alternative."""
        self._page.drafts.swipe(-1)

    def action_reopen(self) -> None:
        """Show the last draft again."""
        self._page.drafts.reopen()

    def action_next_waiting(self) -> None:
        """Go to the next draft that waits in the text."""
        self._page.drafts.go_to_next()

    def action_uncut(self) -> None:
        """Bring back the words that were cut off at the length."""
        self._page.drafts.uncut()

    def action_stop(self) -> None:
        """Stop the model, or put the draft away, if the writer is in the text; else go back there."""
        page = self._page
        if not page.editor.has_focus:
            page.editor.focus()
        elif page.text_commands.is_finding and not page.drafts.running:
            page.text_commands.close_find()
        else:
            page.drafts.stop_or_put_away()

    def action_undo(self) -> None:
        """Undo the last step."""
        with self._page.rewriting.stepping():
            self._page.drafts.step(self._page.editor.undo)

    def action_redo(self) -> None:
        """Redo the step that was undone."""
        with self._page.rewriting.stepping():
            self._page.drafts.step(self._page.editor.redo)
        self._page.drafts.end_if_taken()

    def action_beside(self) -> None:
        """Show the rewrite side by side with the passage."""
        page = self._page
        if page.is_current:
            page.app.push_screen(SideBySide(page.rewriting, page.editor, self.action_retry))

    def _recipe(self) -> tuple[tuple[Blend, ...], Writing]:
        """Return which voices write, and how. Raises ManuscriptError if there is no model to write with."""
        self._page.need_model()
        return (self._page.blend,), writing(self._page.studio.settings)
