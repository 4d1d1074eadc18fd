"""A lorebook: what the model gets to know about a person, place or thing once the text mentions it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec

from billy_mlx.errors import DocumentError
from billy_mlx.text import sanitize, storable

FORMAT = "billy lorebook"
VERSION = 1
MOST_ENTRIES = 10_000
SCAN_CHARS = 2_000  # some 350 words, the last page or so
MOST_SCANNED = 20_000
LONGEST_NAME = 200
LONGEST_KEY = 1_000
LARGEST_ORDER = 1 << 53

Combination = Literal["any", "all", "not any", "not all"]
"""Which of the secondary keys must be there as well."""


@dataclass(frozen=True)
class Entry:
    """One thing to know.

    Attributes:
        name: for the writer; the model is not sent it.
        text: what the model is sent.
        keys: any of them sets the entry off: words, or a pattern for the `regex` library between slashes with flags
            behind: "/drag(on|ons)/i".
        secondary_keys: what must, or must not, stand there as well.
        combine: how the secondary keys decide, if there are any.
        enabled: it may be sent at all.
        always: it is sent without being set off.
        case_sensitive: capitals count, in keys that are words.
        whole_words: keys that are words do not count as a part of longer ones; see `spelling.py` for what is one.
        scan_chars: how many characters before the cursor are searched, 1 to 20,000; None for the lorebook's own.
        order: those of higher order are kept longer when not all fit, and stand nearer to the text.
        cascade: the texts of other entries set it off, too; only of those that the manuscript itself set off.
    """

    name: str
    text: str
    keys: tuple[str, ...] = ()
    secondary_keys: tuple[str, ...] = ()
    combine: Combination = "any"
    enabled: bool = True
    always: bool = False
    case_sensitive: bool = False
    whole_words: bool = True
    scan_chars: int | None = None
    order: int = 0
    cascade: bool = False

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= LONGEST_NAME:
            raise ValueError(f"name must have 1 to {LONGEST_NAME} characters")
        if any(not key.strip() or len(key) > LONGEST_KEY for key in self.keys + self.secondary_keys):
            raise ValueError(f"keys must have 1 to {LONGEST_KEY} characters each")
        if any(text != storable(text) for text in (self.name, self.text, *self.keys, *self.secondary_keys)):
            raise ValueError("name, text and keys must be text that a file can hold")
        if self.scan_chars is not None and not 0 < self.scan_chars <= MOST_SCANNED:
            raise ValueError(f"scan_chars must be 1 to {MOST_SCANNED}")
        if abs(self.order) > LARGEST_ORDER:
            raise ValueError("order is too large a number")


@dataclass(frozen=True)
class Lorebook:
    """Entries, in the writer's order, and how many characters before the cursor are searched for their keys."""

    entries: tuple[Entry, ...] = ()
    scan_chars: int = SCAN_CHARS

    def __post_init__(self) -> None:
        if len(self.entries) > MOST_ENTRIES:
            raise ValueError(f"entries must be at most {MOST_ENTRIES}")
        if not 0 < self.scan_chars <= MOST_SCANNED:
            raise ValueError(f"scan_chars must be 1 to {MOST_SCANNED}")

    def as_json(self) -> dict[str, Any]:
        """Return it as what the json module can write; `Lorebook.of_json` reads it back."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        return {"format": FORMAT, "version": VERSION, **data}

    @classmethod
    def of_json(cls, data: Any) -> "Lorebook":
        """Read what `as_json` gave.

        Raises:
            DocumentError: something is missing, unknown, or of another kind; it names the entry and the field.
        """
        if not isinstance(data, dict) or data.get("format") != FORMAT or data.get("version") != VERSION:
            raise DocumentError(
                f"this is not a lorebook of version {VERSION}; choose a file that this program has saved"
            )
        _check_known(data, {"format", "version", "entries", "scan_chars"}, "the lorebook")
        with reading("the lorebook"):
            entries = msgspec.convert(data.get("entries"), list[Any])
            scan_chars = msgspec.convert(data.get("scan_chars", SCAN_CHARS), int)
            book = cls((), scan_chars)
        if len(entries) > MOST_ENTRIES:
            raise _wrong("the lorebook", f"it has {len(entries)} entries, more than {MOST_ENTRIES}")
        return replace(book, entries=tuple(_entry(number, one) for number, one in enumerate(entries, start=1)))


def _entry(number: int, data: Any) -> Entry:
    name = data.get("name") if isinstance(data, dict) else None
    where = f"entry {number}" + (f" ({sanitize(name[:40])})" if isinstance(name, str) and name else "")
    if isinstance(data, dict):
        _check_known(data, set(Entry.__dataclass_fields__), where)
    with reading(where):
        return msgspec.convert(data, Entry)


def _check_known(data: dict[Any, Any], known: set[str], where: str) -> None:
    unknown = next((str(key) for key in data if key not in known), None)
    if unknown is not None:
        raise _wrong(where, f"{sanitize(unknown[:40])} is not a field of it")


@contextmanager
def reading(where: str) -> Iterator[None]:
    """Turn what msgspec and the classes above have against a file into a DocumentError that names the place."""
    try:
        yield
    except (ValueError, OverflowError, RecursionError) as error:
        raise _wrong(where, sanitize(str(error)[:200]) or "it is nested too deeply") from error


def _wrong(where: str, why: str) -> DocumentError:
    return DocumentError(f"{where} cannot be read: {why}; put that right in the file, or leave it out")
