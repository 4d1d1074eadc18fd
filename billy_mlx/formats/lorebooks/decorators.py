"""Decorators: lines such as "@@depth 4" in the text of an entry, as character cards of version 3 have them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from billy_mlx.formats.lorebooks.lorebook import Combination

_LINE = re.compile(r"[ \t]*(@{2,})[ \t]*([A-Za-z_]\w*)[ \t]*(.*)", re.DOTALL)
_LONGEST_NAME = 40


@dataclass(frozen=True)
class Decorated:
    """A text without its decorators, and what they ask for.

    Attributes:
        text: what is left.
        always: it is sent in any case; None where nothing says so.
        enabled: it may be sent at all; None where nothing says so.
        keys: those that must, or must not, be there as well.
        combine: which of the two; None if there are no such keys.
        left_out: the names of decorators that were not obeyed.
    """

    text: str
    always: bool | None = None
    enabled: bool | None = None
    keys: tuple[str, ...] = ()
    combine: Combination | None = None
    left_out: tuple[str, ...] = ()


def obeyed(text: str, *, keys_free: bool) -> Decorated:
    """Take the decorators out of `text`, and obey those that this program can.

    A decorator with three @ stands in for the one above it, where that is not obeyed.

    Args:
        text: of an entry.
        keys_free: the entry has no secondary keys of its own, so a decorator can give it some.
    """
    kept: list[str] = []
    done = Decorated("")
    settled = False  # what a decorator with three @ would stand in for was obeyed
    for line in text.splitlines(keepends=True):
        found = _LINE.fullmatch(line)
        if found is None:
            kept.append(line)
            continue
        if len(found[1]) > 2 and settled:
            continue
        before = done
        done = _obey(done, found[2], found[3].strip(), keys_free)
        settled = done is not before
        if not settled:
            done = replace(done, left_out=(*done.left_out, f"@@{found[2][:_LONGEST_NAME]}"))
    return replace(done, text=_joined(kept, text))


def _joined(kept: list[str], text: str) -> str:
    joined = "".join(kept)
    return joined if len(joined) == len(text) else joined.strip("\r\n")


def _obey(done: Decorated, name: str, value: str, keys_free: bool) -> Decorated:
    """Return what is asked for with one decorator more, or `done` itself if it cannot be obeyed."""
    obey = _KNOWN.get(name)
    return done if obey is None else obey(done, value, keys_free)


def _activate(done: Decorated, value: str, keys_free: bool) -> Decorated:
    return replace(done, always=True, enabled=None)


def _dont_activate(done: Decorated, value: str, keys_free: bool) -> Decorated:
    return replace(done, enabled=None if done.always else False)


def _additional(done: Decorated, value: str, keys_free: bool) -> Decorated:
    return _with_keys(done, value, keys_free, "any")


def _exclude(done: Decorated, value: str, keys_free: bool) -> Decorated:
    return _with_keys(done, value, keys_free, "not any")


def _with_keys(done: Decorated, value: str, keys_free: bool, combine: Combination) -> Decorated:
    keys = tuple(key.strip() for key in value.split(",") if key.strip())
    return replace(done, keys=keys, combine=combine) if keys and keys_free and not done.keys else done


_KNOWN: dict[str, Callable[[Decorated, str, bool], Decorated]] = {
    "activate": _activate,
    "dont_activate": _dont_activate,
    "additional_keys": _additional,
    "exclude_keys": _exclude,
}
