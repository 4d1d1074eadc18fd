"""Every version of the text: what made it, when, and how it differs from the text as it is now; and the branches."""

import asyncio
import time
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Footer, Label, OptionList, Static
from textual.widgets.option_list import Option

from billy_mlx.errors import BillyError
from billy_mlx.manuscript.chronicle import compared, counted, named, told, when
from billy_mlx.manuscript.history.tree import Version
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.versions import Versions
from billy_mlx.text import sanitize
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.keys import key_on
from billy_mlx.tui.screens.dialogs import Ask, refusal

_PAGE = 500  # versions
_LANES = 6  # lines of the tree that are drawn side by side
_WIDE = 120  # columns, from which on the preview stands beside the versions
VersionChoice = tuple[str, int | str] | tuple[str, int, str]
"""Where the writer wants to go: ("go", revision), ("switch", branch), ("branch", revision, name of the new one)."""


class HistoryScreen(Screen[VersionChoice | None]):
    """The tree of versions; gives a journey, or None.

    Args:
        manuscript: whose versions these are; names are given here, its text is changed by who asked.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("history",)
    BINDINGS = bindings("history", "anywhere")  # type: ignore[assignment]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_WIDE, "-wide")]  # noqa: RUF012  # as Textual has it
    DEFAULT_CSS = """
    HistoryScreen > Label { width: 100%; padding: 0 1; color: $primary; text-style: bold; }
    HistoryScreen Horizontal { height: 1fr; }
    HistoryScreen OptionList { width: 3fr; height: 1fr; text-wrap: nowrap; text-overflow: ellipsis; }
    HistoryScreen OptionList, HistoryScreen OptionList:focus { border: none; }
    HistoryScreen VerticalScroll { width: 2fr; border-left: solid $primary; padding: 0 1; }
    HistoryScreen.-narrow {
        Horizontal { layout: vertical; }
        OptionList { width: 100%; height: 3fr; padding: 0; }
        VerticalScroll { width: 100%; height: 2fr; border-left: none; border-top: solid $primary; }
    }
    """

    def __init__(self, manuscript: Manuscript) -> None:
        super().__init__()
        self._manuscript = manuscript
        self._landmarks = True
        self._coming: Iterator[Version] = iter(())
        self._lanes = Lanes()
        self._shown: dict[int, Version] = {}

    def compose(self) -> ComposeResult:
        """Yield the tree and the preview."""
        yield Label("", id="where", markup=False)
        with Horizontal():
            yield OptionList(markup=False)
            with VerticalScroll():
                yield Static("", id="preview", markup=False)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Show the newest versions, and stand at the one the text is."""
        self._show(self._manuscript.versions.current)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Show the version, and get more of them at the end."""
        if event.option_index == event.option_list.option_count - 1:
            self._more()
        self._preview(int(event.option_id or 0))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Go to the version."""
        self.dismiss(("go", int(event.option_id or 0)))

    def action_history_checkpoint(self) -> None:
        """Ask for a name of the version that is chosen."""
        chosen, versions = self._chosen, self._manuscript.versions
        if chosen is None:
            return

        def answered(name: str | None) -> None:
            if name is not None:
                versions.checkpoint(name, chosen.id)
                self._show(chosen.id)

        question = f"A name for this version ({self._described(chosen)})"
        self.app.push_screen(Ask(question, check=partial(refusal, versions.check_name)), answered)

    def action_history_branch(self) -> None:
        """Ask for the name of a new branch, and go there."""
        chosen, versions = self._chosen, self._manuscript.versions
        if chosen is None:
            return

        def answered(name: str | None) -> None:
            if name is not None:
                self.dismiss(("branch", chosen.id, name))

        question = f"A name for the branch that starts at this version ({self._described(chosen)})"
        self.app.push_screen(Ask(question, check=partial(refusal, versions.check_branch)), answered)

    def action_history_switch(self) -> None:
        """Show the branches, to switch to another one or to rename one."""

        def answered(name: str | None) -> None:
            if name is not None:
                self.dismiss(("switch", name))
            elif self._chosen is not None:
                self._show(self._chosen.id)  # one may have another name now

        self.app.push_screen(Branches(self._manuscript.versions), answered)

    def action_history_all(self) -> None:
        """Show every version, or only the landmarks."""
        self._landmarks = not self._landmarks
        self._show(self._manuscript.versions.current if self._chosen is None else self._chosen.id)

    def action_back(self) -> None:
        """Go back to the page, and change nothing."""
        self.dismiss(None)

    @property
    def _chosen(self) -> Version | None:
        option = self.query_one(OptionList).highlighted_option
        return None if option is None else self._shown.get(int(option.id or 0))

    def _show(self, at: int) -> None:
        """Show the versions, and stand at one of them, or else at the newest."""
        versions = self._manuscript.versions
        which = "The turning points of your text" if self._landmarks else "Every version of your text"
        self.query_one("#where", Label).update(f"{which}, newest first. Branch: {sanitize(versions.branch)}")
        self._coming, self._lanes, self._shown = versions.tree(landmarks=self._landmarks), Lanes(), {}
        rows = self.query_one(OptionList)
        rows.clear_options()
        while self._more() and at not in self._shown:
            pass
        found = [*self._shown]
        if found:
            rows.highlighted = found.index(at) if at in self._shown else 0

    def _more(self) -> bool:
        """Show the next versions, and return whether there were any."""
        try:
            found = list(islice(self._coming, _PAGE))
        except BillyError as error:
            self.notify(str(error), severity="error", markup=False)
            return False
        current, now = self._manuscript.versions.current, time.time()
        self._shown |= {one.id: one for one in found}
        self.query_one(OptionList).add_options(
            Option(Content(self._lanes.drawn(one) + described(one, now, is_current=one.id == current)), id=str(one.id))
            for one in found
        )
        return bool(found)

    def _described(self, version: Version) -> str:
        return f"{when(version.made, time.time())}, {told(version)}"

    @work(exclusive=True)
    async def _preview(self, revision: int) -> None:
        await asyncio.sleep(0)  # of a key held down only the last version is worked out
        preview, version = self.query_one("#preview", Static), self._shown.get(revision)
        try:
            then = self._manuscript.versions.text_at(revision).text
        except BillyError as error:
            preview.update(str(error))
            return
        now = self._manuscript.text
        names = () if version is None else version.names
        here = f"Names and branches here: {', '.join(map(sanitize, names))}.\n" if names else ""
        preview.update(here + await asyncio.to_thread(compared, now, then))
        self.query_one(VerticalScroll).scroll_home(animate=False)


