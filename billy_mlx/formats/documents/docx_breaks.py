"""The breaks between scenes of a Word document, which writers show in many ways."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import Any

from docx.oxml.ns import qn

from billy_mlx.formats.documents.document import Block, Box
from billy_mlx.formats.documents.docx_losses import Loss, Losses
from billy_mlx.formats.documents.docx_text import letters, letters_in
from billy_mlx.formats.documents.layout import common

# Signs of which one is a line of its own only between scenes; white space may stand between several.
_ORNAMENT = re.compile(
    r"[*#~\s•‣⁂⁎⁑⁕※∗⋆·∙⋅＊＃～〜◦\u25a0-\u25ff\u2605\u2606\u2619\u2660-\u2667\u2720-\u274d\u2756\u2766\u2767"
    r"\U0001f65c-\U0001f67f\-–—―⸺⸻_=+─-╿]+"
)
_DASHES = re.compile(r"[\s\-–—―_=+]*")
_FEWEST_DASHES = 3  # where they are not centred; two may be what somebody says
_LONGEST = 80
_FEW = 2  # empty lines, which are breaks even in a text of a few paragraphs
_SIDES = ("top", "left", "bottom", "right")


@dataclass(frozen=True)
class Gap:
    """What stands between two blocks, and may be a break.

    Attributes:
        lines: empty ones.
        certain: there is a rule, a page ends, or the like.
        table: a block beside it is the row of a table, which empty lines are not counted by.
    """

    lines: int = 0
    certain: bool = False
    table: bool = False

    def __add__(self, other: "Gap") -> "Gap":
        return Gap(self.lines + other.lines, self.certain or other.certain, self.table or other.table)


def is_ornament(text: str, *, centred: bool) -> bool:
    """Return whether a paragraph of this text is a break."""
    if len(text) > _LONGEST or not text.strip() or not _ORNAMENT.fullmatch(text):
        return False
    return centred or not _DASHES.fullmatch(text) or letters(text) >= _FEWEST_DASHES


def settled(blocks: Iterable[Block | Gap], losses: Losses) -> Iterator[Block]:
    """Yield blocks with breaks for gaps: those that are certain, and more empty lines than the text usually has.

    No break is put beside a heading or another break, nor where the text begins or ends.
    """
    gaps, kept = _parted(blocks)
    pairs = list(zip(gaps, kept, kept[1:], strict=False))
    lines = [gap.lines for gap, before, after in pairs if _both_paragraphs(gap, before, after)]
    usual = _usual(lines)
    if usual is None:
        losses.add(Loss.EMPTY, count=sum(lines))
    yield from kept[:1]
    for gap, before, after in pairs:
        spaced = usual is not None and gap.lines > usual and _both_paragraphs(gap, before, after)
        if (gap.certain or spaced) and not {before.kind, after.kind} & {"heading", "break"}:
            yield Block("break", inside=_around(before.inside, after.inside))
        yield after


def _parted(blocks: Iterable[Block | Gap]) -> tuple[list[Gap], list[Block]]:
    """Return the blocks, and the gap behind each."""
    gaps, kept = [Gap()], []
    for block in blocks:
        if isinstance(block, Gap):
            gaps[-1] += block
        else:
            kept.append(block)
            gaps.append(Gap())
    return gaps[1:], kept


def _usual(lines: Sequence[int]) -> int | None:
    """Return how many empty lines stand between two paragraphs if nothing is meant by it; None if that is not clear."""
    usual = median_low(lines) if len(lines) > 1 else 0
    some = sum(line > 0 for line in lines)
    return usual if usual or some <= _FEW or some * 3 <= len(lines) else None


def _both_paragraphs(gap: Gap, before: Block, after: Block) -> bool:
    alike = before.inside == after.inside and all(box.kind == "quote" for box in before.inside)
    return alike and before.kind == after.kind == "paragraph" and not gap.certain and not gap.table


def _around(before: Sequence[Box], after: Sequence[Box]) -> tuple[Box, ...]:
    """Return the boxes that a break between two blocks stands in: quotes, for in a list it would look like an item."""
    shared = common(tuple(before), tuple(after))
    return shared if all(box.kind == "quote" for box in shared) else ()


def rules(paragraph: Any) -> tuple[bool, bool]:
    """Return whether a paragraph itself has a rule above it and one below it, and no border around it."""
    sides = _sides(paragraph)
    if not sides:
        return False, False
    above, below = sides == {"top"}, sides == {"bottom"}
    # Of paragraphs with the same border Word draws one frame.
    above = above and _sides(paragraph.getprevious()) != sides
    return above, below and _sides(paragraph.getnext()) != sides


def has_border(properties: Any) -> bool:
    """Return whether the properties of a paragraph or style have a border above or below."""
    borders = None if properties is None else properties.find(qn("w:pBdr"))
    return borders is not None and bool(_drawn(borders) & {"top", "bottom"})


def _sides(paragraph: Any) -> set[str]:
    borders = None if paragraph is None else paragraph.find(f"{qn('w:pPr')}/{qn('w:pBdr')}")
    return set() if borders is None else _drawn(borders)


def _drawn(borders: Any) -> set[str]:
    found = {side: borders.find(qn(f"w:{side}")) for side in _SIDES}
    return {
        side for side, one in found.items() if one is not None and one.get(qn("w:val")) not in (None, "nil", "none")
    }


def is_rule(drawing: Any) -> bool:
    """Return whether a drawing is a horizontal rule, as Word and Google Docs have them, or a mere line."""
    if letters_in(drawing):
        return False
    if any(one.get("{urn:schemas-microsoft-com:office:office}hr") in ("t", "true", "1") for one in drawing.iter("*")):
        return True
    shapes = drawing.iter("{urn:schemas-microsoft-com:vml}line", qn("a:prstGeom"))
    return any(one.get("prst", "line") in ("line", "straightConnector1") for one in shapes)
