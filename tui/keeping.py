"""Keeping a manuscript: saves by itself, looks for what other programs did, and offers what a crash left."""

import shlex
import subprocess
from pathlib import Path
from typing import Protocol

from textual.app import App, SuspendNotSupported

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.records import Offer
from billy_mlx.tui.telling import telling


class Page(Protocol):
    """What shows the manuscript."""

    def replaced(self, *, follow: bool = True) -> None:
        """Show a text that was exchanged for another; with `follow` the cursor goes to where it differs."""

    def tell(self, sentence: str) -> None:
        """Show a sentence to the writer."""


class Keeping:
    """What is done for a manuscript's safety while a page shows it."""

    def __init__(self, app: App[None], manuscript: Manuscript, page: Page) -> None:
        self._app, self._manuscript, self._page = app, manuscript, page
        self._asking = False
        self._problems: tuple[str, ...] = ()

    def save_quietly(self) -> None:
        """Save if there is something to save, or else take up what another program did; never asks, never waits long.

        A question would take the letters that are being typed for its answer.
        """
        manuscript, safety = self._manuscript, self._manuscript.safety
        if manuscript.read_only is not None or safety.conflict:
            return
        with telling(self._page.tell):
            elsewhere = not safety.unsaved and manuscript.changed_elsewhere()
            if elsewhere and manuscript.path.exists():
                self._take_theirs()
            elif safety.unsaved or elsewhere:
                manuscript.save(wait=False)

    def save(self) -> None:
        """Save now, and say how that went."""
        safety = self._manuscript.save()
        self._problems = safety.problems
        self._page.tell(safety.problems[0] if safety.problems else f"saved: {self._manuscript.path.name}")
        if safety.conflict:
            self.look_elsewhere()

    def watch(self) -> None:
        """Say what has gone wrong since the last time, once."""
        safety = self._manuscript.safety
        if safety.problems != self._problems:
            self._problems = safety.problems
            if safety.conflict:
                self._page.tell("another program changed this file; save the text to decide whose it is to be")
            elif safety.problems:
                self._page.tell(safety.problems[0])

    def offer(self) -> None:
        """Offer what was never saved before the program ended last time, one after another."""
        if self._manuscript.offers:
            from billy_mlx.tui.screens.recover import RecoverScreen

            offer = self._manuscript.offers[0]
            self._app.push_screen(RecoverScreen(offer, self._manuscript.prose), self._recovered)

    def look_elsewhere(self) -> None:
        """Take up what another program did to the file; ask, if the writer has changed the text as well."""
        if self._asking or self._manuscript.read_only is not None:
            return
        with telling(self._page.tell):
            if not self._manuscript.changed_elsewhere():
                return
            if not self._manuscript.safety.unsaved and self._manuscript.path.exists():
                self._take_theirs()
                return
            from billy_mlx.tui.screens.conflict import ConflictScreen

            self._asking = True
            self._app.push_screen(ConflictScreen(self._manuscript.path, self._manuscript.text), self._conflict_settled)

    def hand_over(self, command: str) -> None:
        """Have another program edit the file, and take it back.

        Raises:
            ManuscriptError: the text cannot be saved first, or the program cannot be started.
        """
        if self._manuscript.untitled:
            raise ManuscriptError("this text has no file yet for another editor; save it under a name first")
        if self._manuscript.save().unsaved:
            raise ManuscriptError("the text could not be saved, so no other editor was started; save it first")
        try:
            words = shlex.split(command)
            with self._app.suspend():
                subprocess.run([*words, str(self._manuscript.path)], check=False)
        except ValueError as error:
            raise ManuscriptError(f"{command} is no command ({error}); set another editor") from error
        except OSError as error:
            raise ManuscriptError(f"{command} cannot be started: {error.strerror}; set another editor") from error
        except SuspendNotSupported as error:
            raise ManuscriptError("this terminal cannot be handed over; open the file beside the studio") from error
        self._app.refresh()
        self.look_elsewhere()

    def _take_theirs(self) -> None:
        self._manuscript.take_theirs()  # nothing of the writer's is lost: undo brings it back
        self._page.replaced(follow=False)
        self._page.tell("another program changed this text; it is shown as it is now, and undo leads back")

    def _recovered(self, answer: tuple[str, Offer] | None) -> None:
        verb, offer = answer or ("later", None)
        if offer is None or verb == "later":
            return
        with telling(self._page.tell):
            (self._manuscript.recover if verb == "recover" else self._manuscript.decline)(offer)
            self.offer()
        self._page.replaced()

    def _conflict_settled(self, answer: str | Path | None) -> None:
        self._asking = False
        with telling(self._page.tell):
            match answer:
                case "theirs":
                    self._manuscript.take_theirs()
                    self._page.tell("the text is the other program's now; undo brings yours back")
                case "mine":
                    problems = self._manuscript.keep_mine().problems
                    self._page.tell((*problems, "your text is saved; the other program's is among the versions")[0])
                case Path():
                    self._manuscript.save_copy(answer)
                    self._page.tell(f"a copy is saved: {answer.name}")
        self._page.replaced()
