"""Questions that open by themselves, perhaps in the middle of a word: nothing that is typed answers them.

One comes after a crash, one when another program has changed the file.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Key, Paste
from textual.screen import Screen
from textual.widgets import Footer, Label, OptionList, Static
from textual.widgets.option_list import Option

from billy_mlx.manuscript.chronicle import compared
from billy_mlx.manuscript.elsewhere import Theirs, said_of
from billy_mlx.manuscript.prose import Prose
from billy_mlx.manuscript.records import Offer
from billy_mlx.manuscript.textfile import free_name
from billy_mlx.text import sanitize, visible
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.dates import ago
from billy_mlx.tui.screens.dialogs import Ask

_TYPES = {"enter": "\n", "tab": "\t"}
_SHOWN = 40  # characters of what was typed
_KEYS = "Up or down chooses a line, Enter takes it, Esc asks again later."
_RECOVERY = {
    "recover": "Take the text that was never saved",
    "decline": "Keep the file's text; the other one is kept as a version",
}
_COPY = "Save mine as a copy next to it, then decide"
_FILE_IS_GONE = {
    "mine": "Keep mine: save my text under this name again",
    "theirs": "Take theirs: empty my text as well; undo brings mine back",
    "copy": "Save mine under another name, then decide",
}
_FILE_IS_NO_TEXT = {
    "mine": "Keep mine: save my text here; what is there now gets another name",
    "copy": _COPY,
}
_FILE_HAS_CHANGED = {
    "mine": "Keep mine: save my text over theirs; theirs is kept as a version",
    "theirs": "Take theirs: show the file's text; undo brings mine back",
    "copy": _COPY,
}
_BOTH = {"both": "Keep both: add their changes to my text; undo removes them"}


class Question(Screen[None]):
    """Asks for one of several ways on. Whoever is writing has not asked for it, and may not have seen it yet.

    So no line is chosen at first, and enter counts only right after an arrow. Everything that types is kept for the
    text, and so is enter otherwise. No widget has the focus: all keys come here, in order.

    Args:
        ways: the answers, in words, by their ids.
        settled: takes the id of the answer, or None to be asked again later, once the screen has gone.

    Attributes:
        typed: what was typed and pasted so far.
    """

    AUTO_FOCUS = ""
    BINDINGS = bindings("anywhere")  # type: ignore[assignment]
    DEFAULT_CSS = """
    Question > Label { width: 100%; padding: 0 2; }
    Question #title { text-style: bold; color: $warning; padding: 1 2 0 2; }
    Question #hint { color: $text-muted; }
    """

    def __init__(self, ways: Mapping[str, str], settled: Callable[[str | None], None]) -> None:
        super().__init__()
        self._ways, self._settled, self._done = AnswerList(ways), settled, False
        self.typed = ""

    def answers(self) -> ComposeResult:
        """Yield the answers, and what the keys do."""
        yield self._ways
        yield Label(self._hint(), id="hint", markup=False)

    def on_key(self, event: Key) -> None:
        """Move between the answers, take one, or keep what is typed."""
        if self._done:
            self._pass_on(event, Key(event.key, event.character))
        elif event.key in ("up", "down"):
            self._stop(event)
            self._ways.action_cursor_up() if event.key == "up" else self._ways.action_cursor_down()
        elif event.key == "enter" and self._ways.chosen is not None:
            self._stop(event)
            self.take(self._ways.chosen)
        elif event.key == "backspace":
            self._stop(event)
            self._keep(self.typed[:-1])
        elif event.key in _TYPES or event.is_printable:
            self._stop(event)
            self._keep(self.typed + _TYPES.get(event.key, event.character or ""))

    def on_paste(self, event: Paste) -> None:
        """Keep what is pasted."""
        if self._done:
            self._pass_on(event, Paste(event.text))
        else:
            event.stop()
            self._keep(self.typed + event.text)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take an answer that was clicked on."""
        event.stop()
        if event.option_id is not None and not self._done:
            self.take(event.option_id)

    def take(self, way: str) -> None:
        """Go this way."""
        self.settle(way)

    def action_back(self) -> None:
        """Ask again later."""
        self.settle(None)

    def settle(self, answer: str | None) -> None:
        """Give the answer: at once, so that what is typed next comes behind what was typed here."""
        if not self._done:
            self._done = True
            self.dismiss()
            self._settled(answer)

    def _keep(self, typed: str) -> None:
        """Keep what was typed; a line that was chosen before is chosen no more."""
        self.typed = typed
        self._ways.highlighted = None
        for hint in self.query("#hint").results(Label):
            hint.update(self._hint())

    def _hint(self) -> str:
        shown = visible(self.typed.replace("\n", "⏎"))
        shown = shown if len(shown) <= _SHOWN else f"…{shown[1 - _SHOWN :]}"
        return f"Kept for your text: {shown}\n{_KEYS}" if shown else f"{_KEYS}\nWhat you type is kept for your text."

    def _stop(self, event: Key) -> None:
        event.stop()
        event.prevent_default()

    def _pass_on(self, event: Key | Paste, again: Key | Paste) -> None:
        """Hand what came too late to whoever it is for now."""
        event.stop()
        event.prevent_default()
        (self.app.focused or self.app.screen).post_message(again)


