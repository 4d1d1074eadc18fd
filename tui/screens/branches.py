"""The branches of a text: go to one, or give one another name."""

from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from billy_mlx.manuscript.versions import Versions
from billy_mlx.text import sanitize
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.keys import key_on
from billy_mlx.tui.screens.ask import Ask, refusal


class Branches(ModalScreen[str | None]):
    """Gives the name of the branch to go on with, or None.

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
        """Show what there is, at the one that is gone on with now."""
        self._fill(self._versions.branch)
        hint = f"Enter: switch to it   {key_on(self, 'branch-rename')}: rename   Esc: cancel"
        self.query_one("#hint", Label).update(hint)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Go on with a branch; with the one that one is on, nothing is to be done."""
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
