"""The keys of commands as the writer changed them, whether two commands want the same, and what the palette lists."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import combinations
from typing import Any

from textual.dom import DOMNode
from textual.keys import KEY_NAME_REPLACEMENTS, Keys, format_key
from textual.screen import Screen

from billy_mlx.text import sanitize
from billy_mlx.tui.commands import COMMANDS, Command

_MODIFIERS = {"ctrl", "shift", "alt", "super", "hyper", "meta"}
_NAMED = {key.value for key in Keys if not key.value.startswith("<")}
_SIGNS = frozenset(KEY_NAME_REPLACEMENTS.values())
_WHERE_ONE_TYPES = ("anywhere", "page", "rewrite", "draft", "find", "guide")
_SHOWN = {
    "escape": "Esc",
    "enter": "Enter",
    "backspace": "Backspace",
    "delete": "Delete",
    "pageup": "PgUp",
    "pagedown": "PgDn",
}
_BY_NAME = {command.name: command for command in COMMANDS}


def checked_keys(wanted: Mapping[str, object]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return those keys that will do, by the command's name, and a sentence for each that will not."""
    found = {name: normalized(keys) for name, keys in wanted.items() if isinstance(keys, str)}
    wrong = []
    for name, keys in wanted.items():
        reason = _refusal(name, keys)
        if reason is not None:
            found.pop(name, None)
            wrong.append(reason)
    while (clash := _clash(found)) is not None:  # looked for last, so that two commands can change places
        name, reason = clash
        del found[name]
        wrong.append(reason)
    return found, tuple(wrong)


def keys_of(command: Command, changed: Mapping[str, str]) -> str:
    """Return the keys that a command has now."""
    return changed.get(command.name, command.keys)


def shown_keys(keys: str) -> str:
    """Return keys as they stand on a keyboard: "F2 or Ctrl+D"."""
    return " or ".join(_shown_key(key) for key in keys.split(",") if key)


def pressed(command: Command, changed: Mapping[str, str]) -> str:
    """Return how a command is called in a sentence: by its first key, or by its name among the commands."""
    palette = shown_keys(keys_of(_BY_NAME["command-palette"], changed))
    return shown_keys(keys_of(command, changed).split(",")[0]) or f"“{command.title}” in the commands ({palette})"


def key_named(name: str, changed: Mapping[str, str]) -> str:
    """Return the same for the command of this name."""
    return pressed(_BY_NAME[name], changed)


def key_on(screen: Screen[Any], name: str) -> str:
    """Return the key that gives a command on a screen now, as it stands on a keyboard; "" if none does."""
    active = screen.active_bindings if screen.is_attached else {}
    return next((_shown_key(key) for key, each in active.items() if each.binding.id == name), "")


def cancelling(line: str, screen: Screen[Any], name: str) -> str:
    """Return a line about what is under way, with the key of the command that cancels it, if there is one now."""
    key = key_on(screen, name)
    return f"{line} ({key}: cancel)" if key else line


def normalized(keys: str) -> str:
    """Return keys as Textual names them: "Ctrl+D, /" is "ctrl+d,slash"."""
    return ",".join(_normalized_key(key.strip()) for key in keys.split(",") if key.strip())


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


def _normalized_key(key: str) -> str:
    *modifiers, base = key.split("+") if len(key) > 1 else [key]
    if len(base) == 1 and not base.isalnum():
        base = unicodedata.name(base, base).lower().replace("-", "_").replace(" ", "_")
        base = KEY_NAME_REPLACEMENTS.get(base, base)
    elif len(base) > 1 or modifiers:
        base = base.lower()
    return "+".join([*(modifier.strip().lower() for modifier in modifiers), base])


def _is_key(key: str) -> bool:
    *modifiers, base = key.split("+")
    return set(modifiers) <= _MODIFIERS and (base in _NAMED or _is_sign(base))


def _is_sign(key: str) -> bool:
    """Return whether a key types something: a letter, or a sign by its name, as "question_mark"."""
    base = key.removeprefix("shift+")
    if len(base) == 1 or base in _SIGNS:
        return base.isalnum() or base in _SIGNS
    try:
        sign = unicodedata.lookup(base.replace("_", " "))
    except KeyError:
        return False
    return sign.isprintable() and not sign.isalnum()  # "tab" and "delete" are names of characters as well


def _refusal(name: str, keys: object) -> str | None:
    if name not in _BY_NAME:
        close = get_close_matches(name[:60], _BY_NAME, n=1)
        return f"[keys] has {_quoted(name)}, which is no command; " + (
            f"did you mean {close[0]}?" if close else "the settings show all of them"
        )
    if not isinstance(keys, str) or not normalized(keys):
        return f"the keys of {name} are {_quoted(keys)}; write them like ctrl+g or f2,ctrl+d"
    for key in normalized(keys).split(","):
        if not _is_key(key):
            return f"{_quoted(key)} of {name} is not a key; write it like ctrl+g, f2, escape or slash"
        if _is_sign(key) and _BY_NAME[name].place in _WHERE_ONE_TYPES:
            return f"{shown_keys(key)} cannot be the key of {name}: it is typed into the text; add ctrl to it"
    return None


def _clash(changed: Mapping[str, str]) -> tuple[str, str] | None:
    """Return a changed command that wants a key which another has, and a sentence about both."""
    for one, other in combinations(COMMANDS, 2):
        first = [command for command in (one, other) if command.place == "rewrite" or command.name == "beside"] or [
            one,
            other,
        ]
        # While a rewrite is on the page its keys come first: those of other commands then rest, which harms nobody.
        if any(command.name in changed for command in first) and _are_together(one, other):
            meant = _keys(one.keys) & _keys(other.keys)  # escape, which goes back and stops a draft
            shared = (_keys(keys_of(one, changed)) & _keys(keys_of(other, changed))) - meant
            if shared:
                name = other.name if other.name in changed else one.name
                both = f"{one.title} ({one.name}) and {other.title} ({other.name})"
                return name, f"{shown_keys(min(shared))} cannot be both {both}; choose another"
    return None


def _keys(keys: str) -> set[str]:
    return {*keys.split(",")} - {""}


def _are_together(one: Command, other: Command) -> bool:
    places = {one.place, other.place}
    return len(places) == 1 or "anywhere" in places or places <= {"page", "rewrite", "draft"}


def _shown_key(key: str) -> str:
    *modifiers, base = key.split("+")
    name = _SHOWN.get(base) or format_key(base)
    name = name if len(name) == 1 and not modifiers else name[:1].upper() + name[1:]
    return "+".join([*(modifier.capitalize() for modifier in modifiers), name])


def _quoted(value: object) -> str:
    return sanitize(repr(value))[:60]


def _target(screen: Screen, command: Command) -> DOMNode | None:  # type: ignore[type-arg]
    if command.place == "anywhere":
        return screen.app
    places = getattr(screen, "PLACES", ())
    nodes: Iterable[DOMNode] = (screen, *screen.query("*"))
    if command.place in places or command.place == "voices":
        return next((node for node in nodes if hasattr(node, f"action_{command.action}")), None)
    return None
