"""Fields to type into that keep nothing a terminal would obey, and a list of which several lines can be chosen."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, OptionList, TextArea
from textual.widgets.option_list import Option
from textual.widgets.text_area import Edit, EditResult

from billy_mlx.text import sanitize


class LineField(Input):
    """A line of text."""

    def validate_value(self, value: str) -> str:
        """Return what is kept of `value`, typed, pasted or set."""
        return sanitize(value).replace("\n", " ")


class TextField(TextArea):
    """Several lines of text; tab goes to the next field."""

    def __init__(self, text: str, *, id: str) -> None:
        super().__init__(sanitize(text), id=id)

    def edit(self, edit: Edit) -> EditResult:
        """Make a change, typed or pasted."""
        return super().edit(replace(edit, text=sanitize(edit.text)))


class Choices(OptionList):
    """A row for each choice, with a mark before those that are chosen.

    Args:
        rows: what to show of each choice; any text.
        chosen: indices of those that are marked to begin with.
    """

    # Of the list itself, as up and down are.
    BINDINGS = [Binding("space", "mark", "Mark")]  # noqa: RUF012  # as Textual has it

    @dataclass
    class Done(Message):
        """These are chosen: their indices, in order."""

        chosen: tuple[int, ...]

    def __init__(self, rows: Sequence[str], chosen: Collection[int], *, id: str | None = None) -> None:
        self._rows = [sanitize(row).replace("\n", " ") for row in rows]
        self._chosen = set(chosen)
        super().__init__(*(Option(self._row(index)) for index in range(len(rows))), id=id, markup=False)

    @property
    def chosen(self) -> tuple[int, ...]:
        """The indices of those that are marked."""
        return tuple(sorted(self._chosen))

    def action_mark(self) -> None:
        """Mark the row, or take its mark away."""
        index = self.highlighted
        if index is not None:
            self._chosen ^= {index}
            self.replace_option_prompt_at_index(index, self._row(index))

    def extend(self, rows: Sequence[str]) -> None:
        """Add rows below the others."""
        first = len(self._rows)
        self._rows += [sanitize(row).replace("\n", " ") for row in rows]
        self.add_options(Option(self._row(index)) for index in range(first, len(self._rows)))

    def mark(self, index: int) -> None:
        """Mark a row, and go to it."""
        self._chosen.add(index)
        self.replace_option_prompt_at_index(index, self._row(index))
        self.highlighted = index

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Say which are chosen."""
        event.stop()
        self.post_message(self.Done(self.chosen))

    def _row(self, index: int) -> Content:
        return Content(f"[{'✓' if index in self._chosen else ' '}] {self._rows[index]}")
