"""A rewrite side by side with the passage: for one that shares few words with it, and cannot be read as changes."""

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Label, Static

from billy_mlx.text import sanitize
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.page.rewriting import RewriteController
from billy_mlx.tui.widgets.editor import Editor

_NARROWEST = 70  # cells of both columns together


class SideBySide(Screen[None]):
    """Shows both, and does what the writer says about them. What is typed goes to the page, which it leads back to.

    Args:
        rewriting: the rewrite that is on the page.
        page: where the writer types.
        again: has another rewrite written.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("beside",)
    BINDINGS = bindings("beside", "anywhere")  # type: ignore[assignment]
    DEFAULT_CSS = """
    SideBySide #both { height: 1fr; layout: vertical; }
    SideBySide #both.-side { layout: horizontal; }
    SideBySide VerticalScroll { width: 1fr; height: 1fr; border: round $primary; padding: 0 1; }
    SideBySide Label { width: 100%; text-style: bold; }
    """

    def __init__(self, rewriting: RewriteController, page: Editor, again: Callable[[], None]) -> None:
        super().__init__()
        self._rewriting, self._page, self._again = rewriting, page, again
        self._heading, self._old, self._new = (Label(markup=False), Static(markup=False), Static(markup=False))

    def compose(self) -> ComposeResult:
        """Yield the two texts."""
        with Container(id="both"):
            with VerticalScroll(can_focus=False):
                yield Label("Your words")
                yield self._old
            with VerticalScroll(can_focus=False):
                yield self._heading
                yield self._new
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Show the rewrite."""
        self._show()

    def on_resize(self) -> None:
        """Put them side by side where there is room, and else one below the other."""
        self.query_one("#both").set_class(self.size.width >= _NARROWEST, "-side")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a command means anything: there is another alternative only of several."""
        if action in ("beside_next", "beside_previous"):
            return bool(self._rewriting.place)
        return super().check_action(action, parameters)

    def on_key(self, event: events.Key) -> None:
        """Pass what is typed on to the page."""
        if event.is_printable and event.character is not None:
            event.stop()
            self._write(event.character)

    def on_paste(self, event: events.Paste) -> None:
        """Put what is pasted where it would be without this screen."""
        event.stop()
        self._write(event.text)

    def action_beside_take(self) -> None:
        """Take the rewrite."""
        self._rewriting.take_all()
        self.dismiss(None)

    def action_beside_away(self) -> None:
        """Put the rewrite away."""
        self._rewriting.put_away()
        self.dismiss(None)

    def action_beside_again(self) -> None:
        """Go back to the page, where another rewrite is written; it is shown here again if few words are shared."""
        self.dismiss(None)
        self._again()

    def action_beside_next(self) -> None:
        """Show the next alternative."""
        self._swipe(1)

    def action_beside_previous(self) -> None:
        """Show the alternative before."""
        self._swipe(-1)

    def action_beside_down(self) -> None:
        """Scroll both down."""
        self._scroll(1)

    def action_beside_up(self) -> None:
        """Scroll both up."""
        self._scroll(-1)

    def action_beside_back(self) -> None:
        """Go back to the page, where the rewrite stays."""
        self.dismiss(None)

    def _swipe(self, by: int) -> None:
        self._rewriting.swipe(by)
        self._show()

    def _scroll(self, pages: int) -> None:
        for text in self.query(VerticalScroll):
            text.scroll_relative(y=pages * max(1, text.size.height - 2), animate=False)

    def _show(self) -> None:
        rewrite = self._rewriting.current
        if rewrite is None:
            self.dismiss(None)
            return
        self._old.update(sanitize(rewrite.original))
        self._new.update(sanitize(rewrite.alternative.text))
        parts = ["Rewritten", self._rewriting.place, "" if rewrite.whole else "stopped early"]
        self._heading.update(" · ".join(part for part in parts if part))

    def _write(self, text: str) -> None:
        self._page.insert(text)
        self.dismiss(None)
