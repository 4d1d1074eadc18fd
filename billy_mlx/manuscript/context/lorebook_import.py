"""Lorebooks of other programs: NovelAI, SillyTavern, and the character books of cards.

here            NovelAI                       SillyTavern                    character book

name            displayName                   comment                        name, comment
text            text                          content                        content
keys            keys                          key                            keys
secondary                                     keysecondary, if selective     secondary_keys, if selective
logic                                         selectiveLogic, 0 to 3         any
enabled         enabled, and its category's   not disable                    enabled
always          forceActivation               constant                       constant
case_sensitive                                caseSensitive                  case_sensitive
whole_words     yes                           matchWholeWords                no
scan_chars      searchRange
order           contextConfig.budgetPriority  order                          priority, insertion_order
"""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from billy_mlx.errors import DocumentError
from billy_mlx.manuscript.context.lorebook import Entry, Lorebook, Secondary
from billy_mlx.text import sanitize

MAX_BYTES = 16 << 20
MAX_ENTRIES = 10_000
_LOGIC = (Secondary.ANY, Secondary.NOT_ALL, Secondary.NOT_ANY, Secondary.ALL)
_Fields = Mapping[str, Any]


def read_lorebook(data: bytes, name: str) -> tuple[Lorebook, tuple[str, ...]]:
    """Return the lorebook in a file, and a sentence each for what could not be carried over.

    Args:
        data: what the file holds.
        name: the file's, for messages.

    Raises:
        DocumentError: it is no lorebook that is known here, or too large.
    """
    shown = sanitize(name)
    if len(data) > MAX_BYTES:
        raise DocumentError(f"{shown} has more than {MAX_BYTES >> 20} MiB, which no lorebook has; choose another file")
    try:
        content = json.loads(data.decode("utf-8-sig"), parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"{shown} is not JSON ({str(error)[:100]}); choose a lorebook in JSON") from error
    if isinstance(content, dict) and "billy_lorebook" in content:
        return Lorebook.of_json(data), ()
    entries, read = _layout(content, shown)
    if len(entries) > MAX_ENTRIES:
        raise DocumentError(f"{shown} has {len(entries):,} entries; at most {MAX_ENTRIES:,} are read")
    notes: list[str] = []
    kept = tuple(entry for entry in (_read(read, fields, notes) for fields in entries) if entry is not None)
    return Lorebook(kept), tuple(dict.fromkeys(notes))


def _layout(content: object, name: str) -> tuple[list[object], Callable[[_Fields, list[str]], Entry]]:
    """Return the entries of a file and what reads one of them."""
    for wrapping in ("data", "character_book"):  # a card
        if isinstance(content, dict) and isinstance(content.get(wrapping), dict):
            content = content[wrapping]
    if isinstance(content, dict):
        entries = content.get("entries")
        if "lorebookVersion" in content and isinstance(entries, list):
            return entries, _novelai(_disabled_categories(content.get("categories")))
        if isinstance(entries, dict):
            return list(entries.values()), _sillytavern
        if isinstance(entries, list):
            return entries, _character_book
    raise DocumentError(f"{name} is no lorebook of NovelAI or SillyTavern and no character book; choose another file")


def _read(read: Callable[[_Fields, list[str]], Entry], fields: object, notes: list[str]) -> Entry | None:
    if not isinstance(fields, dict):
        notes.append("something that is no entry was left out")
        return None
    entry = read(fields, notes)
    if not entry.text.strip():
        notes.append(f"{sanitize(entry.name)[:60]} has no text and was left out")
        return None
    return entry


def _novelai(disabled: frozenset[str]) -> Callable[[_Fields, list[str]], Entry]:
    def read(fields: _Fields, notes: list[str]) -> Entry:
        context = fields.get("contextConfig")
        placing = context if isinstance(context, dict) else {}
        if fields.get("keyRelative") or fields.get("advancedConditions"):
            notes.append("places and conditions that go beyond keys were left out")
        keys = _texts(fields.get("keys"))
        return Entry(
            name=_text(fields.get("displayName")) or ", ".join(keys)[:60],
            text=_text(placing.get("prefix")) + _text(fields.get("text")) + _text(placing.get("suffix")).rstrip("\n"),
            keys=keys,
            enabled=_flag(fields.get("enabled"), True) and _text(fields.get("category")) not in disabled,
            always=_flag(fields.get("forceActivation")),
            scan_chars=_range(fields.get("searchRange")),
            order=_number(placing.get("budgetPriority")),
        )

    return read


def _sillytavern(fields: _Fields, notes: list[str]) -> Entry:
    if _flag(fields.get("useProbability")) and _number(fields.get("probability"), 100.0) < 100:
        notes.append("entries that are told by chance are told always when they are called for")
    if _number(fields.get("scanDepth")) > 0:
        notes.append("how many messages are searched was left out: a manuscript has none")
    logic = int(_number(fields.get("selectiveLogic")))
    keys = _texts(fields.get("key"))
    return Entry(
        name=_text(fields.get("comment")) or ", ".join(keys)[:60],
        text=_text(fields.get("content")),
        keys=keys,
        secondary=_texts(fields.get("keysecondary")) if _flag(fields.get("selective"), True) else (),
        logic=_LOGIC[logic] if 0 <= logic < len(_LOGIC) else Secondary.ANY,
        enabled=not _flag(fields.get("disable")),
        always=_flag(fields.get("constant")),
        case_sensitive=_flag(fields.get("caseSensitive")),
        whole_words=_flag(fields.get("matchWholeWords")),
        order=_number(fields.get("order")),
    )


def _character_book(fields: _Fields, notes: list[str]) -> Entry:
    keys = _texts(fields.get("keys"))
    return Entry(
        name=_text(fields.get("name")) or _text(fields.get("comment")) or ", ".join(keys)[:60],
        text=_text(fields.get("content")),
        keys=keys,
        secondary=_texts(fields.get("secondary_keys")) if _flag(fields.get("selective")) else (),
        enabled=_flag(fields.get("enabled"), True),
        always=_flag(fields.get("constant")),
        case_sensitive=_flag(fields.get("case_sensitive")),
        whole_words=False,
        order=_number(fields.get("priority"), _number(fields.get("insertion_order"))),
    )


def _disabled_categories(categories: object) -> frozenset[str]:
    found = categories if isinstance(categories, list) else []
    named = (one for one in found if isinstance(one, dict) and not _flag(one.get("enabled"), True))
    return frozenset(_text(one.get("id")) for one in named) - {""}


def _text(value: object) -> str:
    """Return a string that UTF-8 can hold; "" for anything else."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    found = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(text for text in (_text(one).strip() for one in found) if text)


def _flag(value: object, default: bool = False) -> bool:
    return value if isinstance(value, bool) else default


def _number(value: object, default: float = 0.0) -> float:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53
    return float(value) if usable and math.isfinite(value) else default  # type: ignore[arg-type]


def _range(value: object) -> int | None:
    number = int(_number(value, -1.0))
    return number if number > 0 else None


def _refused(constant: str) -> float:
    raise ValueError(f"{constant} is no number")
