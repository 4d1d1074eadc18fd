"""Lorebooks of other programs: NovelAI, MikuPad, SillyTavern, character cards, pictures of these too; and our own."""

import base64
import binascii
import json
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from billy_mlx.errors import DocumentError
from billy_mlx.formats.lorebooks.fields import letters_in, says_something, snake
from billy_mlx.formats.lorebooks.foreign_entry import Habits, Lost, Unusable, counted, entry_of, losses_of, named, shown
from billy_mlx.formats.lorebooks.lorebook import FORMAT, MOST_ENTRIES, Entry, Lorebook

_MAX_BYTES = 16 << 20
_BOM = b"\xef\xbb\xbf"
_KNOWN_VERSIONS = range(1, 7)
_KINDS = (
    "NovelAI, MikuPad, SillyTavern, Agnai, RisuAI and KoboldAI, a character card with a book (.json, .png), and its own"
)
# Where a file may have its book: a card, a NovelAI story or scenario, a session of MikuPad, a game of KoboldAI.
_PLACES = (
    ("data", "character_book"),
    ("character_book",),
    ("content", "lorebook"),
    ("lorebook",),
    ("world_info",),
    ("worldinfo_v2",),
    ("worldinfo",),
    ("data",),
)
_NO_MATTER = {
    *(
        "spec",
        "spec_version",
        "lorebook_version",
        "miku_pedia_version",
        "kind",
        "type",
        "ver",
        "original_data",
        "avatar",
    ),
    *("story_container_version", "scenario_version", "create_date", "creation_date", "modification_date"),
}
_TITLES = {"name", "title"}  # that a book or a card has one is no loss by itself
_OF_THE_BOOK = {"entries", "scan_depth", "recursive_scanning", "categories", "settings"}

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PICTURE_KEYWORDS = (b"ccv3", b"chara", b"naidata")  # version 3 first: the other is a copy of it for older programs
_OTHER_PICTURES = ((b"\xff\xd8\xff", "JPEG"), (b"GIF8", "GIF"), (b"RIFF", "WebP"), (b"\x89PNG", "damaged PNG"))


def read_lorebook(data: bytes, name: str) -> tuple[Lorebook, tuple[str, ...]]:
    """Return the lorebook in a file, and one sentence for each kind of thing that could not be carried over.

    Args:
        data: the file; which program it is from is seen from what is in it.
        name: of the file, for messages.

    Raises:
        DocumentError: it has no entry with a text, is damaged, larger than 16 MiB, or has more than 10,000 entries.
    """
    try:
        if len(data) > _MAX_BYTES:
            raise DocumentError(f"it has more than {_MAX_BYTES >> 20} MiB; split the lorebook, and import the parts")
        return _read(data)
    except DocumentError as error:
        raise DocumentError(f"{shown(name, 80)} was not imported: {error}") from error


def holds_lorebook(data: bytes) -> bool:
    """Return whether a file is a lorebook or has one in it, by what is in it; any other text is recognised quickly."""
    if not is_picture(data) and data.removeprefix(_BOM).lstrip()[:1] not in (b"{", b"["):
        return False
    try:
        read_lorebook(data, "")
    except DocumentError:
        return False
    return True


def _read(data: bytes) -> tuple[Lorebook, tuple[str, ...]]:
    if data.startswith(b"PK\x03\x04"):
        raise DocumentError("it is an archive; export the card or the lorebook as .json or .png, and import that")
    for text in texts_of(data, _MAX_BYTES) if is_picture(data) else (data,):
        file = _parsed(text)
        if isinstance(file, dict) and file.get("format") == FORMAT:
            return Lorebook.of_json(file), ()
        found = _found(file)
        if found is not None:
            return _carried(found)
    raise _unknown(file)


@dataclass(frozen=True)
class _Found:
    """A book in a file: its entries, its own fields, and how many characters each part of the file around it has."""

    entries: list[Any]
    book: dict[str, Any]
    around: dict[str, int]


