"""A bar to put below the page: find text, and replace it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input, Label

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.find import Match, Query, find_all, replacements
from billy_mlx.manuscript.word_diff import Hunk
from billy_mlx.text import sanitize
from billy_mlx.tui.commands import at, bindings
from billy_mlx.tui.keys import keys_of, shown_keys
from billy_mlx.tui.widgets.fields import LineField


@dataclass
class MatchChosen(Message):
    """Characters `start` to `end` are to be shown and selected."""

    start: int
    end: int


@dataclass
class ReplaceWanted(Message):
    """These changes are to be made, as one step."""

    hunks: tuple[Hunk, ...]


class FindClosed(Message):
    """The writer is done with finding."""


class FindBar(Widget):
    """Finds and replaces in a text that is asked for anew each time, as the writer may write on.

    Args:
        text: gives the text as it is.
        place: gives where in it the search begins: the cursor.
        wanted: what is looked for to begin with, such as the selection.
        keys: the keys of commands that the writer changed, by the command's name.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("find",)
    BINDINGS = bindings("find", "anywhere")  # type: ignore[assignment]
    DEFAULT_CSS = """
    FindBar { height: auto; background: $surface; border-top: solid $primary; }
    FindBar Horizontal { height: 1; }
    FindBar Input, FindBar Input:focus { width: 1fr; border: none; height: 1; padding: 0 1; }
    FindBar Label { padding: 0 1; }
    FindBar #message { width: 100%; }
    FindBar .name { width: 14; color: $text-muted; }
    """

    message = reactive("Enter: the next match")
    """How many places there are, or what is wrong."""
    case = reactive(False)
    """Capitals and small letters are told apart."""
    words = reactive(False)
    """Only whole words are found."""
    pattern = reactive(False)
    """What is typed is a pattern."""
    keep = reactive(False)
    """What is put in has the capitals of what was there."""

    def __init__(
        self, text: Callable[[], str], place: Callable[[], int], wanted: str = "", keys: Mapping[str, str] | None = None
    ) -> None:
        super().__init__()
        self._keys = {command.name: shown_keys(keys_of(command, keys or {}).split(",")[0]) for command in at("find")}
        self._text, self._place, self._wanted = text, place, wanted
        self._found: Match | None = None  # the place that is shown

    def compose(self) -> ComposeResult:
        """Yield two lines to type in, and one that tells."""
        with Horizontal():
            yield Label("Find", classes="name")
            yield LineField(sanitize(self._wanted.partition("\n")[0]), id="wanted")
        with Horizontal():
            yield Label("Replace with", classes="name")
            yield LineField(id="replacement")
        yield Label("", id="message", markup=False)  # how it is looked for, and below that what came of it

    def on_mount(self) -> None:
        """Let the writer type at once."""
        self.query_one("#wanted", Input).focus()
        self._show()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Go to the first place while it is typed; a pattern waits for enter, as half of one may be slow."""
        event.stop()
        if event.input.id == "wanted" and event.value and not self.pattern:
            self._go(self._place() if self._found is None else self._found.start)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the next place, or replace this one."""
        event.stop()
        if event.input.id == "wanted":
            self.action_find_next()
        else:
            self.action_find_replace()

    def action_find_next(self) -> None:
        """Go to the next place."""
        self._go(self._place() if self._found is None else self._found.beyond)

    def action_find_previous(self) -> None:
        """Go to the place before."""
        matches = self._matches()
        start = self._place() if self._found is None else self._found.start
        before = [match for match in matches if match.start < start] or matches
        self._show_match(before[-1] if before else None, matches)

    def action_find_field(self) -> None:
        """Go to the other field."""
        other = "#replacement" if self.query_one("#wanted", Input).has_focus else "#wanted"
        self.query_one(other, Input).focus()

    def action_find_replace(self) -> None:
        """Replace the place that is shown, and go to the next."""
        found, matches = self._found, self._matches()
        hunk = next(iter(self._hunks(found)), None) if found in matches else None
        if found is None or hunk is None:
            self.action_find_next()
            return
        self.post_message(ReplaceWanted((hunk,)))
        grown = len(hunk.text) - (found.end - found.start)
        left = [match for match in matches if match != found]
        moved = [match if match.start < found.start else _shifted(match, grown) for match in left]
        self._show_match(_at_or_behind(moved, found.start), moved)

    def action_find_replace_all(self) -> None:
        """Replace every place."""
        hunks = self._hunks()
        if hunks:
            self.post_message(ReplaceWanted(hunks))
            self._found = None
            self.message = f"{len(hunks):,} replaced; undo changes them back"

    def action_find_case(self) -> None:
        """Tell capitals from small letters, or do not."""
        self.case = not self.case

    def action_find_words(self) -> None:
        """Find whole words only, or do not."""
        self.words = not self.words

    def action_find_pattern(self) -> None:
        """Look for a pattern, or for the words as they stand."""
        self.pattern = not self.pattern

    def action_find_keep(self) -> None:
        """Write what is put in as what was there, or as it is typed."""
        self.keep = not self.keep

    def action_back(self) -> None:
        """Say that the writer is done."""
        self.post_message(FindClosed())

    def watch_message(self) -> None:
        """Show it."""
        self._show()

    def watch_case(self) -> None:
        """Show it."""
        self._show()

    def watch_words(self) -> None:
        """Show it."""
        self._show()

    def watch_pattern(self) -> None:
        """Show it."""
        self._show()

    def watch_keep(self) -> None:
        """Show it."""
        self._show()

    def _go(self, start: int) -> None:
        matches = self._matches()
        self._show_match(_at_or_behind(matches, start), matches)

    def _matches(self) -> list[Match]:
        """Return all places; none, with a message, if the search is impossible."""
        try:
            matches = list(find_all(self._text(), self._query()))
        except ManuscriptError as error:
            self._found, self.message = None, f"! {error}"
            return []
        if not matches:
            self._found, self.message = None, "Not found in the text."
        return matches

    def _hunks(self, only: Match | None = None) -> tuple[Hunk, ...]:
        try:
            replacement = self.query_one("#replacement", Input).value
            hunks = replacements(self._text(), self._query(), replacement, only, keep_capitals=self.keep)
        except ManuscriptError as error:
            self.message = f"! {error}"
            return ()
        if not hunks:
            self.message = "Not found in the text."
        return hunks

    def _query(self) -> Query:
        return Query(self.query_one("#wanted", Input).value, self.pattern, self.case, self.words)

    def _show_match(self, match: Match | None, matches: list[Match]) -> None:
        self._found = match
        if match is not None:
            self.message = f"{matches.index(match) + 1:,} of {len(matches):,}"
            self.post_message(MatchChosen(match.start, match.end))

    def _show(self) -> None:
        switches = {
            "find-case": ("capitals", self.case),
            "find-words": ("whole words", self.words),
            "find-pattern": ("pattern", self.pattern),
            "find-keep": ("keep capitals", self.keep),
        }
        shown = "  ".join(f"{self._keys[key]} [{'x' if on else ' '}] {name}" for key, (name, on) in switches.items())
        for label in self.query("#message").results(Label):
            label.update(f"{shown}\n{self.message}")


def _at_or_behind(matches: list[Match], place: int) -> Match | None:
    """Return the first match at `place` or behind it, or else the first of all."""
    return next((match for match in matches if match.start >= place), matches[0] if matches else None)


def _shifted(match: Match, by: int) -> Match:
    return Match(match.start + by, match.end + by)
