"""Which entries of a lorebook fire, as their keys stand in the text or in the texts of other entries."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING

from billy_mlx.formats.lorebooks.lorebook import MOST_SCANNED, Entry, Lorebook

if TYPE_CHECKING:
    from billy_mlx.manuscript.context.key_search import Scan

_BETWEEN = "\n\0\n"  # two entries' texts: NUL is in none of them, so no words go from one into the next


@dataclass(frozen=True)
class Trigger:
    """An entry that fires.

    Attributes:
        entry: which.
        key: the key that set it off; None if it always is.
        start: where the key was found in the text before the cursor, or in the text of entry `by`.
        end: where it ends there.
        by: the name of the entry whose text set it off; None for the manuscript.
    """

    entry: Entry
    key: str | None = None
    start: int = 0
    end: int = 0
    by: str | None = None


@dataclass(frozen=True)
class Scanned:
    """What fires, in the lorebook's order, and one sentence for each key that could not be looked for."""

    triggers: tuple[Trigger, ...] = ()
    faults: tuple[str, ...] = ()


def scanned(lorebook: Lorebook, text_before: str) -> Scanned:
    """Return which entries fire by the end of `text_before`, and which keys could not be looked for."""
    from billy_mlx.manuscript.context.key_search import Scan  # once there is something to look for

    scan = Scan()
    fired: dict[int, Trigger] = {}
    offset = max(0, len(text_before) - MOST_SCANNED)
    text = text_before[offset:]
    for index, entry in enumerate(lorebook.entries):
        trigger = _trigger(scan, entry, text, max(0, len(text) - (entry.scan_chars or lorebook.scan_chars)))
        if trigger is not None and trigger.key is not None:
            trigger = replace(trigger, start=trigger.start + offset, end=trigger.end + offset)
        if trigger is not None:
            fired[index] = trigger
    fired.update(_cascaded(scan, lorebook, fired))
    return Scanned(tuple(fired[index] for index in sorted(fired)), tuple(scan.faults))


def _trigger(scan: "Scan", entry: Entry, text: str, begin: int) -> Trigger | None:
    """Return how `text`, from `begin` on, sets an entry off; None if it does not."""
    if not entry.enabled or not entry.text.strip():
        return None
    if entry.always:
        return Trigger(entry)
    for key in entry.keys:
        found = _find(scan, entry, text, begin, key)
        if found is not None:
            return Trigger(entry, key, *found) if _secondary_pass(scan, entry, text, begin) else None
    return None


def _secondary_pass(scan: "Scan", entry: Entry, text: str, begin: int) -> bool:
    if not entry.secondary_keys:
        return True
    found = (_find(scan, entry, text, begin, key) is not None for key in entry.secondary_keys)
    one_is_enough = entry.combine in ("any", "not any")
    return (any(found) if one_is_enough else all(found)) is not entry.combine.startswith("not")


def _find(scan: "Scan", entry: Entry, text: str, begin: int, key: str) -> tuple[int, int] | None:
    return scan.find(text, key, case_sensitive=entry.case_sensitive, whole_words=entry.whole_words, begin=begin)


def _cascaded(scan: "Scan", lorebook: Lorebook, fired: dict[int, Trigger]) -> Iterator[tuple[int, Trigger]]:
    """Yield what the texts of the entries in `fired` set off, looking at the first 20,000 characters of them all."""
    sources = [trigger.entry for trigger in fired.values()]
    begins = [0, *accumulate(len(entry.text) + len(_BETWEEN) for entry in sources)]
    text = _BETWEEN.join(entry.text for entry in sources)[:MOST_SCANNED]
    for index, entry in enumerate(lorebook.entries):
        if entry.cascade and index not in fired and text:
            trigger = _trigger(scan, entry, text, 0)
            if trigger is not None:
                source = bisect_right(begins, trigger.start) - 1
                start, end = (
                    min(place - begins[source], len(sources[source].text)) for place in (trigger.start, trigger.end)
                )
                yield index, Trigger(entry, trigger.key, start, end, sources[source].name)
