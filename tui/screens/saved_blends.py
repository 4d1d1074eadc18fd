"""Blends saved under a name: use one, delete one, save another.

They are kept in `blends.toml` in the folder of the configuration, a line each. Which voices are muted is kept too,
behind the blend (`Dials.parse`).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from billy_mlx import paths
from billy_mlx.errors import BillyError, BlendError, TomlError
from billy_mlx.files import PRIVATE, write_atomically
from billy_mlx.text import sanitize
from billy_mlx.toml_file import MAX_BYTES, MAX_DOTS, MAX_LINE, read_table
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.dials import Dials
from billy_mlx.tui.keys import key_on
from billy_mlx.tui.screens.dialogs import Ask
from billy_mlx.tui.widgets.dial_labels import Names, dials_name

LONGEST_NAME = 60
_HEAD = "# Blends by name, as --blend takes them, and who is muted; one without a mode is balanced.\n"


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
    SavedBlends #hint { width: 100%; height: auto; max-height: 6; color: $text-muted; }
    """

    def __init__(self, titles: Names) -> None:
        super().__init__()
        self._titles = titles
        self._blends: list[tuple[str, Dials]] = []

    def compose(self) -> ComposeResult:
        """Yield the blends, and a line for words."""
        with Vertical():
            yield OptionList(compact=True, markup=False)
            yield Label("", id="hint", markup=False)

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
            self.query_one("#hint", Label).update(sanitize(str(error)))
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
        lines = hint if blends else "No blend is saved yet. “Save the blend” in the voices panel saves one.   Esc: back"
        self.query_one("#hint", Label).update("\n".join([lines, *wrong]))


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


def blends_file() -> Path:
    """Where they are kept."""
    return paths.config_file().with_name("blends.toml")


def saved_blends() -> tuple[Mapping[str, Dials], tuple[str, ...]]:
    """Return the dials of the blends by name, sorted, and a sentence for each entry that cannot be used."""
    try:
        values = _read()
    except TomlError as error:
        return {}, (str(error),)
    good, wrong = {}, []
    for name, text in values.items():
        try:
            good[_checked_name(name)] = _checked_blend(text)
        except BillyError as error:
            wrong.append(sanitize(f"{blends_file()}: {name[:LONGEST_NAME]} is skipped: {error}"))
    return dict(sorted(good.items(), key=lambda item: item[0].casefold())), tuple(wrong)


def save_blend(name: str, dials: Dials) -> None:
    """Keep a blend under a name, in the place of one that had it, and who of it is muted.

    Raises:
        BlendError: the name will not do.
        BillyError: the file cannot be read or written, or would be too large.
    """
    _write({**_read(), _checked_name(name.strip()): dials.text()})


def forget_blend(name: str) -> None:
    """Keep a blend no longer; nothing happens if there is none of that name. BillyError as for `save_blend`."""
    values = _read()
    if values.pop(name, None) is not None:
        _write(values)


def _read() -> dict[str, object]:
    """Return what the file has, good or bad; TomlError if it cannot be used at all."""
    return read_table(blends_file()).values if blends_file().exists() else {}


def _write(values: Mapping[str, object]) -> None:
    """Write all entries that are text, also those that are no blends: they may be mended by hand."""
    entries = [f"{_quoted(name)} = {_quoted(_spelled(text))}" for name, text in values.items() if isinstance(text, str)]
    if any(len(entry) > MAX_LINE or entry.count(".") > MAX_DOTS for entry in entries):
        raise BlendError(f"this blend is too long to save: at most {MAX_LINE} characters and {MAX_DOTS} dots")
    content = (_HEAD + "\n".join(entries) + "\n").encode()
    if len(content) > MAX_BYTES:
        raise BlendError(f"{blends_file()} would be larger than {MAX_BYTES // 1024} KiB; delete a blend first")
    write_atomically(blends_file(), content, mode=PRIVATE)


def _checked_name(name: str) -> str:
    if not 1 <= len(name) <= LONGEST_NAME or name != sanitize(name) or "\n" in name or "\t" in name:
        raise BlendError(f"a blend's name has 1 to {LONGEST_NAME} characters, on one line; choose another")
    return name


def _checked_blend(text: object) -> Dials:
    if not isinstance(text, str):
        raise BlendError('it is not text; write a blend in quotes, such as "noir:0.6+gothic:0.4"')
    return Dials.parse(text)


def _spelled(text: str) -> str:
    """Return a blend with its mode, whatever version wrote it; what is no blend, as it stands."""
    try:
        return _checked_blend(text).text()
    except BlendError:
        return text


def _quoted(text: str) -> str:
    # A JSON string is a TOML basic string, but for DEL and surrogates.
    return json.dumps(sanitize(text), ensure_ascii=False)
