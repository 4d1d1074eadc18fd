"""Dataclasses whose fields say how they are shown and what they may be; a text is read and checked by that."""

import math
from collections.abc import Callable
from dataclasses import Field, dataclass, field, fields
from typing import Any, TypeVar

from billy_mlx.errors import BillyError, UsageError
from billy_mlx.text import sanitize

_LONGEST_TEXT = 400
_Value = TypeVar("_Value", str, int, float, bool)


@dataclass(frozen=True)
class Setting:
    """What is known of one field: how to show it, and what it may be.

    Attributes:
        title: for the screen.
        help: one sentence for a writer.
        choices: all it may be; empty if it is typed.
        low: the least it may be, if it is a number.
        high: the most it may be.
        zero: what 0 is called, if that is more than a number; it may be 0 then, whatever the least is.
        check: raises BillyError if a text will not do.
    """

    title: str
    help: str
    choices: tuple[str, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    zero: str = ""
    check: Callable[[str], object] | None = None


def setting(default: _Value, known: Setting) -> _Value:
    """Return a dataclass's field with this default that is described by `known`."""
    made: _Value = field(default=default, metadata={"setting": known})
    return made


def schema(values: object) -> dict[str, Setting]:
    """Return what is known of the fields of a dataclass made with `setting`, by their names, in order."""
    known: tuple[Field[Any], ...] = fields(values)  # type: ignore[arg-type]  # any dataclass
    return {one.name: one.metadata["setting"] for one in known if "setting" in one.metadata}


def checked(values: object, name: str, value: object) -> object:
    """Return `value` as the field `name` of `values` takes it; a text is read as what the field is.

    Raises:
        UsageError: it will not do; says what will.
    """
    known, now = schema(values)[name], getattr(values, name)
    if isinstance(now, bool):
        return _switch(known, value)
    if isinstance(now, int | float):
        return _number(known, value, whole=isinstance(now, int))
    return _text(known, value)


def refusal(values: object, name: str, value: object) -> str | None:
    """Return the sentence that says why `value` will not do as the field `name`; None if it will."""
    try:
        checked(values, name, value)
    except UsageError as error:
        return str(error)
    return None


def quoted(value: object) -> str:
    """Return a value as it stands in a sentence."""
    return sanitize(repr(value))[:80]


def _switch(known: Setting, value: object) -> bool:
    words = {"yes": True, "on": True, "true": True, "no": False, "off": False, "false": False}
    found = words.get(value.strip().lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise UsageError(f"{known.title} is {quoted(value)}; it can be true or false")
    return found


def _number(known: Setting, value: object, *, whole: bool) -> int | float:
    if known.zero and isinstance(value, str) and value.strip().lower() == known.zero:
        value = 0
    found = _read_number(value, whole=whole)
    if known.zero and found == 0:
        return found
    if found is None or not known.low <= found <= known.high:  # NaN is not within, either
        number = "a whole number" if whole else "a number"
        zero = f" {known.zero}, or" if known.zero else ""
        allowed = f"{zero} {number} from {known.low:,} to {known.high:,}"
        raise UsageError(f"{known.title} is {quoted(value)}; it can be{allowed}")
    return found


def _read_number(value: object, *, whole: bool) -> int | float | None:
    kind = int if whole else float
    if isinstance(value, str):
        try:
            return kind(value.strip())
        except ValueError:
            return None
    return kind(value) if type(value) is int or (type(value) is float and not whole) else None


def _text(known: Setting, value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT or value != sanitize(value) or "\n" in value:
        raise UsageError(f"{known.title} is {quoted(value)}; it can be a line of at most {_LONGEST_TEXT} characters")
    if known.choices and value not in known.choices:
        raise UsageError(f"{known.title} is {quoted(value)}; it can be {', '.join(known.choices)}")
    if known.check is not None:
        try:
            known.check(value)
        except BillyError as error:
            raise UsageError(f"{known.title}: {error}") from error
    return value
