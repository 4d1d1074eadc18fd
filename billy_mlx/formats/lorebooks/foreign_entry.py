"""One entry of a lorebook as another program wrote it, and what of it has no place in ours.

The programs know much the same things by other names, so each is looked up by all its names, whichever program an entry
is from: NovelAI, MikuPad, SillyTavern, character cards of each version, Agnai, RisuAI, KoboldAI and AI Dungeon.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from billy_mlx.formats.lorebooks.decorators import Decorated, obeyed
from billy_mlx.formats.lorebooks.fields import Fields
from billy_mlx.formats.lorebooks.lorebook import LONGEST_KEY, LONGEST_NAME, MOST_SCANNED, Combination, Entry
from billy_mlx.text import sanitize, storable

_TEXTS = ("content", "text", "entry", "value")
_NAMES = ("display_name", "name", "comment", "title")
_KEYS = ("key", "keys", "keywords")
_SECONDARY = ("keysecondary", "secondary_keys", "secondkey")
_ORDERS = ("order", "insertion_order", "insertorder", "weight")
_OF_NOVELAI = ("text", "display_name", "force_activation", "search_range", "non_story_activatable", "context_config")
_WIDER = tuple(
    f"match_{what}"
    for what in (
        *("persona_description", "character_description", "character_personality", "character_depth_prompt"),
        *("scenario", "creator_notes"),
    )
)
_CONDITIONS = ("character_filter", "persona_filter", "triggers", "advanced_conditions")
# SillyTavern keeps in `extensions` of a card's entry what the card has no place for.
_EXTENDED = {
    *("selective_logic", "position", "depth", "role", "outlet_name", "probability", "use_probability", "scan_depth"),
    *("case_sensitive", "match_whole_words", "group", "group_override", "group_weight", "use_group_scoring"),
    *("sticky", "cooldown", "delay", "exclude_recursion", "prevent_recursion", "delay_until_recursion"),
    *("display_index", "automation_id", "vectorized", "ignore_budget", "add_memo", *_CONDITIONS, *_WIDER),
}
_NO_MATTER = ("uid", "id", "display_index", "add_memo", "last_updated_at", "folder", "num", "init", "token_length")
_LOGIC: tuple[Combination, ...] = ("any", "not all", "not any", "all")  # SillyTavern's selectiveLogic, 0 to 3
_BESIDE_THE_CARD = (None, "", 0, 1, "0", "1", "before_char", "after_char")
_CERTAIN = 100
_NO_WORDS = re.compile(r"[\\^$|?*+()\[\]{}]")
_PATTERN = re.compile(r"/.+/[a-zA-Z]*", re.DOTALL)
_CHARS_OF_TOKEN = 3.3  # as MikuPad reckons

CHANCE = "fired only by chance, and fire always here"
PLACE = "had a place of their own in the prompt, and stand before the text here"
DEPTH = "counted the messages to search, and search the lorebook's number of characters here"
RANGE = f"searched another stretch of text than 1 to {MOST_SCANNED} characters, and search the nearest to it here"
TIMED = "were held back or kept for some messages, or belonged to a group, and do neither here"
BIAS = "made phrases more or less likely, and do not here"
CONDITIONS = "had conditions besides their keys, and go by their keys here"
WIDER = "looked for their keys in the card or the persona as well, and look in the text alone here"
QUIET = "were to set off no others, and may here"
MACROS = "have {{placeholders}} in their text, which are sent as they stand"
REPLACED = "had characters that no file can hold, which are \N{REPLACEMENT CHARACTER} here"

_MOST_NAMED = 12


class Unusable(Exception):
    """An entry that cannot be taken in; its text says which, and why."""


@dataclass(frozen=True)
class Habits:
    """What holds for all entries of a book.

    Attributes:
        novelai: it is of NovelAI, where keys are whole words.
        mikupad: it is of MikuPad, where keys are patterns, and the stretch to search is in tokens.
        recursive: the texts of other entries set off those of the book.
        priorities: all entries have one, so it can stand for their order; two scales do not compare.
        off: the ids of categories that are switched off.
    """

    novelai: bool = False
    mikupad: bool = False
    recursive: bool = False
    priorities: bool = False
    off: frozenset[str] = frozenset()


@dataclass
class Lost:
    """What of an entry has no place in ours.

    Attributes:
        kinds: how sentences end that begin with the number of entries.
        fields: those that are not kept, and how many characters each had.
        decorators: those that were left out.
    """

    kinds: set[str] = field(default_factory=set)
    fields: dict[str, int] = field(default_factory=dict)
    decorators: tuple[str, ...] = ()


def entry_of(raw: Any, number: int, habits: Habits) -> tuple[Entry, Lost]:
    """Return an entry as ours, and what of it is lost. What follows a global setting gets that setting's default.

    Raises:
        Unusable: it is not an object with fields, or has no text.
    """
    if not isinstance(raw, dict):
        raise Unusable(f"entry {number} is not an object with fields")
    return _Reading(Fields(raw), number, habits).read()


class _Reading:
    """Takes out of one entry what has a place in ours."""

    def __init__(self, fields: Fields, number: int, habits: Habits) -> None:
        self._fields, self._number, self._habits, self._lost = fields, number, habits, Lost()
        of_others = any(name in fields for name in ("content", "entry", "value"))
        self._mikupad = habits.mikupad or ("text" in fields and "search" in fields)
        by_fields = any(name in fields for name in _OF_NOVELAI)
        self._novelai = not self._mikupad and not of_others and (habits.novelai or by_fields)
        self._nested = [fields.inner(name) for name in ("extensions", "extentions", "context_config")]
        extensions, of_risu, self._config = self._nested
        fields.adopt(extensions, _EXTENDED, over=("position",))
        if of_risu.flag("risu_case_sensitive"):
            self._fields.adopt(Fields({"case_sensitive": True}), ("case_sensitive",))

    def read(self) -> tuple[Entry, Lost]:
        fields = self._fields
        of_sillytavern = "selective_logic" in fields  # it sets use_regex always, and goes by the slashes
        patterns = (fields.flag("use_regex") and not of_sillytavern) or self._mikupad
        sensitive = fields.flag("case_sensitive")
        keys = self._keys(*_KEYS, patterns=patterns, sensitive=sensitive)
        name = self._name(keys)
        secondary, combine = self._secondary(sensitive)
        text = self._text(name, keys, keys_free=not secondary)
        always = fields.flag("constant", "force_activation", "always_active") or self._is_constant()
        switched_off = fields.flag("disable", "disabled", "widisabled") or not fields.flag("enabled", default=True)
        entry = Entry(
            name=self._stored(name)[:LONGEST_NAME].strip() or f"entry {self._number}",
            text=self._stored(text.text),
            keys=keys,
            secondary_keys=secondary or self._stored_keys(text.keys),
            combine=text.combine or combine,
            enabled=not switched_off and not self._is_off() and text.enabled is not False,
            always=always or text.always is True,
            case_sensitive=sensitive,
            whole_words=fields.flag("match_whole_words", default=self._novelai),
            scan_chars=self._scan_chars(),
            order=self._order(),
            cascade=self._cascades(),
        )
        self._lost.decorators = text.left_out
        self._look_for_kinds(entry)
        return entry, self._finished()

    def _text(self, name: str, keys: tuple[str, ...], *, keys_free: bool) -> Decorated:
        text = self._fields.text(*_TEXTS)
        which = f"entry {self._number}" + (f" ({name[:40]})" if name != f"entry {self._number}" else "")
        wrong = self._fields.no_text(*_TEXTS)
        if text is None and wrong is not None:
            raise Unusable(f"{which} has a {wrong} that is no text")
        if text is None:
            only_keys = f"no text, only keys: {', '.join(keys)}"
            raise Unusable(f"{which} has {only_keys if keys else 'neither text nor keys'}")
        decorated = Decorated(text) if self._novelai else obeyed(text, keys_free=keys_free)
        if not decorated.text.strip():
            raise Unusable(f"{which} has no text besides decorators")
        prefix, suffix = (self._config.text(one) or "" for one in ("prefix", "suffix"))
        return Decorated(**{**vars(decorated), "text": prefix + decorated.text + suffix.rstrip("\r\n")})

    def _name(self, keys: tuple[str, ...]) -> str:
        name = (self._fields.text(*_NAMES) or next(iter(keys), f"entry {self._number}")).strip()
        if len(name) > LONGEST_NAME and name not in keys:
            self._lost.fields["the end of a long name"] = len(name) - LONGEST_NAME
        return name

    def _keys(self, *names: str, patterns: bool, sensitive: bool) -> tuple[str, ...]:
        found = self._fields.keys(*names, whole=patterns and not self._mikupad)
        if patterns:
            found = [self._as_pattern(key, sensitive) for key in found]
        return self._stored_keys(found)

    def _as_pattern(self, key: str, sensitive: bool) -> str:
        words = _NO_WORDS.search(key) is None  # and a full stop is meant as one
        return key if words or _PATTERN.fullmatch(key) else f"/{key}/{'' if sensitive else 'i'}"

    def _stored_keys(self, keys: list[str] | tuple[str, ...]) -> tuple[str, ...]:
        long = sum(len(key) for key in keys if len(key) > LONGEST_KEY)
        if long:
            self._lost.fields[f"keys of more than {LONGEST_KEY:,} characters"] = long
        return tuple(self._stored(key) for key in keys if len(key) <= LONGEST_KEY)

    def _stored(self, text: str) -> str:
        if storable(text) != text:
            self._lost.kinds.add(REPLACED)
        return storable(text)

    def _secondary(self, sensitive: bool) -> tuple[tuple[str, ...], Combination]:
        """Return the secondary keys; where they are switched off they are left, and so are said not to be kept."""
        fields = self._fields
        if not fields.flag("selective", default="keysecondary" in fields):
            fields.drop("selective_logic")
            return (), "any"
        keys = self._keys(*_SECONDARY, patterns=False, sensitive=sensitive)
        if not keys:
            fields.drop("selective_logic")
            anti = self._keys("keyanti", patterns=False, sensitive=sensitive)
            return anti, "not any" if anti else "any"
        logic = fields.number("selective_logic")
        known = logic is None or (logic in range(len(_LOGIC)))
        if not known:
            self._lost.fields["selectiveLogic"] = 0
        return keys, _LOGIC[int(logic)] if known and logic is not None else "any"

    def _is_constant(self) -> bool:
        return "mode" in self._fields and self._fields.text("mode") == "constant"

    def _is_off(self) -> bool:
        category = self._fields.take("category")
        return isinstance(category, str) and category in self._habits.off

    def _scan_chars(self) -> int | None:
        chars = self._fields.number("search_range") if not self._mikupad else self._fields.number("search")
        if chars is None:
            return None
        chars = int(chars * _CHARS_OF_TOKEN) if self._mikupad else int(chars)
        if not 1 <= chars <= MOST_SCANNED:
            self._lost.kinds.add(RANGE)
        return min(max(chars, 1), MOST_SCANNED)

    def _order(self) -> int:
        order = self._fields.number(*(("priority",) if self._habits.priorities else _ORDERS))
        return int(order if order is not None else self._config.number("budget_priority") or 0)

    def _cascades(self) -> bool:
        fields = self._fields
        excluded = fields.flag("exclude_recursion")
        by_others = fields.says("non_story_activatable", "delay_until_recursion")
        return by_others or (self._habits.recursive and not excluded)

    def _look_for_kinds(self, entry: Entry) -> None:
        fields, kinds = self._fields, self._lost.kinds
        by_chance = fields.number("probability", "activation_percent")
        if fields.flag("use_probability", default=True) and by_chance is not None and by_chance < _CERTAIN:
            kinds.add(CHANCE)
        placed = fields.take("position") not in _BESIDE_THE_CARD
        if fields.says("key_relative", "outlet_name") or placed:
            kinds.add(PLACE)
        if fields.take("scan_depth") is not None:
            kinds.add(DEPTH)
        if fields.says("group", "sticky", "cooldown", "delay"):
            kinds.add(TIMED)
        if fields.says(*_CONDITIONS):
            kinds.add(CONDITIONS)
        if fields.says(*_WIDER):
            kinds.add(WIDER)
        if fields.says("prevent_recursion"):
            kinds.add(QUIET)
        if _bias(fields.take("lore_bias_groups")):
            kinds.add(BIAS)
        if "{{" in entry.text:
            kinds.add(MACROS)

    def _finished(self) -> Lost:
        self._fields.drop(*_NO_MATTER, "depth", "role", "group_weight", "group_override", "use_group_scoring")
        for fields in (self._fields, *self._nested):
            self._lost.fields |= fields.rest()
        return self._lost


def _bias(groups: Any) -> bool:
    """Return whether any phrases are given: every NovelAI entry has an empty group."""
    return isinstance(groups, list) and any(isinstance(one, dict) and one.get("phrases") for one in groups)


def losses_of(lost: list[Lost]) -> Iterator[str]:
    """Yield what of the entries is lost, and of how many."""
    kinds = Counter(kind for one in lost for kind in one.kinds)
    for kind, count in sorted(kinds.items()):
        yield f"{count} of {len(lost)} entries {kind}"
    fields = Counter(name for one in lost for name in one.fields)
    letters = Counter[str]()
    for one in lost:
        letters.update(one.fields)
    if fields:
        yield "fields of entries that are not kept: " + named(
            f"{shown(name, 40)} ({_entries(count)}{_of(letters[name])})" for name, count in fields.most_common()
        )
    decorators = Counter(name for one in lost for name in dict.fromkeys(one.decorators))
    if decorators:
        yield "decorators that are not obeyed, and not sent: " + named(
            f"{shown(name, 40)} ({_entries(count)})" for name, count in decorators.most_common()
        )


def _entries(count: int) -> str:
    return f"{count:,} {'entry' if count == 1 else 'entries'}"


def _of(letters: int) -> str:
    return f", {letters:,} character{'s' * (letters != 1)}" if letters else ""


def counted(lost: Iterable[tuple[str, int]]) -> Iterator[str]:
    """Yield the name of each field with how many characters it has."""
    for name, letters in lost:
        yield shown(name, 40) + (f" ({_of(letters)[2:]})" if letters else "")


def named(what: Iterable[str], most: int = _MOST_NAMED) -> str:
    """Return a list in words, of which the last ones are only counted."""
    listed = list(what)
    more = len(listed) - most
    return "; ".join(listed[:most]) + (f"; and {more:,} more" if more > 0 else "")


def shown(text: str, most: int) -> str:
    """Return a stranger's text on one line, safe to print, and at most so long."""
    return sanitize(text if len(text) <= most else text[: most - 1] + "…").replace("\n", " ")
