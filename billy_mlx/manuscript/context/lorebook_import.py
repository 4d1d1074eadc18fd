"""Lorebooks of other programs: NovelAI, SillyTavern, character cards; and our own."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn, TypeVar

import msgspec

from billy_mlx.errors import DocumentError
from billy_mlx.manuscript.context.lorebook import FORMAT, MOST_ENTRIES, Entry, Lorebook, reading
from billy_mlx.manuscript.context.lorebook_formats import CardEntry, NovelAI, WorldInfo
from billy_mlx.text import sanitize

_Kind = TypeVar("_Kind", NovelAI, WorldInfo, CardEntry)

_MAX_BYTES = 16 << 20
_KNOWN_VERSIONS = range(1, 7)
_KINDS = "NovelAI (.lorebook), SillyTavern (World Info), a character card with a book, and its own"


def read_lorebook(data: bytes, name: str) -> tuple[Lorebook, tuple[str, ...]]:
    """Return the lorebook in a file, and one sentence for each kind of thing that could not be carried over.

    Args:
        data: the file; which program it is from is seen from what is in it.
        name: of the file, for messages.

    Raises:
        DocumentError: it is no lorebook, damaged, larger than 16 MiB, or has more than 10,000 entries.
    """
    if len(data) > _MAX_BYTES:
        raise DocumentError(
            f"{_shown(name)} has more than {_MAX_BYTES >> 20} MiB; split the lorebook, and import the parts"
        )
    try:
        return _read(_parsed(data))
    except DocumentError as error:
        raise DocumentError(f"{_shown(name)} was not imported: {error}") from error


def _read(data: Any) -> tuple[Lorebook, tuple[str, ...]]:
    if not isinstance(data, dict):
        raise _unknown()
    if data.get("format") == FORMAT:
        return Lorebook.of_json(data), ()
    book = _book(data)
    entries = book.get("entries")
    if isinstance(entries, dict):
        return _world_info(list(entries.values()))
    if not isinstance(entries, list):
        raise _unknown()
    return _novelai(book, entries) if "lorebookVersion" in book else _card_book(book, entries)


def _book(data: dict[str, Any]) -> dict[str, Any]:
    """Return the lorebook in a file, which may be a card, a NovelAI scenario, or the lorebook itself."""
    inner = data.get("data")
    if isinstance(inner, dict) and data.get("spec") == "lorebook_v3":
        return inner
    if isinstance(inner, dict) and "entries" not in data:
        book = inner.get("character_book")
        if book is None:
            raise DocumentError("it is a character card without a lorebook; choose one that has a book")
        return book if isinstance(book, dict) else {}
    scenario = data.get("lorebook")
    return scenario if isinstance(scenario, dict) and "entries" not in data else data


def _novelai(book: dict[str, Any], entries: list[Any]) -> tuple[Lorebook, tuple[str, ...]]:
    read = _converted(entries, NovelAI)
    categories = book.get("categories")
    off = {
        one.get("id")
        for one in (categories if isinstance(categories, list) else ())
        if isinstance(one, dict) and one.get("enabled") is False and isinstance(one.get("id"), str)
    }
    for one in read:
        if one.category and one.category in off:
            one.enabled = False
    version = book["lorebookVersion"]
    notes = (
        [] if version in _KNOWN_VERSIONS else [f"it is of version {sanitize(str(version)[:20])}, newer than known here"]
    )
    return _carried(read, notes)


def _world_info(entries: list[Any]) -> tuple[Lorebook, tuple[str, ...]]:
    return _carried(_converted(entries, WorldInfo))


def _card_book(book: dict[str, Any], entries: list[Any]) -> tuple[Lorebook, tuple[str, ...]]:
    read = _converted(entries, CardEntry)
    if not all(one.priority is not None for one in read):  # two scales do not compare
        for one in read:
            one.priority = None
    notes = []
    if book.get("scan_depth") is not None:
        notes.append("the book counted the messages to search; here it searches its number of characters")
    recursive = book.get("recursive_scanning") is True
    return _carried([one.as_world_info(recursive=recursive) for one in read], notes)


def _converted(entries: list[Any], kind: type[_Kind]) -> list[_Kind]:
    if len(entries) > MOST_ENTRIES:
        raise DocumentError(f"it has {len(entries)} entries, more than {MOST_ENTRIES}; split it, and import the parts")
    read = []
    for number, one in enumerate(entries, start=1):
        with reading(f"entry {number}"):
            read.append(msgspec.convert(one, kind, strict=False))  # some programs write numbers as text
    return read


def _carried(found: Sequence[NovelAI | WorldInfo], notes: Iterable[str] = ()) -> tuple[Lorebook, tuple[str, ...]]:
    """Return the entries as ours, and `notes` together with what of them is lost."""
    entries: list[Entry] = []
    lost: Counter[str] = Counter()
    for number, one in enumerate(found, start=1):
        with reading(f"entry {number}"):
            entries.append(one.entry(number))
            lost.update(set(one.lost()))
    counted = (f"{count} of {len(entries)} entries {what}" for what, count in sorted(lost.items()))
    return Lorebook(tuple(entries)), (*notes, *counted)


def _parsed(data: bytes) -> Any:
    if data.startswith(b"\x89PNG"):
        raise DocumentError("it is a picture; export the lorebook as .json or .lorebook, and import that")
    try:
        return json.loads(data.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_refuse)
    except RecursionError as error:
        raise DocumentError("it is nested too deeply for a lorebook; export it again") from error
    except ValueError as error:
        raise DocumentError(
            f"it cannot be read as JSON: {sanitize(str(error)[:200])}; export it again as .json or .lorebook"
        ) from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; one that has a field twice would lose one of the two without a word."""
    made = dict(pairs)
    if len(made) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"the field {twice[:40]} is there twice")
    return made


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")


def _unknown() -> DocumentError:
    return DocumentError(f"it is not a lorebook of a known kind; known are those of {_KINDS}")


def _shown(name: str) -> str:
    return sanitize(name if len(name) <= 80 else name[:79] + "…")
