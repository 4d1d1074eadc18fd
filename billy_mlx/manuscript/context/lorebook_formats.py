"""What other programs call the fields of a lorebook, and what ours are called.

NovelAI: `lorebookVersion` 1 to 6. SillyTavern: a World Info file, its entries by uid. Character cards, V2 and V3: the
book in a card, of which SillyTavern keeps what the format has no place for in `extensions`.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from billy_mlx.manuscript.context.lorebook import LONGEST_KEY, LONGEST_NAME, MOST_SCANNED, Combination, Entry
from billy_mlx.manuscript.storable import storable

_LOGIC: tuple[Combination, ...] = ("any", "not all", "not any", "all")  # SillyTavern's selectiveLogic, 0 to 3
_CERTAIN = 100

CHANCE = "fired only by chance, and fire always here"
PLACE = "had a place of their own in the prompt, and stand before the text here"
DEPTH = "counted the messages to search, and search the lorebook's number of characters here"
RANGE = f"searched another stretch of text than 1 to {MOST_SCANNED} characters, and search the nearest to it here"
TIMED = "were held back or kept for some messages, or belonged to a group, and do neither here"
BIAS = "made phrases more or less likely, and do not here"
CONDITIONS = "had conditions besides their keys, and go by their keys here"
MACROS = "have {{placeholders}} in their text, which are sent as they stand"
LONG_KEYS = f"had keys longer than {LONGEST_KEY} characters, which were left out"


class _Context(msgspec.Struct, rename="camel"):
    budget_priority: int | float | None = None
    prefix: str | None = None
    suffix: str | None = None


class NovelAI(msgspec.Struct, rename="camel"):
    """An entry of a NovelAI lorebook; its keys are whole words in any case, or /patterns/."""

    text: str = ""
    keys: list[str] | None = None
    display_name: str | None = None
    enabled: bool | None = True
    force_activation: bool | None = False
    search_range: int | float | None = None
    non_story_activatable: bool | None = False  # other entries' texts set it off
    key_relative: bool | None = False
    category: str | None = None
    context_config: _Context | None = None
    lore_bias_groups: Any = None
    advanced_conditions: Any = None

    def entry(self, number: int) -> Entry:
        """Return it as ours."""
        config = self.context_config or _Context()
        keys = self.keys or []
        return Entry(
            name=_name(self.display_name, keys, number),
            text=storable((config.prefix or "") + self.text + (config.suffix or "").rstrip("\r\n")),
            keys=_keys(keys),
            enabled=self.enabled is not False,
            always=self.force_activation is True,
            scan_chars=None if self.search_range is None else min(max(int(self.search_range), 1), MOST_SCANNED),
            order=int(config.budget_priority or 0),
            cascade=self.non_story_activatable is True,
        )

    def lost(self) -> Iterator[str]:
        """Yield what of it has no place in ours."""
        if self.search_range is not None and not 1 <= self.search_range <= MOST_SCANNED:
            yield RANGE
        if self.key_relative:
            yield PLACE
        if _bias(self.lore_bias_groups):
            yield BIAS
        if self.advanced_conditions:
            yield CONDITIONS
        yield from _lost_of(self.text, self.keys or [])


class WorldInfo(msgspec.Struct, rename="camel"):
    """An entry of a SillyTavern World Info file."""

    key: list[str] | str | None = None
    keysecondary: list[str] | str | None = None
    comment: str | None = None
    content: str = ""
    constant: bool | None = False
    disable: bool | None = False
    selective: bool | None = True
    selective_logic: int | None = 0
    order: int | float | None = 0
    position: int | str | None = 0
    scan_depth: int | float | None = None
    case_sensitive: bool | None = None
    match_whole_words: bool | None = None
    probability: int | float | None = _CERTAIN
    use_probability: bool | None = True
    group: str | None = None
    sticky: int | float | None = None
    cooldown: int | float | None = None
    delay: int | float | None = None
    character_filter: Any = None
    delay_until_recursion: bool | int | None = False

    def entry(self, number: int) -> Entry:
        """Return it as ours. What follows a global setting there gets that setting's default."""
        keys = _listed(self.key)
        return Entry(
            name=_name(self.comment, keys, number),
            text=storable(self.content),
            keys=_keys(keys),
            secondary_keys=_keys(_listed(self.keysecondary)) if self.selective else (),
            combine=_combination(self.selective_logic),
            enabled=not self.disable,
            always=self.constant is True,
            case_sensitive=self.case_sensitive is True,
            whole_words=self.match_whole_words is True,
            order=int(self.order or 0),
            cascade=bool(self.delay_until_recursion),
        )

    def lost(self) -> Iterator[str]:
        """Yield what of it has no place in ours."""
        if self.use_probability and self.probability is not None and self.probability < _CERTAIN:
            yield CHANCE
        if self.position not in (0, 1, None):
            yield PLACE
        if self.scan_depth is not None:
            yield DEPTH
        if self.sticky or self.cooldown or self.delay or self.group:
            yield TIMED
        if isinstance(self.character_filter, dict) and any(self.character_filter.values()):
            yield CONDITIONS
        yield from _lost_of(self.content, _listed(self.key) + _listed(self.keysecondary))


