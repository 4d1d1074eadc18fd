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
from billy_mlx.tui.dials import Dials
from billy_mlx.tui.keys import key_on
from billy_mlx.tui.naming import Names, dials_name
from billy_mlx.tui.screens.ask import Ask


class SavedBlends(ModalScreen[Dials | None]):
    """Gives the blend that was chosen, as it was kept, or None.

    Args:
        titles: what people call a persona, by id.
    """

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

    def __init__(self, titles: Names) -> None:
        super().__init__()
        self._titles = titles
        self._blends: list[tuple[str, Dials]] = []

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
            [
                Option(Content.assemble(f"{sanitize(name)}  ", (dials_name(dials, self._titles), "$text-muted")))
                for name, dials in self._blends
            ]
        )
        options.action_first()
        hint = f"Enter: use it   {key_on(self, 'blend-forget')}: delete it   Esc: cancel"
        told = hint if blends else "No blend is saved yet. “Save the blend” in the voices panel saves one.   Esc: back"
        self.query_one("#told", Label).update("\n".join([told, *wrong]))


def ask_for_name(dials: Dials, titles: Names) -> Ask:
    """Return a question for a name, under which dials are kept; a name that is taken asks twice."""
    asked: set[str] = set()

    def keep(name: str) -> str | None:
        there = saved_blends()[0].get(name.strip())
        if there is not None and there.text() != dials.text() and name not in asked:
            asked.add(name)
            other = dials_name(there, titles)
            return f"a blend has this name already, {other}; press Enter again to replace it"
        try:
            save_blend(name, dials)
        except BillyError as error:
            return str(error)
        return None

    return Ask(f"What do you want to call this blend ({dials_name(dials, titles)})?", check=keep)
