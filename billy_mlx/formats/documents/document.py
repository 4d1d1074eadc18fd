"""A document as its formats share it: blocks in their order, each with the boxes it stands in, and runs of text."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby, takewhile
from textwrap import shorten
from typing import Literal

_DROPPED = [*range(0x20), *range(0x7F, 0xA0), 0xFFFE, 0xFFFF]
_FOR_XML: dict[int, str | None] = {
    **{code: None for code in _DROPPED if chr(code) not in "\t\n"},
    **dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}"),
}

_LINK = re.compile(r"https?://[A-Za-z0-9.\-]+(?::[0-9]{1,5})?(?:[/?][^\s#\\\[\]{}|^<>\"]*)?(?:#[^\s#\\\[\]{}|^<>\"]*)?")
_MAIL = re.compile(r"mailto:[A-Za-z0-9._+\-]+@[A-Za-z0-9.\-]+")


@dataclass(frozen=True)
class Run:
    """Text in one style.

    Attributes:
        text: a line break in it is one that the writer asked for.
        link: where it leads; empty for none.
        note: the label of the note that is referred to here, and such a run has no text; empty for none.
    """

    text: str
    strong: bool = False
    emphasis: bool = False
    code: bool = False
    link: str = ""
    note: str = ""


@dataclass(frozen=True)
class Box:
    """What a block stands in. Two blocks with an equal box stand in the same one.

    Attributes:
        number: its own within the document.
        first: the number of the first item, for numbered lists.
    """

    kind: Literal["quote", "bullets", "numbers", "item"]
    number: int
    first: int = 1


Boxes = tuple[Box, ...]


@dataclass(frozen=True)
class Block:
    """A heading, a paragraph, lines of code, or a break between scenes.

    Attributes:
        level: of a heading, 1 to 6.
        inside: the boxes, the outermost first; an item's list comes before it.
    """

    kind: Literal["heading", "paragraph", "code", "break"]
    runs: tuple[Run, ...] = ()
    level: int = 0
    inside: tuple[Box, ...] = ()

    @property
    def text(self) -> str:
        """Its text without styles and notes."""
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True)
class Document:
    """A text in blocks.

    Attributes:
        notes: the blocks of each note by its label, in the order in which they are first referred to. They refer to no
            other notes.
    """

    blocks: tuple[Block, ...]
    notes: Mapping[str, tuple[Block, ...]] = field(default_factory=dict)

    @property
    def numbers(self) -> dict[str, int]:
        """The number of each note, from 1, by its label."""
        return {label: number for number, label in enumerate(self.notes, start=1)}

    @property
    def chapter_level(self) -> int:
        """The highest level that has more than one heading, as a single one above them is the book's title.

        The highest there is if none has; 0 without headings.
        """
        levels = Counter(block.level for block in self.blocks if block.kind == "heading" and not block.inside)
        return min((level for level, count in levels.items() if count > 1), default=min(levels, default=0))

    @property
    def title(self) -> str:
        """What the one heading says that stands above all chapters at the beginning; empty without one."""
        first = next(iter(self.blocks), None)
        if first is None or first.kind != "heading" or first.inside or first.level >= self.chapter_level:
            return ""
        return " ".join(first.text.split())

    def below(self, title: str) -> "Document":
        """Return it without its first heading if that says `title` and is the only one of its level."""
        first, *others = self.blocks or (None,)
        if first is None or first.kind != "heading" or first.inside or first.text.split() != title.split():
            return self
        if any(block.kind == "heading" and block.level <= first.level and not block.inside for block in others):
            return self
        if any(run.note for run in first.runs):
            return self
        return replace(self, blocks=tuple(other for other in others if other is not None))


def joined(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Return `runs` with empty ones left out and neighbours of one style made one."""
    result: list[Run] = []
    kept = (run for run in runs if run.text or run.note)
    for (_, note), group in groupby(kept, key=lambda run: (_style(run), run.note)):
        alike = list(group)
        result += alike if note else [replace(alike[0], text="".join(run.text for run in alike))]
    return tuple(result)