class _Extensions(msgspec.Struct):
    selective_logic: int | None = msgspec.field(default=0, name="selectiveLogic")
    use_probability: bool | None = msgspec.field(default=True, name="useProbability")
    probability: int | float | None = _CERTAIN
    position: int | str | None = 0
    scan_depth: int | float | None = None
    case_sensitive: bool | None = None
    match_whole_words: bool | None = None
    group: str | None = None
    sticky: int | float | None = None
    cooldown: int | float | None = None
    delay: int | float | None = None
    exclude_recursion: bool | None = False
    delay_until_recursion: bool | int | None = False


class CardEntry(msgspec.Struct):
    """An entry of the book in a character card."""

    keys: list[str] | None = None
    secondary_keys: list[str] | None = None
    name: str | None = None
    comment: str | None = None
    content: str = ""
    enabled: bool | None = True
    constant: bool | None = False
    selective: bool | None = False
    insertion_order: int | float | None = 0
    priority: int | float | None = None
    case_sensitive: bool | None = None
    extensions: _Extensions | None = None

    def as_world_info(self, *, recursive: bool) -> WorldInfo:
        """Return it as SillyTavern has it; `recursive`, that other entries' texts set off those of the book."""
        more = self.extensions or _Extensions()
        return WorldInfo(
            key=self.keys,
            keysecondary=self.secondary_keys,
            comment=self.name or self.comment,
            content=self.content,
            constant=self.constant,
            disable=self.enabled is False,
            selective=self.selective,
            selective_logic=more.selective_logic,
            order=self.insertion_order if self.priority is None else self.priority,
            position=more.position,
            scan_depth=more.scan_depth,
            case_sensitive=more.case_sensitive if self.case_sensitive is None else self.case_sensitive,
            match_whole_words=more.match_whole_words,
            probability=more.probability,
            use_probability=more.use_probability,
            group=more.group,
            sticky=more.sticky,
            cooldown=more.cooldown,
            delay=more.delay,
            delay_until_recursion=bool(more.delay_until_recursion) or (recursive and not more.exclude_recursion),
        )


def _name(name: str | None, keys: list[str], number: int) -> str:
    candidates = [name or "", *keys, f"entry {number}"]
    return storable(next(one.strip() for one in candidates if one.strip())[:LONGEST_NAME])


def _keys(keys: list[str]) -> tuple[str, ...]:
    stripped = (storable(key).strip() for key in keys)
    return tuple(key for key in stripped if key and len(key) <= LONGEST_KEY)


def _listed(keys: list[str] | str | None) -> list[str]:
    """Return keys as a list; the oldest files have them in one text, with commas."""
    return keys.split(",") if isinstance(keys, str) else keys or []


def _combination(logic: int | None) -> Combination:
    if logic is None:
        return "any"
    if not 0 <= logic < len(_LOGIC):
        raise ValueError(f"selectiveLogic is {logic}, but there are only 0 to {len(_LOGIC) - 1}")
    return _LOGIC[logic]


def _bias(groups: Any) -> bool:
    """Return whether any phrases are given: every NovelAI entry has an empty group."""
    return isinstance(groups, list) and any(isinstance(one, dict) and one.get("phrases") for one in groups)


def _lost_of(text: str, keys: list[str]) -> Iterator[str]:
    if "{{" in text:
        yield MACROS
    if any(len(key.strip()) > LONGEST_KEY for key in keys):
        yield LONG_KEYS
