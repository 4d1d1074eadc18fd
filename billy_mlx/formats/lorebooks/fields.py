"""The fields of a stranger's object, taken out of it one by one: what is left at the end is not kept, and said."""

import math
import re
from collections.abc import Collection
from typing import Any

from billy_mlx.formats.lorebooks.lorebook import LARGEST_ORDER

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PATTERN = re.compile(r"\s*/.+/[a-zA-Z]*\s*", re.DOTALL)
_FLAGS = {True: True, False: False, "true": True, "false": False}  # True is 1 as well
_USUAL: dict[str, tuple[Any, ...]] = {  # what programs write where nobody chose anything
    "mode": ("normal", "multiple"),
    "book_version": (1, 2),
    "token_budget": (1, 2048),
    "trim_direction": ("trimBottom",),
    "insertion_type": ("newline",),
    "maximum_trim_type": ("sentence",),
    "insertion_position": (-1,),
}


def snake(name: str) -> str:
    """Return a field's name as character cards write it: searchRange is search_range."""
    return _HUMP.sub("_", name).lower()


def letters_in(value: Any) -> int:
    """Return how many characters the texts in a part of a file have together."""
    count, left = 0, [value]
    while left:
        one = left.pop()
        count += len(one) if isinstance(one, str) else 0
        if isinstance(one, dict | list):
            left.extend(one.values() if isinstance(one, dict) else one)
    return count


def says_something(value: Any) -> bool:
    """Return whether a value is more than empty, zero, no or null, through and through."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict | list):
            left.extend(one.values() if isinstance(one, dict) else one)
        elif one.strip() if isinstance(one, str) else one:
            return True
    return False


class Fields:
    """An object's fields by their names in snake case, whichever case the program writes.

    Args:
        raw: the object.
        within: what its names begin with where they are said.
    """

    def __init__(self, raw: dict[str, Any], within: str = "") -> None:
        self._within = within
        self._left: dict[str, Any] = {}
        self._names: dict[str, str] = {}
        for name, value in raw.items():
            known = snake(name) if snake(name) not in self._left else name
            self._left[known], self._names[known] = value, within + name

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def take(self, name: str) -> Any:
        """Return the value of a field, or None."""
        return self._left.pop(name, None)

    def drop(self, *names: str) -> None:
        """Leave fields out without saying so."""
        for name in names:
            self._left.pop(name, None)

    def says(self, *names: str) -> bool:
        """Take several fields; return whether one of them says anything."""
        return says_something([self.take(name) for name in names])

    def inner(self, name: str) -> "Fields":
        """Return the fields of an object in this one; none if it is no object."""
        value = self._left.get(name)
        within = f"{self._names.get(name, name)}."
        return Fields(self.take(name), within) if isinstance(value, dict) else Fields({}, within)

    def adopt(self, other: "Fields", names: Collection[str], over: Collection[str] = ()) -> None:
        """Take over the fields of another object that are not set in this one, or that go `over` those of this one."""
        for name in [one for one in other._left if one in names and other._left[one] is not None]:
            own = self._left.get(name)
            if own is None or own == other._left[name] or name in over:
                self._left[name], self._names[name] = other.take(name), other._names[name]

    def text(self, *names: str) -> str | None:
        """Return the first of several fields that has a text; those with the same are left out."""
        given = [name for name in names if isinstance(self._left.get(name), str) and self._left[name].strip()]
        if not given:
            return None
        text: str = self.take(given[0])
        self.drop(*(name for name in given[1:] if self._left[name].strip() == text.strip()))
        return text

    def no_text(self, *names: str) -> str | None:
        """Return the name of the first field that should have a text and has something else."""
        wrong = (name for name in names if not isinstance(self._left.get(name), str | None))
        return next((self._names[name] for name in wrong), None)

    def flag(self, *names: str, default: bool = False) -> bool:
        """Return whether one of several fields says yes; `default` where none says anything."""
        given = [name for name in names if self._is_flag(self._left.get(name))]
        found = [_FLAGS[self.take(name)] for name in given]
        return any(found) if found else default

    def number(self, *names: str) -> float | None:
        """Return the first of several fields that is a number, which some programs write as text."""
        for name in names:
            found = _number(self._left.get(name))
            if found is not None:
                self.drop(name)
                return found
        return None

    def keys(self, *names: str, whole: bool = False) -> list[str]:
        """Return the keys in several fields: lists, or texts with commas, unless they are `whole`."""
        found: list[str] = []
        for name in names:
            value = self._left.get(name)
            if isinstance(value, str):
                found += [self.take(name)] if whole or _PATTERN.fullmatch(value) else self.take(name).split(",")
            elif isinstance(value, list):
                good = [one for one in value if _is_key(one)]
                self._left[name] = [one for one in value if not _is_key(one)]
                found += map(str, good)
        return list(dict.fromkeys(key.strip() for key in found if key.strip()))

    def rest(self) -> dict[str, int]:
        """Return the names of the fields that are left and say something, and how many characters each has."""
        return {
            self._names[name]: letters_in(value)
            for name, value in self._left.items()
            if says_something(value) and value not in _USUAL.get(name, ())
        }

    @staticmethod
    def _is_flag(value: Any) -> bool:
        return isinstance(value, bool | int | str) and value in _FLAGS


def _is_key(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) and abs(value) <= LARGEST_ORDER else None
