"""The settings and the keys of every command, in a list of values that exports and imports use as well."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, Label, OptionList
from textual.widgets.option_list import Option

from billy_mlx.formats.documents.paragraphs import Paragraphs
from billy_mlx.text import sanitize
from billy_mlx.tui.commands import COMMANDS, PLACES, Command, at, bindings
from billy_mlx.tui.keys import checked_keys, keys_of, shown_keys
from billy_mlx.tui.screens.dialogs import Ask
from billy_mlx.tui.setting_fields import Setting, checked, refusal, schema
from billy_mlx.tui.settings import Settings

PARAGRAPHS = {
    "blank lines separate them": Paragraphs.BLANK,
    "each line is one": Paragraphs.LINE,
    "indents begin them": Paragraphs.INDENT,
    "lines are broken by hand": Paragraphs.WRAPPED,
}


_LONGEST_PATH = 44  # characters: what fits beside a title at 80 columns
_TITLE_COLUMNS = 26
_KEYS_OF = "keys of "  # before a command's name, in the id of its row
_COMMANDS = {_KEYS_OF + command.name: command for command in COMMANDS}


@dataclass
class SettingChanged(Message):
    """A setting is to be `value` from now on, and to be kept; for "keys" that is the mapping of all changed keys."""

    name: str
    value: object


class SettingsList(OptionList):
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
        """Set a field, and say so."""
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
        """Set the chosen field back to its default."""
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


class SettingsScreen(Screen[None]):
    """One row for each setting and for each command's keys; what is changed holds at once.

    Args:
        settings: as they are.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("settings",)
    BINDINGS = bindings("anywhere")  # type: ignore[assignment]
    DEFAULT_CSS = """
    SettingsScreen > Label { width: 100%; padding: 0 1; }
    SettingsScreen > .heading { text-style: bold; color: $primary; }
    SettingsScreen SettingsList, SettingsScreen SettingsList:focus { height: 1fr; border: none; }
    SettingsScreen #about { height: 2; color: $text-muted; }
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._rows = _AllSettings(settings)

    def compose(self) -> ComposeResult:
        """Yield the rows, and what there is to say about the one that is chosen."""
        yield Label("Settings: Enter changes one, and it takes effect at once", classes="heading")
        yield self._rows
        yield Label("", id="about", markup=False)
        yield Footer(show_command_palette=False)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Say what the row is about."""
        self.query_one("#about", Label).update(self._rows.about(event.option_id or ""))

    def on_settings_list_changed(self, event: SettingsList.Changed) -> None:
        """Say it to the application."""
        event.stop()
        self.post_message(SettingChanged(event.name, event.value))

    def action_back(self) -> None:
        """Go back to the page."""
        self.dismiss()


class _AllSettings(SettingsList):
    """The rows of the settings, and below them a row for each command that has keys or could have them."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.add_options(self._key_rows())

    def about(self, name: str) -> str:
        return f"{_COMMANDS[name].help} ({_COMMANDS[name].name})" if name in _COMMANDS else super().about(name)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        if event.option_id in _COMMANDS:
            event.prevent_default()  # Textual calls the handler above otherwise
            self._ask_keys(_COMMANDS[event.option_id])

    def action_setting_reset(self) -> None:
        if self.chosen in _COMMANDS:
            self._change_keys(_COMMANDS[self.chosen], "")
        else:
            super().action_setting_reset()

    def _ask_keys(self, command: Command) -> None:
        def check(text: str) -> str | None:
            return next(iter(checked_keys(self._with_keys(command, text))[1]), None)

        def answered(text: str | None) -> None:
            if text is not None:
                self._change_keys(command, text)

        question = f"Keys for “{command.title}”, such as ctrl+g or f2,ctrl+d. Leave it empty for the default."
        self.app.push_screen(Ask(question, keys_of(command, self._keys), check), answered)

    def _change_keys(self, command: Command, text: str) -> None:
        keys, _ = checked_keys(self._with_keys(command, text))
        self.values = replace(self.values, keys=keys)
        self.replace_option_prompt(_KEYS_OF + command.name, self._key_row(command))
        self.post_message(self.Changed("keys", keys))

    def _with_keys(self, command: Command, text: str) -> dict[str, str]:
        others = {name: keys for name, keys in self._keys.items() if name != command.name}
        return {**others, command.name: text} if text.strip() and text != command.keys else others

    @property
    def _keys(self) -> Mapping[str, str]:
        keys: Mapping[str, str] = self.values.keys
        return keys

    def _key_rows(self) -> Iterator[Option]:
        for place, title in PLACES.items():
            if at(place):
                yield Option(Content.styled(f"Keys: {title}", "bold"), disabled=True)
            for command in at(place):
                yield Option(self._key_row(command), id=_KEYS_OF + command.name)

    def _key_row(self, command: Command) -> Content:
        return row(command.title, shown_keys(keys_of(command, self._keys)) or "–")


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