class Branches(ModalScreen[str | None]):
    """Gives the name of the branch to switch to, or None.

    Args:
        versions: whose branches they are; they get their new names here.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("branches",)
    BINDINGS = bindings("anywhere", "branches")  # type: ignore[assignment]
    DEFAULT_CSS = """
    Branches { align: center middle; }
    Branches > Vertical {
        width: 64; max-width: 95%; height: auto; max-height: 80%; padding: 0 1;
        background: $surface; border: round $primary;
    }
    Branches OptionList { height: auto; max-height: 16; border: none; padding: 0; background: $surface; }
    Branches Label { width: 100%; color: $text-muted; }
    """

    def __init__(self, versions: Versions) -> None:
        super().__init__()
        self._versions = versions

    def compose(self) -> ComposeResult:
        """Yield the branches, and what can be done."""
        with Vertical():
            yield OptionList(compact=True, markup=False)
            yield Label("", id="hint", markup=False)

    def on_mount(self) -> None:
        """Show the branches, with the current one highlighted."""
        self._fill(self._versions.branch)
        hint = f"Enter: switch to it   {key_on(self, 'branch-rename')}: rename   Esc: cancel"
        self.query_one("#hint", Label).update(hint)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Switch to a branch; nothing is to be done for the current one."""
        event.stop()
        name = self._names[event.option_index]
        self.dismiss(None if name == self._versions.branch else name)

    def action_branch_rename(self) -> None:
        """Ask for another name of the branch the list stands at."""
        index = self.query_one(OptionList).highlighted
        if index is None:
            return
        name = self._names[index]

        def check(new: str) -> None:
            if new != name:
                self._versions.check_branch(new)

        def answered(new: str | None) -> None:
            if new is not None:
                self._versions.rename_branch(name, new)
                self._fill(new)

        self.app.push_screen(Ask("What do you want to call this branch?", name, partial(refusal, check)), answered)

    def action_back(self) -> None:
        """Stay on this branch."""
        self.dismiss(None)

    def _fill(self, at: str) -> None:
        self._names = [*self._versions.branches]
        rows = self.query_one(OptionList)
        rows.set_options([Option(self._row(name)) for name in self._names])
        rows.highlighted = self._names.index(at) if at in self._names else 0

    def _row(self, name: str) -> Content:
        here = " ← you are here" if name == self._versions.branch else ""
        return Content.assemble(sanitize(name), (here, "$text-muted"))


class Lanes:
    """Draws the lines of a tree whose nodes come children first, one node a row."""

    def __init__(self) -> None:
        self._wanted: list[int] = []  # by lane: the node that its line leads down to

    def drawn(self, version: Version) -> str:
        """Return the drawing before a node, and move on to the next row."""
        if version.id not in self._wanted:
            self._wanted.append(version.id)
        lane = self._wanted.index(version.id)
        joined = ["├" if wanted == version.id else "│" for wanted in self._wanted]
        joined[lane] = "●"
        rest = [wanted for place, wanted in enumerate(self._wanted) if place == lane or wanted != version.id]
        if version.parent is None:
            del rest[lane]
        else:
            rest[lane] = version.parent
        self._wanted = rest
        return " ".join(joined[:_LANES]) + (" …" if len(joined) > _LANES else "") + " "


def described(version: Version, now: float, *, is_current: bool) -> str:
    """Return a version in a row, what must not be cut off first: when, its names, what was done, how many words."""
    here = "← now" if is_current else ""
    parts = (when(version.made, now), here, named(version), counted(version), told(version))
    return "  ".join(part for part in parts if part)
