"""The blends that the writer kept: take one, forget one, keep another."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from billy_mlx.errors import BillyError
from billy_mlx.text import sanitize
from billy_mlx.tui.blends import forget_blend, save_blend, saved_blends
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.screens.ask import Ask


class SavedBlends(ModalScreen[str | None]):
    """Gives the text form of the blend that was chosen, or None."""

    PLACES: ClassVar[tuple[str, ...]] = ("saved-blends",)
    BINDINGS = bindings("anywhere", "saved-blends")  # type: ignore[assignment]
    DEFAULT_CSS = """
    SavedBlends { align: center middle; }
    SavedBlends > Vertical {
        width: 76; max-width: 100%; height: auto; max-height: 80%; padding: 0 1;
        background: $surface; border: round $primary;
    }
    SavedBlends OptionList { height: auto; max-height: 20; border: none; padding: 0; background: $surface; }
    SavedBlends #told { width: 100%; height: auto; max-height: 6; color: $text-muted; }
    """

    def compose(self) -> ComposeResult:
        """Yield the blends, and a line for words."""
        with Vertical():
            yield OptionList(compact=True, markup=False)
            yield Label("", id="told", markup=False)

    def on_mount(self) -> None:
        """Show what there is."""
        self._fill()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take a blend."""
        event.stop()
        self.dismiss(self._blends[event.option_index][1])

    def action_blend_forget(self) -> None:
        """Keep the one the list stands at no longer."""
        index = self.query_one(OptionList).highlighted
        if index is None:
            return
        try:
            forget_blend(self._blends[index][0])
        except BillyError as error:
            self.query_one("#told", Label).update(sanitize(str(error)))
        else:
            self._fill()

    def action_back(self) -> None:
        """Take none."""
        self.dismiss(None)

    def _fill(self) -> None:
        blends, wrong = saved_blends()
        self._blends = [*blends.items()]
        options = self.query_one(OptionList)
        options.set_options(
            [Option(Content.assemble(f"{sanitize(name)}  ", (blend, "$text-muted"))) for name, blend in self._blends]
        )
        options.action_first()
        hint = "Enter: take it   Del: forget it   Esc: leave it"
        told = hint if blends else "No blend is saved yet: s in the voices panel saves one.   Esc: back"
        self.query_one("#told", Label).update("\n".join([told, *wrong]))


def ask_for_name(blend: str) -> Ask:
    """Return a question for a name, under which the blend is kept; a name that is taken asks twice."""
    asked: set[str] = set()

    def keep(name: str) -> str | None:
        there = saved_blends()[0].get(name.strip())
        if there not in (None, blend) and name not in asked:
            asked.add(name)
            return f"there is one of that name already, {there}; enter once more replaces it"
        try:
            save_blend(name, blend)
        except BillyError as error:
            return str(error)
        return None

    return Ask(f"Keep {blend} under which name?", check=keep)
