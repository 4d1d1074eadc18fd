"""Keeping a manuscript: saves by itself, looks for what other programs did, and offers what a crash left."""

from collections.abc import Callable
from pathlib import Path

from textual.app import App

from billy_mlx.errors import BillyError
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.records import Offer


class Keeping:
    """What is done for a manuscript's safety while the studio shows it.

    Args:
        replaced: is called when the text was exchanged for another.
        tell: takes a sentence for the writer.
    """

    def __init__(
        self,
        app: App[None],
        manuscript: Manuscript,
        *,
        replaced: Callable[[], None],
        tell: Callable[[str], None],
    ) -> None:
        self._app, self._manuscript = app, manuscript
        self._replaced, self._tell = replaced, tell
        self._asking = False

    def save_quietly(self) -> None:
        """Save if there is something to save, without waiting for the disk."""
        manuscript = self._manuscript
        if manuscript.read_only is None and manuscript.safety.unsaved and not manuscript.safety.conflict:
            manuscript.save(wait=False)
        elif manuscript.safety.conflict:
            self.look_elsewhere()

    def save(self) -> None:
        """Save now, and say how that went."""
        safety = self._manuscript.save()
        if safety.conflict:
            self.look_elsewhere()
        self._tell(safety.problems[0] if safety.problems else f"saved: {self._manuscript.path.name}")

    def offer(self) -> None:
        """Offer what was never saved before the program ended last time, one after another."""
        if self._manuscript.offers:
            from billy_mlx.tui.screens.recover import RecoverScreen

            offer = self._manuscript.offers[0]
            self._app.push_screen(RecoverScreen(offer, self._manuscript.prose), self._recovered)

    def look_elsewhere(self) -> None:
        """Ask what to do if another program has changed the file."""
        manuscript = self._manuscript
        if self._asking or manuscript.read_only is not None or not manuscript.changed_elsewhere():
            return
        if not manuscript.safety.unsaved and manuscript.path.exists():
            manuscript.take_theirs()  # nothing of the writer's is lost: undo brings it back
            self._replaced()
            self._tell("another program changed this text; it is shown as it is now, and undo leads back")
            return
        from billy_mlx.tui.screens.conflict import ConflictScreen

        self._asking = True
        self._app.push_screen(ConflictScreen(manuscript.path, manuscript.text), self._conflict_settled)

    def _recovered(self, answer: tuple[str, Offer] | None) -> None:
        verb, offer = answer or ("later", None)
        if offer is not None and verb != "later":
            (self._manuscript.recover if verb == "recover" else self._manuscript.decline)(offer)
            self._replaced()
            self.offer()

    def _conflict_settled(self, answer: str | Path | None) -> None:
        self._asking = False
        try:
            match answer:
                case "theirs":
                    self._manuscript.take_theirs()
                case "mine":
                    self._manuscript.keep_mine()
                case Path():
                    self._manuscript.save_copy(answer)
                    self._tell(f"a copy is saved: {answer.name}")
        except BillyError as error:
            self._tell(str(error))
        self._replaced()