def _found(file: Any) -> _Found | None:
    """Return the book in a file; None if there is none."""
    if isinstance(file, list):
        return _Found(file, {}, {}) if any(isinstance(one, dict) for one in file) else None
    if not isinstance(file, dict):
        return None
    if "entries" in file:
        return _at(file, {})
    for path in _PLACES:
        inner, around = _followed(file, path)
        found = None if inner is None else _at(inner, around)
        if found is not None:
            return found
    return None


def _followed(file: dict[str, Any], path: tuple[str, ...]) -> tuple[Any, dict[str, int]]:
    """Return what is at a place in a file, or None, and what stands around it."""
    inner: Any = file
    around: dict[str, int] = {}
    for step in path:
        if not isinstance(inner, dict):
            return None, {}
        name = next((one for one in inner if snake(one) == step and inner[one] is not None), None)
        if name is None:
            return None, {}
        around |= _rest({key: value for key, value in inner.items() if key != name})
        inner = inner[name]
    return inner, around


def _at(book: Any, around: dict[str, int]) -> _Found | None:
    """Return the book that something is: an object with entries, or a list of them."""
    if isinstance(book, list):
        return _Found(book, {}, around)
    entries = book.get("entries") if isinstance(book, dict) else None
    if isinstance(entries, dict):
        entries = list(entries.values())
    return _Found(entries, book, around) if isinstance(entries, list) else None


def _rest(fields: dict[str, Any]) -> dict[str, int]:
    """Return the fields that say something, and how many characters each has."""
    named = {name: letters_in(value) for name, value in fields.items() if says_something(value)}
    return {name: count for name, count in named.items() if snake(name) not in _NO_MATTER}


def _unknown(file: Any) -> DocumentError:
    inner = file.get("data", file) if isinstance(file, dict) else None
    if isinstance(inner, dict) and ("first_mes" in inner or "spec" in file or "data" in file):
        return DocumentError("it is a character card without a lorebook; choose one that has a book")
    return DocumentError(f"it is not a lorebook of a known kind; known are those of {_KINDS}")


def _carried(found: _Found) -> tuple[Lorebook, tuple[str, ...]]:
    """Return the entries as ours, and what of them and of the file around them is lost."""
    if not found.entries:
        raise DocumentError("its lorebook has no entries; choose one that has some")
    if len(found.entries) > MOST_ENTRIES:
        count = len(found.entries)
        raise DocumentError(f"it has {count} entries, more than {MOST_ENTRIES}; split it, and import the parts")
    habits = _habits(found)
    entries: list[Entry] = []
    lost: list[Lost] = []
    refused: list[str] = []
    for number, raw in enumerate(found.entries, start=1):
        try:
            entry, losses = entry_of(raw, number, habits)
        except Unusable as error:
            refused.append(shown(str(error), 120))
        else:
            entries.append(entry)
            lost.append(losses)
    if not entries:
        raise DocumentError(
            f"no entry in it can be taken in: {named(refused, 3)}; choose a file with a lorebook that has texts"
        )
    notes = [*_of_book(found), *losses_of(lost)]
    if refused:
        notes.append(f"left out: {named(refused)}")
    return Lorebook(tuple(entries)), tuple(notes)


def _habits(found: _Found) -> Habits:
    book = {snake(name): value for name, value in found.book.items()}
    return Habits(
        novelai="lorebook_version" in book,
        mikupad="miku_pedia_version" in book,
        recursive=book.get("recursive_scanning") is True,
        priorities=all(isinstance(one, dict) and one.get("priority") is not None for one in found.entries),
        off=frozenset(one["id"] for one in _categories(found.book) if one.get("enabled") is False),
    )


def _categories(book: dict[str, Any]) -> list[dict[str, Any]]:
    categories = book.get("categories")
    listed = categories if isinstance(categories, list) else []
    return [one for one in listed if isinstance(one, dict) and isinstance(one.get("id"), str)]


def _without(value: Any, *names: str) -> Any:
    """Return an object, or the objects in a list, without some of its fields."""
    if isinstance(value, list):
        return [_without(one, *names) for one in value]
    return {key: one for key, one in value.items() if key not in names} if isinstance(value, dict) else value


