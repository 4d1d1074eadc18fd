"""The keys of a rewrite, which come before those of the page as long as one is there."""

from typing import cast

from textual.containers import Horizontal

from billy_mlx.tui.commands import at, bindings
from billy_mlx.tui.screens.drafting import Drafting

_ACTIONS = {command.action for command in at("rewrite")}


class RewriteKeys(Horizontal):
    """What the page and its voices stand in: keys of the page's screen that mean something else here do so first."""

    BINDINGS = bindings("rewrite")  # type: ignore[assignment]

    @property
    def _page(self) -> Drafting:
        return cast(Drafting, self.screen)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a command means anything now: there is no next one of a single change."""
        if action not in _ACTIONS:
            return super().check_action(action, parameters)
        rewrite = self._page.rewriting.current if self._page.is_mounted else None
        if rewrite is None:
            return False
        if action == "rewrite_away":
            return self._page.editor.has_focus and not self._page.query("FindBar")
        return action not in ("change_next", "change_previous") or not rewrite.unlike

    def action_change_take_all(self) -> None:
        """Make all changes that were not skipped."""
        self._page.rewriting.take_all()

    def action_change_take(self) -> None:
        """Make the change that stands out."""
        self._page.rewriting.take()

    def action_change_skip(self) -> None:
        """Leave the change that stands out as it was."""
        self._page.rewriting.skip()

    def action_change_next(self) -> None:
        """Go to the next change."""
        self._page.rewriting.go(1)

    def action_change_previous(self) -> None:
        """Go to the change before."""
        self._page.rewriting.go(-1)

    def action_rewrite_away(self) -> None:
        """Put the rewrite away."""
        self._page.rewriting.put_away()
