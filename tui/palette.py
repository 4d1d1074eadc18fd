"""What the command palette has: every command that can be done from where the writer is."""

from collections.abc import Iterable, Iterator, Mapping

from textual.dom import DOMNode
from textual.screen import Screen

from billy_mlx.tui.commands import COMMANDS, Command
from billy_mlx.tui.keys import keys_of, shown_keys


def available(screen: Screen) -> Iterator[tuple[Command, DOMNode]]:  # type: ignore[type-arg]
    """Yield each command that can be done from `screen`, with what does it."""
    for command in COMMANDS:
        target = _target(screen, command)
        if target is not None and target.check_action(command.action, ()) is not False:
            yield command, target


def described(command: Command, own_keys: Mapping[str, str]) -> str:
    """Return what a command does, and its first key if it has one; `own_keys` are the writer's."""
    keys = shown_keys(keys_of(command, own_keys).split(",")[0])
    return f"{command.help} ({keys})" if keys else command.help


def _target(screen: Screen, command: Command) -> DOMNode | None:  # type: ignore[type-arg]
    if command.place == "anywhere":
        return screen.app
    places = getattr(screen, "PLACES", ())
    nodes: Iterable[DOMNode] = (screen, *screen.query("*"))
    if command.place in places or command.place == "voices":
        return next((node for node in nodes if hasattr(node, f"action_{command.action}")), None)
    return None