def _of_book(found: _Found) -> Iterator[str]:
    """Yield what of a book, and of the file around it, is lost."""
    book = found.book
    version = book.get("lorebookVersion")
    if version is not None and version not in _KNOWN_VERSIONS:
        yield f"it is of version {shown(str(version), 20)}, newer than known here"
    if book.get("scan_depth") is not None:
        yield "the book counted the messages to search; here it searches its number of characters"
    settings = book.get("settings")
    if isinstance(settings, dict) and settings.get("orderByKeyLocations") is True:
        yield "the book ordered its entries by where their keys stand; here they go by their order"
    rest = {name: value for name, value in book.items() if snake(name) not in _OF_THE_BOOK}
    rest["categories"] = _without(book.get("categories"), "id", "enabled")
    rest["settings"] = _without(settings, "orderByKeyLocations")
    lost = {**found.around, **_rest(rest)}
    if set(lost) - _TITLES:
        yield "left out, for only the entries are taken in: " + named(counted(lost.items()))


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data, object_pairs_hook=_object)
    except RecursionError as error:
        raise DocumentError("it is nested too deeply for a lorebook; export it again") from error
    except ValueError as error:
        raise DocumentError(
            f"it cannot be read as JSON: {shown(str(error), 200)}; export it again as .json or .lorebook"
        ) from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; one that has a field twice would lose one of the two without a word."""
    made = dict(pairs)
    if len(made) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"the field {twice[:40]} is there twice")
    return made


def is_picture(data: bytes) -> bool:
    """Return whether the file is a picture, of whatever kind."""
    return data.startswith(tuple(start for start, _ in _OTHER_PICTURES))


def texts_of(data: bytes, most: int) -> Iterator[bytes]:
    """Yield the JSON of each card and lorebook in a picture, the one that counts most first.

    Args:
        data: the file.
        most: how many bytes one may unpack to.

    Raises:
        DocumentError: it is no PNG, is damaged, has no such text, or one that unpacks to more.
    """
    if not data.startswith(_SIGNATURE):
        of = next((name for start, name in _OTHER_PICTURES if data.startswith(start)), "damaged")
        raise DocumentError(f"it is a {of} picture; export the card or the lorebook as .json or as .png")
    found: dict[bytes, tuple[bytes, bytes]] = {}
    whole = False
    for kind, body in _parts(data):
        whole = whole or kind == b"IEND"
        keyword, _, rest = body.partition(b"\0")
        found.setdefault(keyword.lower(), (kind, rest))
    named = [keyword for keyword in _PICTURE_KEYWORDS if keyword in found]
    if not named:
        raise DocumentError(
            "it is a picture without a card in it; choose one that was exported with its card"
            if whole
            else "it is a picture that ends too early; copy or export it again"
        )
    for keyword in named:
        yield _decoded(_unpacked(*found[keyword], most))


def _parts(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kind and the content of each part that is there to its end."""
    place = len(_SIGNATURE)
    while place + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        if place + 8 + length > len(data):
            return
        yield kind, data[place + 8 : place + 8 + length] if kind in (b"tEXt", b"zTXt", b"iTXt") else b""
        place += 12 + length


def _unpacked(kind: bytes, rest: bytes, most: int) -> bytes:
    """Return the text behind the keyword of a part."""
    if kind == b"tEXt":
        return rest
    packed = kind == b"zTXt" or rest[:1] == b"\1"
    body = rest[1:] if kind == b"zTXt" else rest[2:].split(b"\0", 2)[-1]
    if not packed:
        return body
    try:
        unpacking = zlib.decompressobj()
        text = unpacking.decompress(body, most + 1)
    except zlib.error as error:
        raise DocumentError("the card in the picture cannot be unpacked; export it again") from error
    if len(text) > most:
        raise DocumentError(f"the card in the picture unpacks to more than {most >> 20} MiB; export it as .json")
    return text


def _decoded(text: bytes) -> bytes:
    """Return the JSON, which is in base64, but for some programs."""
    text = b"".join(text.split()) if not text.lstrip().startswith((b"{", b"[")) else text
    try:
        return text if text.lstrip().startswith((b"{", b"[")) else base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise DocumentError("the card in the picture is damaged; export it again") from error
