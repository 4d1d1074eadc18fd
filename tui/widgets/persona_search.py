"""Find a persona to write with: type its name, a mood or a genre, take it with enter."""

from collections.abc import Collection, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

from billy_mlx.extraction.persona_search import find
from billy_mlx.tui.cast import Member, mark, state
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.widgets.fields import LineField


class PersonaSearch(ModalScreen[str | None]):
    """Gives the id of the persona that was chosen, or None.

    Args:
        cast: who there is, in the order to show them.
        taken: ids of those that are in the blend already.
    """

    BINDINGS = bindings("anywhere")  # type: ignore[assignment]
    DEFAULT_CSS = """
    PersonaSearch { align: center middle; }
    PersonaSearch > Vertical {
        width: 76; max-width: 100%; height: 80%; max-height: 34; padding: 0 1;
        background: $surface; border: round $primary;
    }
    PersonaSearch #about { width: 100%; height: 2; color: $text-muted; }
    """
    _MOVES: ClassVar[dict[str, str]] = {
        "down": "cursor_down",
        "up": "cursor_up",
        "pagedown": "page_down",
        "pageup": "page_up",
    }

    def __init__(self, cast: Sequence[Member], taken: Collection[str] = ()) -> None:
        super().__init__()
        self._cast, self._taken = {member.id: member for member in cast}, frozenset(taken)

    def compose(self) -> ComposeResult:
        """Yield the line to type in, the list, and words about the one it stands at."""
        with Vertical():
            yield LineField(placeholder="Type a name, a mood or a genre: sad, funny, sci-fi ...", compact=True)
            yield CastList()
            yield Label("", id="about", markup=False)

    def on_mount(self) -> None:
        """Show everybody."""
        self.query_one(CastList).can_focus = False
        self._fill("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show those that match."""
        event.stop()
        self._fill(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the one the list stands at."""
        event.stop()
        option = self.query_one(CastList).highlighted_option
        if option is not None:
            self.dismiss(option.id)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take the one that was clicked."""
        event.stop()
        self.dismiss(event.option_id)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Say what is known of it."""
        if event.option is not event.option_list.highlighted_option:
            return  # more was typed meanwhile
        member = self._cast[event.option_id or ""]
        wrong = state(member.note)
        kinds = f"\n{', '.join(member.tags)}" if member.tags else ""
        about = f"{mark(member.note)} {wrong[0].upper()}{wrong[1:]}." if wrong else f"{member.description}{kinds}"
        self.query_one("#about", Label).update(about)

    def on_key(self, event: Key) -> None:
        """Move in the list while the line keeps the focus."""
        if event.key in self._MOVES:
            event.stop()
            event.prevent_default()
            getattr(self.query_one(CastList), f"action_{self._MOVES[event.key]}")()

    def action_back(self) -> None:
        """Take nobody."""
        self.dismiss(None)

    def _fill(self, wanted: str) -> None:
        everyone = [*self._cast.values()]
        best = find([member for member in everyone if member.id not in self._taken], wanted)
        options = self.query_one(CastList)
        options.set_options(cast_options([member for member in everyone if member in best]))
        options.action_first()
        if best and wanted.strip():
            options.highlighted = options.get_option_index(best[0].id)
        if not best:
            speaking = next(iter(find(everyone, wanted)), None)
            why = "No persona matches." if speaking is None else f"{speaking.name} is in the blend already."
            self.query_one("#about", Label).update(f"{why} Esc: cancel")


class CastList(OptionList, inherit_bindings=False):
    """Personas, a line each, below the headings of their groups. What enter does is its screen's."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(keys, action, show=False)
        for keys, action in (
            ("down", "cursor_down"),
            ("up", "cursor_up"),
            ("pagedown", "page_down"),
            ("pageup", "page_up"),
            ("home", "first"),
            ("end", "last"),
        )
    ]
    DEFAULT_CSS = """
    CastList {
        height: 1fr; border: none; padding: 0; background: $surface; text-wrap: nowrap; text-overflow: ellipsis;
    }
    """

    def __init__(self) -> None:
        super().__init__(compact=True, markup=False)


def cast_options(members: Sequence[Member]) -> list[Option]:
    """Return an option for each, below the heading of its group."""
    options: list[Option] = []
    group = ""
    for member in members:
        if member.group != group:
            group = member.group
            options.append(Option(Content.styled(group, "bold"), disabled=True))
        line = Content.assemble(f"{mark(member.note)} {member.name}  ", (member.description, "$text-muted"))
        options.append(Option(line, id=member.id))
    return options
