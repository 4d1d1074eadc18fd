"""A document as its formats share it: blocks in their order, each with the boxes it stands in, and runs of text."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal


@dataclass(frozen=True)
class Run:
    """Text in one style.

    Attributes:
        text: a line break in it is one that the writer asked for.
        link: where it leads; empty for none.
        note: the number of the note that is referred to here; such a run has no text.
    """

    text: str
    strong: bool = False
    emphasis: bool = False
    code: bool = False
    link: str = ""
    note: int | None = None


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


def joined(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Return `runs` with empty ones left out and neighbours of one style made one."""
    result: list[Run] = []
    kept = (run for run in runs if run.text or run.note is not None)
    for (_, note), group in groupby(kept, key=lambda run: (_style(run), run.note)):
        alike = list(group)
        result += alike if note is not None else [replace(alike[0], text="".join(run.text for run in alike))]
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
