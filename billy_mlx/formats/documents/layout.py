"""Blocks set one below the other as lines of text, with quotes and lists marked at their left."""

from collections.abc import Callable, Iterable
from itertools import takewhile

from billy_mlx.formats.documents.document import Block, Box

Boxes = tuple[Box, ...]


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
