"""A list of values that are changed in place: of settings, of an export."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from billy_mlx.text import sanitize
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.schema import Setting, checked, refusal, schema
from billy_mlx.tui.screens.ask import Ask

_LONGEST_PATH = 44  # characters: what fits beside a title at 80 columns
_TITLE_COLUMNS = 26


class Rows(OptionList):
    """A row for each field of a dataclass made with `tui.schema.setting`; enter changes it, or left and right.

    Args:
        values: an instance of it.

    Attributes:
        values: as they are now.
    """

    BINDINGS = bindings("settings")  # type: ignore[assignment]

    @dataclass
    class Changed(Message):
        """The field `name` is now `value`."""

        name: str
        value: object

    def __init__(self, values: Any) -> None:
        self.values = values
        self._schema = schema(values)
        super().__init__(*(Option(self._row(name), id=name) for name in self._schema), markup=False)

    @property
    def chosen(self) -> str:
        """The id of the row that is chosen; empty if none is."""
        option = self.highlighted_option
        return "" if option is None or option.id is None else option.id

    def about(self, name: str) -> str:
        """Return the sentence about a field; empty for another row."""
        return self._schema[name].help if name in self._schema else ""

    def change(self, name: str, value: object) -> None:
        """Have a field be `value`, and say so."""
        self.values = replace(self.values, **{name: value})
        self.replace_option_prompt(name, self._row(name))
        self.post_message(self.Changed(name, value))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take the next choice, or ask for a new value."""
        name = event.option_id
        if name in self._schema:
            event.stop()
            if self._choices(name):
                self.action_setting_next()
            else:
                self._ask(name)

    def action_setting_next(self) -> None:
        """Take the next choice."""
        self._turn(1)

    def action_setting_previous(self) -> None:
        """Take the choice before."""
        self._turn(-1)

    def action_setting_reset(self) -> None:
        """Have the chosen field as it came."""
        if self.chosen in self._schema:
            self.change(self.chosen, getattr(type(self.values)(), self.chosen))

    def _turn(self, by: int) -> None:
        choices = self._choices(self.chosen)
        if choices:
            place = choices.index(getattr(self.values, self.chosen))
            self.change(self.chosen, choices[(place + by) % len(choices)])

    def _choices(self, name: str) -> tuple[object, ...]:
        if isinstance(getattr(self.values, name, None), bool):
            return False, True
        return self._schema[name].choices if name in self._schema else ()

    def _ask(self, name: str) -> None:
        known = self._schema[name]

        def answered(text: str | None) -> None:
            if text is not None:
                self.change(name, checked(self.values, name, text))

        value = getattr(self.values, name)
        now = known.zero if known.zero and value == 0 else str(value)
        check = partial(refusal, self.values, name)
        self.app.push_screen(Ask(f"{known.title}. {known.help}", now, check), answered)

    def _row(self, name: str) -> Content:
        return row(self._schema[name].title, _shown(self._schema[name], getattr(self.values, name)))


def row(title: str, value: str) -> Content:
    """Return a row: what it is called, and what it is."""
    return Content(f"{title:<{_TITLE_COLUMNS}} {sanitize(value)}")


def _shown(known: Setting, value: object) -> str:
    if isinstance(value, bool):
        return "‹ yes ›" if value else "‹ no ›"
    if known.choices:
        return f"‹ {value} ›"
    if known.zero and value == 0:
        return known.zero
    text = str(value) or "–"
    # Of a path its end tells more.
    return f"…{text[-_LONGEST_PATH:]}" if "/" in text and len(text) > _LONGEST_PATH else text
