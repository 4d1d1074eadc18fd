"""Fields to type and paste into that keep nothing a terminal would obey."""

from dataclasses import replace

from textual.widgets import Input, TextArea
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
