"""What is said of a lorebook that was imported: what of it has no place in ours, and of how much."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from billy_mlx.formats.lorebooks.lorebook import MOST_SCANNED
from billy_mlx.text import sanitize

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
