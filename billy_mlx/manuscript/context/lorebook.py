"""Lorebooks: what the model is told when the text speaks of it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from billy_mlx.errors import DocumentError, ManuscriptError
from billy_mlx.manuscript.find import Query, next_match

_PATTERN = re.compile(r"/(.+)/([imsuy]*)", re.DOTALL)
_MOST_BROKEN = 3  # each may take a second: a file full of them must not stop anybody from writing


class Secondary(StrEnum):
    """What an entry's second keys have to do besides one of the first."""

    ANY = "any"
    ALL = "all"
    NOT_ANY = "not any"
    NOT_ALL = "not all"


@dataclass(frozen=True)
class Entry:
    """Something to know.

    Attributes:
        name: for the writer.
        text: for the model.
        keys: words that call for it, or patterns written /like this/i.
        secondary: further keys, which count as `logic` says; without any, only `keys` do.
        always: it needs no key.
        scan_chars: how many characters before the cursor are looked at; None leaves that to the lorebook.
        order: the higher, the more important: what does not fit is left out from the lowest.
    """

    name: str
    text: str
    keys: tuple[str, ...] = ()
    secondary: tuple[str, ...] = ()
    logic: Secondary = Secondary.ANY
    enabled: bool = True
    always: bool = False
    case_sensitive: bool = False
    whole_words: bool = True
    scan_chars: int | None = None
    order: float = 0.0


@dataclass(frozen=True)
class Lorebook:
    """Entries, and how far back their keys are looked for.

    Attributes:
        cascade: the texts of entries that fired call for further ones, once.
    """

    entries: tuple[Entry, ...] = ()
    scan_chars: int = 4000
    cascade: bool = False

    def as_json(self) -> bytes:
        """Return the lorebook as JSON, which `of_json` reads back."""
        return msgspec.json.format(msgspec.json.encode({"billy_lorebook": 1, **msgspec.to_builtins(self)}), indent=2)

    @classmethod
    def of_json(cls, data: bytes) -> "Lorebook":
        """Read what `as_json` gave.

        Raises:
            DocumentError: it is something else; says what does not fit.
        """
        try:
            return msgspec.json.decode(data, type=cls)
        except (ValueError, RecursionError) as error:
            raise DocumentError(f"this is not a lorebook: {str(error)[:200]}; choose another file") from error


@dataclass(frozen=True)
class Trigger:
    """An entry that is called for, and by what: a key, or "" if it always is."""

    entry: Entry
    key: str


@dataclass(frozen=True)
class Triggered:
    """Entries that are called for, the most important first, and patterns that could not be used."""

    triggers: tuple[Trigger, ...]
    broken: tuple[str, ...] = ()


def triggered(lorebook: Lorebook, before: str) -> Triggered:
    """Return the entries that a text calls for.

    Args:
        lorebook: where they are.
        before: the text before the cursor; only its end is looked at.
    """
    broken: list[str] = []
    found = _called_for(lorebook.entries, before, lorebook.scan_chars, broken)
    if lorebook.cascade:
        told = "\n".join(trigger.entry.text for trigger in found)
        rest = [entry for entry in lorebook.entries if entry not in {trigger.entry for trigger in found}]
        found += _called_for(rest, told, len(told), broken)
    found.sort(key=lambda trigger: -trigger.entry.order)
    return Triggered(tuple(found), tuple(dict.fromkeys(broken)))


def _called_for(entries: Iterable[Entry], text: str, scan_chars: int, broken: list[str]) -> list[Trigger]:
    found = []
    for entry in entries:
        if not entry.enabled or not entry.text.strip():
            continue
        reach = scan_chars if entry.scan_chars is None else entry.scan_chars
        seen = text[max(0, len(text) - reach) :]
        if entry.always:
            found.append(Trigger(entry, ""))
        elif (key := _first(entry, entry.keys, seen, broken)) is not None and _secondary(entry, seen, broken):
            found.append(Trigger(entry, key))
    return found


def _first(entry: Entry, keys: Iterable[str], text: str, broken: list[str]) -> str | None:
    return next((key for key in keys if key.strip() and _occurs(entry, key, text, broken)), None)


def _secondary(entry: Entry, text: str, broken: list[str]) -> bool:
    keys = [key for key in entry.secondary if key.strip()]
    if not keys:
        return True
    occur = [_occurs(entry, key, text, broken) for key in keys]
    match entry.logic:
        case Secondary.ANY:
            return any(occur)
        case Secondary.ALL:
            return all(occur)
        case Secondary.NOT_ANY:
            return not any(occur)
        case Secondary.NOT_ALL:
            return not all(occur)


def _occurs(entry: Entry, key: str, text: str, broken: list[str]) -> bool:
    """Return whether a key is in the text. A stranger's pattern may be wrong or take for ever: then it is not."""
    pattern = _PATTERN.fullmatch(key)
    if pattern is None:
        query = Query(key.strip(), match_case=entry.case_sensitive, whole_words=entry.whole_words)
    elif len(broken) >= _MOST_BROKEN:
        broken.append(key)
        return False
    else:
        dots = "(?s)" if "s" in pattern[2] else ""
        query = Query(dots + pattern[1], regex=True, match_case="i" not in pattern[2])
    try:
        return next_match(text, query, 0) is not None
    except ManuscriptError:
        broken.append(key)
        return False