def _style(run: Run) -> tuple[bool, bool, bool, str]:
    return run.strong, run.emphasis, run.code, run.link


def for_xml(text: str) -> str:
    """Return `text` without the characters that XML or its readers forbid, line ends and tabs kept."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_FOR_XML)


def is_web_link(link: str) -> bool:
    """Return whether `link` leads to a page or an address: all that other programs are given as a link."""
    return bool(_LINK.fullmatch(link) or _MAIL.fullmatch(link))


def cut(line: str, most: int) -> str:
    """Return as much of a line as fits into `most` characters: whole words, where there are any."""
    if len(line) <= most:
        return line
    words = shorten(line, most, placeholder="…")
    return words if words != "…" else f"{line[: most - 1]}…"


def laid_out(blocks: Iterable[Block], text_of: Callable[[Block], str], quote: str) -> str:
    """Return blocks with a blank line between them, none before the items of a list; ends with a line end.

    Args:
        blocks: in their order.
        text_of: gives the lines of a block without what stands left of them.
        quote: what stands left of a quote.
    """
    margin = _Margin(quote)
    lines: list[str] = []
    before: Boxes | None = None
    for block in blocks:
        if before is not None and not _goes_on(before, block.inside):
            lines.append(margin.rest(common(before, block.inside)).rstrip())
        first = margin.first(block.inside, before or ())
        rest = margin.rest(block.inside)
        texts = text_of(block).split("\n")
        lines += [
            left + text if text else left.rstrip()
            for left, text in zip([first] + [rest] * len(texts), texts, strict=False)
        ]
        before = block.inside
    return "".join(line + "\n" for line in lines)


def common(one: Boxes, other: Boxes) -> Boxes:
    """Return the boxes that two blocks both stand in."""
    return tuple(box for box, _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _goes_on(before: Boxes, inside: Boxes) -> bool:
    """Whether a block begins the next item of the list that the one before it is in, or a list below its item."""
    shared = common(before, inside)
    new = inside[len(shared) :]
    in_list = bool(shared) and shared[-1].kind in ("bullets", "numbers", "item")
    return in_list and bool(new) and {box.kind for box in new} <= {"bullets", "numbers", "item"}


class _Margin:
    """What stands left of the lines: the marker of each list, and how far it has counted."""

    def __init__(self, quote: str) -> None:
        self._quote = quote
        self._markers: dict[Box, str] = {}  # of items
        self._items: dict[Box, int] = {}  # of lists, so far
        self._other: dict[Box, bool] = {}  # of lists: marked unlike the list that ends where they begin

    def rest(self, inside: Boxes) -> str:
        """Return what stands left of all lines of a block but its first."""
        return "".join(self._quote if box.kind == "quote" else " " * len(self._markers.get(box, "")) for box in inside)

    def first(self, inside: Boxes, before: Boxes) -> str:
        """Return what stands left of the first line of a block, and count its items."""
        left = ""
        for depth, box in enumerate(inside):
            if box.kind == "quote":
                left += self._quote
            elif box.kind != "item":
                self._begin(box, before[depth] if depth < len(before) else None)
            elif box in self._markers:
                left += " " * len(self._markers[box])
            else:
                self._markers[box] = self._marker(inside[depth - 1])
                left += self._markers[box]
        return left

    def _begin(self, box: Box, before: Box | None) -> None:
        if box not in self._items:
            self._items[box] = 0
            alike = before is not None and before.kind == box.kind and not self._other.get(before, False)
            self._other[box] = alike and before is not None and self._would_go_on(before, box)

    def _would_go_on(self, before: Box, box: Box) -> bool:
        """Whether a list with the same marks would be read as a part of the one before it."""
        due = before.first + self._items.get(before, 0)
        return box.kind != "numbers" or box.first == due or box.first == before.first == 1

    def _marker(self, box: Box) -> str:
        number = box.first + self._items[box]
        self._items[box] += 1
        if box.kind == "bullets":
            return "* " if self._other[box] else "- "
        return f"{number}) " if self._other[box] else f"{number}. "
