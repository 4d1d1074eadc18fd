"""The keys of writing itself: a text area's own, but for those that are commands of the studio."""

from textual.binding import Binding, BindingType
from textual.widgets import TextArea

from billy_mlx.tui.commands import at

_COMMANDS = {
    key for place in ("anywhere", "page", "rewrite", "draft") for one in at(place) for key in one.keys.split(",")
}


def editing_keys() -> list[BindingType]:
    """Return what the BINDINGS of a text area are that leaves the keys of a page and of its drafts to the screen."""
    own = [
        Binding("ctrl+home", "cursor_text_start", "Start of the text", show=False),
        Binding("ctrl+end", "cursor_text_end", "End of the text", show=False),
    ]
    for binding in TextArea.BINDINGS:
        if isinstance(binding, Binding) and binding.action not in ("undo", "redo", "select_line"):
            keys = ",".join(key for key in binding.key.split(",") if key not in _COMMANDS)
            own += [Binding(keys, binding.action, binding.description, show=False)] if keys else []
    return [*own]
