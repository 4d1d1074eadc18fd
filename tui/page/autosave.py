"""Saves a text by itself, looks for what other programs did to its file, and offers what a crash left unsaved."""

import asyncio
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from textual.app import App, SuspendNotSupported

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.elsewhere import Theirs, read_theirs
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.records import Offer
from billy_mlx.manuscript.textfile import NotText
from billy_mlx.text import sanitize
from billy_mlx.tui.messages import errors_shown

if TYPE_CHECKING:
    from billy_mlx.tui.screens.question import Question

_ANOTHER = "another program changed this text; you see it as it is now, and undo takes you back"


class _Page(Protocol):
    """What shows the manuscript."""

    @property
    def app(self) -> App[Any]:
        """The application."""

    def replaced(self, *, follow: bool = True) -> None:
        """Show a text that was exchanged for another; with `follow` the cursor goes to where it differs."""

    def show_status(self, sentence: str) -> None:
        """Show a sentence to the writer."""

    def key_of(self, command: str) -> str:
        """Return the key of a command, as it stands on the keyboard."""

    def type_in(self, text: str) -> None:
        """Put what was typed elsewhere where it would have been typed here."""


class Autosave:
    """Keeps a manuscript safe while a page shows it."""

    def __init__(self, manuscript: Manuscript, page: _Page) -> None:
        self._manuscript, self._page = manuscript, page
        self._question: Question | None = None
        self._looking = False
        self._problems: tuple[str, ...] = ()

    def save_quietly(self) -> None:
        """Save if there is something to save, or else take up what another program did; never asks, never waits."""
        manuscript, safety = self._manuscript, self._manuscript.safety
        if manuscript.read_only is not None or safety.conflict:
            return
        if safety.unsaved:
            manuscript.save(wait=False)
        else:
            self.look_elsewhere(asks=False)

    def save(self) -> None:
        """Save now, and say how that went."""
        safety = self._manuscript.save()
        self._problems = safety.problems
        if safety.conflict:
            self._page.app.run_worker(self._ask_whose())
        else:
            self._page.show_status(safety.problems[0] if safety.problems else f"saved: {self._manuscript.path.name}")

    def watch(self) -> None:
        """Say what has gone wrong since the last time, once."""
        safety = self._manuscript.safety
        if safety.problems != self._problems:
            self._problems = safety.problems
            if safety.conflict and self._question is None:
                self._page.show_status(
                    "another program changed this file; save the text to choose which version to keep"
                )
            elif safety.problems and not safety.conflict:
                self._page.show_status(safety.problems[0])

    def offer(self) -> None:
        """Offer what was never saved before the program ended last time, one after another."""
        if self._manuscript.offers:
            from billy_mlx.tui.screens.question import RecoverScreen

            offer = self._manuscript.offers[0]

            def settled(answer: str | None) -> None:
                self._settled(lambda: self._recovered(offer, answer))

            self._ask(RecoverScreen(offer, self._manuscript.prose, settled))

    def look_elsewhere(self, *, asks: bool = True) -> None:
        """Take up what another program did to the file; ask, if the writer has changed the text as well.

        The file is read on the sync thread. Without `asks`, that is now and then only, and what has to be asked
        waits until the writer saves.
        """
        if not (self._looking or self._question or self._manuscript.read_only):
            self._looking = True
            self._page.app.run_worker(self._look(asks))

    def hand_over(self, command: str) -> None:
        """Hand the file to another program, and take it back when that ends.

        Raises:
            ManuscriptError: the text cannot be saved first, or the program cannot be started.
        """
        if self._manuscript.untitled:
            raise ManuscriptError("this text has no file yet; save it under a name, then open it in your editor")
        if self._manuscript.save().unsaved:
            raise ManuscriptError("the text could not be saved, so no other editor was started; save it first")
        try:
            words = shlex.split(command)
            with self._page.app.suspend():
                subprocess.run([*words, str(self._manuscript.path)], check=False)
        except ValueError as error:
            raise ManuscriptError(
                f"{command} is not a command ({error}); choose another editor in the settings"
            ) from error
        except OSError as error:
            raise ManuscriptError(
                f"{command} cannot be started: {error.strerror}; choose another editor in the settings"
            ) from error
        except SuspendNotSupported as error:
            raise ManuscriptError(
                "no other editor can run in this terminal; open the file in a second window"
            ) from error
        self._page.app.refresh()
        if self._manuscript.changed_elsewhere():
            self._take_up(f"the text is as you left it in {sanitize(Path(words[0]).name)}; undo takes you back")

    def finish(self) -> None:
        """Save for the last time, also what was typed into a question that is still open."""
        question, self._question = self._question, None
        self._type_in(question)
        if self._manuscript.read_only is None and self._manuscript.safety.unsaved:
            self._manuscript.save(wait=False)

    async def _look(self, asks: bool) -> None:
        try:
            changed = await asyncio.wrap_future(self._manuscript.look_elsewhere(thorough=asks))
        finally:
            self._looking = False
        if changed and self._manuscript.read_only is None:
            self._take_up(_ANOTHER, asks=asks)

    def _take_up(self, sentence: str, *, asks: bool = True) -> None:
        """Show what is in the file now and say so, or if the writer has to decide, ask or wait until they save."""
        manuscript = self._manuscript
        with errors_shown(self._page.show_status):
            try:
                if not manuscript.safety.unsaved and manuscript.path.exists():
                    if manuscript.elsewhere.take_theirs():  # nothing of the writer's is lost: undo brings it back
                        self._page.replaced(follow=False)
                        self._page.show_status(sentence)
                    return
            except NotText:
                pass
            if asks:
                self._page.app.run_worker(self._ask_whose())
            else:
                manuscript.save(wait=False)  # which goes over nothing: it says that there is something to decide

    async def _ask_whose(self) -> None:
        """Ask whose text it is to be; to compare long texts takes a moment."""
        manuscript, mine = self._manuscript, self._manuscript.text
        with errors_shown(self._page.show_status):
            theirs = await asyncio.to_thread(read_theirs, manuscript.path, manuscript.saved_text, mine)
            if self._question is None and manuscript.read_only is None:
                self._ask_between(mine, theirs)

    def _ask_between(self, mine: str, theirs: Theirs) -> None:
        from billy_mlx.tui.screens.question import ConflictScreen

        def settled(answer: str | None) -> None:
            self._settled(lambda: self._conflict_settled(answer, screen.copy))

        screen = ConflictScreen(self._manuscript.path, mine, theirs, settled)
        self._ask(screen)

    def _ask(self, question: "Question") -> None:
        self._question = question
        self._page.app.push_screen(question)

    def _settled(self, settle: Callable[[], None]) -> None:
        """Do what was answered; what was typed meanwhile comes after that, and after further questions."""
        question, self._question = self._question, None
        with errors_shown(self._page.show_status):
            settle()
        self._type_in(question)

    def _type_in(self, question: "Question | None") -> None:
        """Put into the text what was typed into a question; into the next question, if there is one."""
        typed = "" if question is None else question.typed
        if self._question is None:
            self._page.type_in(typed)
        else:
            self._question.typed = typed

    def _recovered(self, offer: Offer, answer: str | None) -> None:
        versions = self._page.key_of("history")
        match answer:
            case "recover":
                self._manuscript.recover(offer)
                self._page.replaced()
                self._page.show_status(
                    f"you see the text that was never saved; the file's text is kept as a version ({versions})"
                )
            case "decline":
                self._manuscript.decline(offer)
                self._page.show_status(f"the file's text stays; the other one is kept as a version ({versions})")
            case _:
                self._page.show_status("you will be asked again the next time you open this text")
                return
        self.offer()

    def _conflict_settled(self, answer: str | None, copy: Path | None) -> None:
        manuscript, versions = self._manuscript, self._page.key_of("history")
        match answer:
            case "theirs":
                manuscript.elsewhere.take_theirs()
                done = "you have the other program's text now; undo brings yours back"
            case "mine":
                aside = manuscript.elsewhere.keep_mine()
                kept = f"is kept as a version ({versions})" if aside is None else f"is {sanitize(aside.name)} now"
                done = f"your text is saved; the other program's {kept}"
            case "both":
                manuscript.elsewhere.keep_both()
                done = "the other program's changes are in the text; undo removes them"
            case "copy" if copy is not None:
                manuscript.save_copy(copy)
                done = f"a copy is saved: {sanitize(copy.name)}"
            case _:
                done = f"you have not decided yet; {self._page.key_of('save')} asks again"
        self._page.replaced(follow=False)
        self._page.show_status((*manuscript.safety.problems, done)[0] if answer in ("mine", "both") else done)
