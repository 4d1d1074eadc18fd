"""The commands of the page that have the voices write, and do with a draft what the writer says."""

from billy_mlx.tui.screens.dialogs import Ask
from billy_mlx.tui.screens.page_screen import PageScreen
from billy_mlx.tui.screens.side_by_side import Beside
from billy_mlx.tui.settings import writing


class Drafting(PageScreen):
    """A page where voices write."""

    def action_continue(self) -> None:
        """Have the voices go on from the cursor."""
        self.need_model()
        self.drafts.go_on((self.blend,), writing(self.studio.settings))

    def action_rewrite(self) -> None:
        """Have the voices write the selection anew."""
        self.need_model()
        self.drafts.rewrite((self.blend,), writing(self.studio.settings))

    def action_instruct(self) -> None:
        """Ask what should happen, then go on, or rewrite the selection."""
        start, end = self.editor.selected
        title = "Rewrite the selection: what should change?" if end > start else "What should happen next?"
        self.app.push_screen(Ask(title), self._instructed)

    def _instructed(self, instruction: str | None) -> None:
        if not instruction:
            return
        start, end = self.editor.selected
        begin = self.drafts.rewrite if end > start else self.drafts.go_on
        with self.telling():
            self.need_model()
            begin((self.blend,), writing(self.studio.settings), instruction)

    def action_retry(self) -> None:
        """Have another alternative written."""
        self.need_model()
        self.drafts.again((self.blend,), writing(self.studio.settings))

    def action_accept(self) -> None:
        """Put the draft into the text."""
        self.drafts.accept()

    def action_accept_sentence(self) -> None:
        """Put its next sentence into the text."""
        self.drafts.accept_sentence()

    def action_accept_word(self) -> None:
        """Put its next word into the text."""
        self.drafts.accept_word()

    def action_next_draft(self) -> None:
        """Show the next alternative."""
        self.drafts.swipe(1)

    def action_previous_draft(self) -> None:
        """Show the alternative before this one."""
        self.drafts.swipe(-1)

    def action_reopen(self) -> None:
        """Take up the last draft again."""
        self.drafts.reopen()

    def action_select_all(self) -> None:
        """Select the whole text."""
        self.editor.select_all()

    def action_next_waiting(self) -> None:
        """Go to the next draft."""
        self.drafts.go_to_next()

    def action_uncut(self) -> None:
        """Bring back the words that the length has cut."""
        self.drafts.uncut()

    def action_undo(self) -> None:
        """Take the last step back."""
        with self.rewriting.stepping():
            self.drafts.step(self.editor.undo)

    def action_redo(self) -> None:
        """Make the step again."""
        with self.rewriting.stepping():
            self.drafts.step(self.editor.redo)
        self.drafts.end_if_taken()

    def action_beside(self) -> None:
        """Show the rewrite beside what it is of."""
        if self.is_current:
            self.app.push_screen(Beside(self.rewriting, self.editor, self.action_retry))