class RecoverScreen(Question):
    """Asks whether to "recover" or to "decline".

    Args:
        offer: what was never saved.
        current: the text as it is now.
        settled: takes the answer; None is to be asked again next time.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("recover",)

    def __init__(self, offer: Offer, current: Prose, settled: Callable[[str | None], None]) -> None:
        super().__init__(_RECOVERY, settled)
        self._offer, self._current = offer, current

    def compose(self) -> ComposeResult:
        """Yield what was found, and how it differs."""
        yield Label("Some of this text was never saved to its file", id="title")
        made = self._offer.made  # 0 if the journal does not know
        when = f"You last worked on it {ago(made, time.time())}, and it is all here" if made else "It is all here"
        yield Label(f"{when}. Below you see how it differs from the file.")
        yield from self.answers()
        yield Difference(self._current.text, self._offer.prose.text)
        yield Footer(show_command_palette=False)

    def action_recover_take(self) -> None:
        """Take the text that was never saved."""
        self.take("recover")

    def action_recover_decline(self) -> None:
        """Leave the text as it is."""
        self.take("decline")


class ConflictScreen(Question):
    """Asks for "mine", "theirs", "both" where that can be, or "copy", of which `copy` is the path then.

    Args:
        path: of the file.
        mine: the writer's text.
        theirs: what is in the file.
        settled: takes the answer; None is to be asked again later.

    Attributes:
        copy: the file that a copy is to be saved as; None if none is.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("conflict",)

    def __init__(self, path: Path, mine: str, theirs: Theirs, settled: Callable[[str | None], None]) -> None:
        super().__init__(_ways(theirs), settled)
        self._path, self._mine, self._theirs = path, mine, theirs
        self.copy: Path | None = None

    def compose(self) -> ComposeResult:
        """Yield what happened, the ways out, and how the texts differ."""
        theirs = self._theirs
        yield Label(f"! {sanitize(self._path.name)}: {_happened(theirs)}", id="title", markup=False)
        yield Label(_explained(theirs), markup=False)
        yield from self.answers()
        if theirs.text is not None:
            yield Difference(self._mine, theirs.text)
        yield Footer(show_command_palette=False)

    def take(self, way: str) -> None:
        """Go this way; ask for the name of a copy first."""
        if way == "copy":
            self.action_conflict_copy()
        else:
            self.settle(way)

    def action_conflict_mine(self) -> None:
        """Keep the writer's."""
        self.settle("mine")

    def action_conflict_theirs(self) -> None:
        """Take the other program's."""
        self.settle("theirs")

    def action_conflict_both(self) -> None:
        """Put the other program's changes into the writer's text."""
        self.settle("both")

    def action_conflict_copy(self) -> None:
        """Ask for the name of a copy."""

        def answered(name: str | None) -> None:
            if name is not None:
                self.copy = self._beside(name)
                self.settle("copy")

        question = Ask("Save my text under which name?", free_name(self._path, "mine").name, self._refusal)
        self.app.push_screen(question, answered)

    def _refusal(self, name: str) -> str | None:
        """Return why a copy cannot have this name; None if it can."""
        if not name.strip() or "/" in name or name.strip() in (".", ".."):
            return "give a name without a folder; the copy is saved next to the file"
        try:
            taken = self._beside(name).exists()
        except OSError as error:
            return f"this cannot be a file name: {error.strerror or error}; choose another"
        except ValueError:
            return "no file can have this name; choose another"
        return f"{name.strip()} exists already; choose another name" if taken else None

    def _beside(self, name: str) -> Path:
        return self._path.with_name(name.strip())


class AnswerList(OptionList, can_focus=False):
    """The answers there are, of which none is chosen at first."""

    DEFAULT_CSS = """
    AnswerList { height: auto; max-height: 50%; padding: 0 2; border: none; }
    AnswerList > .option-list--option-highlighted { text-style: bold reverse; }
    """

    def __init__(self, ways: Mapping[str, str]) -> None:
        super().__init__(*(Option(Content(title), id=way) for way, title in ways.items()), markup=False)
        self.highlighted = None  # a list chooses its first line

    @property
    def chosen(self) -> str | None:
        """The id of the answer that an arrow has chosen; None if none has."""
        return None if self.highlighted_option is None else self.highlighted_option.id


class Difference(VerticalScroll, can_focus=False):
    """Shows what would be taken out of `now`, with a −, and what would be put in, with a +, to make it `then`."""

    DEFAULT_CSS = """
    Difference { border: round $primary; padding: 0 1; height: 1fr; }
    """

    def __init__(self, now: str, then: str) -> None:
        super().__init__()
        self._now, self._then = now, then
        self._shown = Static("comparing ...", markup=False)

    def compose(self) -> ComposeResult:
        """Yield the text."""
        yield self._shown

    def on_mount(self) -> None:
        """Begin to compare, which takes a while for a long text."""
        self._compare()

    @work
    async def _compare(self) -> None:
        self._shown.update(await asyncio.to_thread(compared, self._now, self._then))


def _ways(theirs: Theirs) -> dict[str, str]:
    if theirs.text is None:
        return _FILE_IS_GONE if theirs.wrong is None else _FILE_IS_NO_TEXT
    return _FILE_HAS_CHANGED if theirs.merge.touching else _BOTH | _FILE_HAS_CHANGED


def _happened(theirs: Theirs) -> str:
    if theirs.text is not None:
        return "another program changed this file"
    return "the file is gone" if theirs.wrong is None else "another program put something else in its place"


def _explained(theirs: Theirs) -> str:
    if theirs.text is None:
        return f"{sanitize(theirs.wrong or 'Your text is all here')}. Nothing is lost, whatever you choose."
    apart = said_of(theirs.merge) or "you and it changed different places"
    return f"{sanitize(apart[:1].upper() + apart[1:])}. Nothing is lost, whatever you choose. How theirs differs:"
