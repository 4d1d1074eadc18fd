"""Drafts of a chorus: several stand at one place, and a piece of any voice can be taken."""

from billy_mlx.blend.blend import Blend
from billy_mlx.errors import ManuscriptError
from billy_mlx.tui.page.draft_controller import PageDrafts, seed
from billy_mlx.write.messages import Writing


class ChorusDrafts(PageDrafts):
    """The drafts of a page where a chorus can sing."""

    def turn_to(self, draft: int) -> None:
        """Show a draft, if it is open and belongs to the text."""
        if draft != self.current and any(one.id == draft for one in self._manuscript.drafts.here):
            self._gauges = {}
            self._show(draft)

    def go_on_behind(self, voices: tuple[Blend, ...], writing: Writing) -> int:
        """Have voices write where the draft that is shown stands now; that one stays. Returns the new one's number."""
        if self.draft is None:
            raise ManuscriptError("there is no draft to continue from; go back to the page")
        return self._begin(self.desk.go_on(self.draft.start, voices, seed=seed(), writing=writing))

    def take(self, draft: int, alternative: int, length: int | None) -> None:
        """Put an alternative into the text, or `length` more characters of it; see `Drafts.accept_of`."""
        self.turn_to(draft)
        if self.current != draft:
            raise ManuscriptError("this was written for another version of the text; go back to that version first")
        self._accept(lambda draft: self._manuscript.drafts.accept_of(draft, alternative, length))

    def put_away_beside(self, draft: int) -> None:
        """Put a draft away that is not the one that is shown, and stop what writes it."""
        self.stop_writing(draft)
        if any(one.id == draft for one in self._manuscript.drafts.open):
            self._manuscript.drafts.reject(draft)

    def end_if_taken(self) -> None:
        """End the draft that is shown if it was taken to its end, and nothing more is to come."""
        draft = self.draft
        if draft is None or self.running or not self._manuscript.drafts.is_in_text(draft):
            return
        if not self._manuscript.drafts.rest(draft).text.strip():
            self._manuscript.drafts.reject(draft.id)
            self._settle()
