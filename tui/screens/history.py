"""Every version of the text: what made it, when, and how it differs from the text as it is now."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Label, OptionList, Static
from textual.widgets.option_list import Option

from billy_mlx.errors import BillyError
from billy_mlx.manuscript.counts import count_words
from billy_mlx.manuscript.history.tree import Version
from billy_mlx.manuscript.hunks import Hunk, hunks
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.revision import Kind
from billy_mlx.text import sanitize
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.screens.ask import Ask

_PAGE = 500  # versions
_MOST_CHANGES = 30  # in a preview
_MOST_CHARS = 400  # of one change
_AROUND = 30  # characters
_LANES = 6  # lines of the tree that are drawn side by side

_WORDS = {
    Kind.OPENED: "the text as it was found",
    Kind.TYPED: "you wrote",
    Kind.REPLACED: "you replaced",
    Kind.ACCEPTED: "you took a draft",
    Kind.SWIPED: "you took another draft",
    Kind.IMPORTED: "it was imported",
    Kind.ELSEWHERE: "another program changed it",
    Kind.RECOVERED: "it was recovered",
}


class HistoryScreen(Screen[tuple[str, int | str] | None]):
    """The tree of versions; gives ("go", revision), ("switch", branch), or None.

    Args:
        manuscript: whose versions these are; names and branches are given here, its text is changed by who asked.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("history",)
    BINDINGS = bindings("history", "anywhere")  # type: ignore[assignment]
    DEFAULT_CSS = """
    HistoryScreen > Label { width: 100%; padding: 0 1; color: $primary; text-style: bold; }
    HistoryScreen Horizontal { height: 1fr; }
    HistoryScreen OptionList { width: 3fr; height: 1fr; text-wrap: nowrap; text-overflow: ellipsis; }
    HistoryScreen OptionList, HistoryScreen OptionList:focus { border: none; }
    HistoryScreen VerticalScroll { width: 2fr; border-left: solid $primary; padding: 0 1; }
    """

    def __init__(self, manuscript: Manuscript) -> None:
        super().__init__()
        self._manuscript = manuscript
        self._landmarks = True
        self._coming: Iterator[Version] = iter(())
        self._lanes = Lanes()

    def compose(self) -> ComposeResult:
        """Yield the tree and the preview."""
        yield Label("", id="where", markup=False)
        with Horizontal():
            yield OptionList(markup=False)
            with VerticalScroll():
                yield Static("", id="preview", markup=False)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Show the newest versions."""
        self._show()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Show the version, and get more of them at the end."""
        if event.option_index == event.option_list.option_count - 1:
            self._more()
        self._preview(int(event.option_id or 0))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Go to the version."""
        self.dismiss(("go", int(event.option_id or 0)))

    def action_history_checkpoint(self) -> None:
        """Ask for a name of the text as it is now."""
        self._ask("A name for the text as it is now", self._manuscript.versions.checkpoint)

    def action_history_branch(self) -> None:
        """Ask for the name of a new branch."""
        self._ask("A name for the branch that begins here", self._manuscript.versions.begin_branch)

    def action_history_switch(self) -> None:
        """Ask which branch to go on with."""
        branches = self._manuscript.versions.branches
        others = [name for name in branches if name != self._manuscript.versions.branch]
        if not others:
            self.notify("There is only this branch. Begin another one first.", markup=False)
            return

        def check(name: str) -> str | None:
            return None if name in branches else f"there is no such branch; there are: {', '.join(branches)}"

        def answered(name: str | None) -> None:
            if name is not None:
                self.dismiss(("switch", name))

        self.app.push_screen(Ask(f"Go on with which branch? {', '.join(others)}", others[0], check), answered)

    def action_history_all(self) -> None:
        """Show every version, or only the landmarks."""
        self._landmarks = not self._landmarks
        self._show()

    def action_back(self) -> None:
        """Go back to the page, and change nothing."""
        self.dismiss(None)

    def _ask(self, question: str, name_it: Callable[[str], None]) -> None:
        def answered(name: str | None) -> None:
            if name is None:
                return
            try:
                name_it(name)
            except BillyError as error:
                self.notify(str(error), severity="warning", markup=False)
            else:
                self._show()

        self.app.push_screen(Ask(question), answered)

    def _show(self) -> None:
        versions, few = self._manuscript.versions, "the landmarks" if self._landmarks else "all"
        branch = sanitize(versions.branch)
        self.query_one("#where", Label).update(f"Versions: {few}, newest first, in characters. Branch: {branch}")
        self._coming, self._lanes = versions.tree(landmarks=self._landmarks), Lanes()
        rows = self.query_one(OptionList)
        rows.clear_options()
        self._more()
        rows.highlighted = 0 if rows.option_count else None

    def _more(self) -> None:
        try:
            found = list(islice(self._coming, _PAGE))
        except BillyError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        current = self._manuscript.versions.current
        self.query_one(OptionList).add_options(
            Option(Content(self._lanes.drawn(one) + described(one, now=one.id == current)), id=str(one.id))
            for one in found
        )

    @work(exclusive=True)
    async def _preview(self, revision: int) -> None:
        await asyncio.sleep(0)  # of a key held down only the last version is worked out
        try:
            then = self._manuscript.versions.text_at(revision).text
        except BillyError as error:
            self.query_one("#preview", Static).update(str(error))
            return
        now = self._manuscript.text
        preview = await asyncio.to_thread(compared, now, then)
        self.query_one("#preview", Static).update(preview)
        self.query_one(VerticalScroll).scroll_home(animate=False)


class Lanes:
    """Draws the lines of a tree whose nodes come children first, one node a row."""

    def __init__(self) -> None:
        self._wanted: list[int] = []  # by lane: the node that its line leads down to

    def drawn(self, version: Version) -> str:
        """Return the drawing before a node, and go on to the next row."""
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


def described(version: Version, *, now: bool) -> str:
    """Return a version in words: when, what made it, how much it changed, and its names."""
    made = datetime.fromtimestamp(version.made).astimezone()
    changed = f"+{version.inserted:,} −{version.removed:,}"
    names = "".join(f" [{sanitize(name)}]" for name in version.names)
    here = " ← now" if now else ""
    return f"{made:%d %b %H:%M} {_WORDS[version.kind]} {changed}{names}{here}"


def compared(now: str, then: str) -> str:
    """Return how the text `then` differs from `now`: words, and the changes with a little around them."""
    if now == then:
        return "This is the text as it is now."
    words = count_words(then) - count_words(now)
    more = f"{abs(words):,} words {'more' if words > 0 else 'fewer'} than now" if words else "as many words as now"
    changes = hunks(now, then)
    shown = "\n\n".join(_change(now, hunk) for hunk in changes[:_MOST_CHANGES])
    rest = f"\n\n… and {len(changes) - _MOST_CHANGES:,} more places" if len(changes) > _MOST_CHANGES else ""
    return f"{more.capitalize()}. Going there takes out what has a − and puts in what has a +.\n\n{shown}{rest}"


def _change(now: str, hunk: Hunk) -> str:
    before = now[max(0, hunk.start - _AROUND) : hunk.start]
    lines = [f"…{before}" if before else ""]
    lines += [f"− {_cut(now[hunk.start : hunk.end])}"] if hunk.end > hunk.start else []
    lines += [f"+ {_cut(hunk.text)}"] if hunk.text else []
    return sanitize("\n".join(line for line in lines if line))


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARS else f"{text[:_MOST_CHARS]}…"
