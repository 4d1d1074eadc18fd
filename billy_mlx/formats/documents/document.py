"""A document as its formats share it: blocks in their order, each with the boxes it stands in, and runs of text."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from textwrap import shorten
from typing import Literal


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


_DROPPED = [*range(0x20), *range(0x7F, 0xA0), 0xFFFE, 0xFFFF]
_FOR_XML: dict[int, str | None] = {
    **{code: None for code in _DROPPED if chr(code) not in "\t\n"},
    **dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}"),
}


def for_xml(text: str) -> str:
    """Return `text` without the characters that XML or its readers forbid, line ends and tabs kept."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_FOR_XML)


_LINK = re.compile(r"https?://[A-Za-z0-9.\-]+(?::[0-9]{1,5})?(?:[/?][^\s#\\\[\]{}|^<>\"]*)?(?:#[^\s#\\\[\]{}|^<>\"]*)?")
_MAIL = re.compile(r"mailto:[A-Za-z0-9._+\-]+@[A-Za-z0-9.\-]+")


def is_web_link(link: str) -> bool:
    """Return whether `link` leads to a page or an address: all that other programs are given as a link."""
    return bool(_LINK.fullmatch(link) or _MAIL.fullmatch(link))


def cut(line: str, most: int) -> str:
    """Return as much of a line as fits into `most` characters: whole words, where there are any."""
    if len(line) <= most:
        return line
    words = shorten(line, most, placeholder="…")
    return words if words != "…" else f"{line[: most - 1]}…"
