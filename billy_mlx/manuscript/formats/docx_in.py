"""Blocks out of Word documents. Parts are read one by one, with a limit, and by a parser that fetches nothing."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count, groupby
from typing import Any

from docx.oxml import parse_xml
from docx.oxml.ns import qn

from billy_mlx.errors import DocumentError
from billy_mlx.manuscript.formats.archive import Parts
from billy_mlx.manuscript.formats.document import Block, Box, Run, is_web_link, joined
from billy_mlx.manuscript.formats.docx_styles import DEEPEST_LEVEL, Numberings, Style, is_on, numberings, styles

_BREAKS = {"* * *", "***", "*", "#", "⁂", "* * * * *", "---", "—"}
_INTO = {
    qn(f"w:{name}")
    for name in ("ins", "moveTo", "smartTag", "sdt", "sdtContent", "hyperlink", "fldSimple", "dir", "bdo")
}
_LOST = {
    qn("w:del"): "text that is marked as deleted was left out; what is marked as inserted was kept",
    qn("w:moveFrom"): "text that is marked as deleted was left out; what is marked as inserted was kept",
    qn("w:footnoteReference"): "footnotes were left out",
    qn("w:endnoteReference"): "endnotes were left out",
    qn("w:commentReference"): "comments were left out",
    qn("w:drawing"): "pictures and text boxes were left out",
    qn("w:pict"): "pictures and text boxes were left out",
    qn("w:object"): "pictures and text boxes were left out",
}
_MOST_TAGS = 2_000_000  # several times what a long novel has; they take a quarter of a minute
_SIGNS = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "\u2011"}


def blocks_of_docx(data: bytes) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    """Return the blocks of a Word document, and a sentence each for what was left out.

    Raises:
        DocumentError: it is damaged, too large, or no Word document.
    """
    parts = Parts(data)
    document = _parsed(parts, "word/document.xml")
    body = None if document is None else document.find(qn("w:body"))
    if body is None:
        raise DocumentError("the file is not a Word document; open it in a word processor and save it as .docx")
    reader = _Reader(
        styles(_parsed(parts, "word/styles.xml")),
        numberings(_parsed(parts, "word/numbering.xml")),
        _links(_parsed(parts, "word/_rels/document.xml.rels")),
    )
    blocks = tuple(_tidied(reader.blocks(body)))
    return blocks, tuple(dict.fromkeys(reader.lost))


def _parsed(parts: Parts, name: str) -> Any:
    data = parts.read(name)
    if data is None:
        return None
    if data.count(b"<") > _MOST_TAGS:
        raise DocumentError("the file is too large to be taken in at once; split it and import the parts")
    try:
        return parse_xml(data)
    except (SyntaxError, ValueError) as error:
        raise DocumentError(f"{name} in the file is damaged; save it again in a word processor") from error


def _links(relations: Any) -> dict[str, str]:
    found = [] if relations is None else list(relations)
    return {str(one.get("Id")): str(one.get("Target")) for one in found if one.get("TargetMode") == "External"}


@dataclass(frozen=True)
class _Item:
    """An item of a list that is open."""

    level: int
    number: str
    boxes: tuple[Box, Box]


class _Reader:
    def __init__(self, styles: dict[str, Style], lists: Numberings, links: dict[str, str]) -> None:
        self.lost: list[str] = []
        self._styles = styles
        self._lists = lists
        self._links = links
        self._numbers = count(1)
        self._items: list[_Item] = []
        self._quote: Box | None = None

    def blocks(self, parent: Any) -> Iterator[Block]:
        for element in parent:
            if element.tag == qn("w:p"):
                yield self._block(element)
            elif element.tag == qn("w:tbl"):
                self.lost.append("tables became lines of text")
                for row in element.iterchildren(qn("w:tr")):
                    cells = [self._cell(cell) for cell in row.iterchildren(qn("w:tc"))]
                    yield Block("paragraph", (Run(" | ".join(cells)),))
            elif element.tag in _INTO:
                yield from self.blocks(element)

    def _cell(self, cell: Any) -> str:
        """Return the text of a cell, tables in it included, as one line."""
        texts = ("".join(run.text for run in self._runs(paragraph)) for paragraph in cell.iter(qn("w:p")))
        return " ".join(" ".join(texts).split())

    def _block(self, paragraph: Any) -> Block:
        properties = paragraph.find(qn("w:pPr"))
        style = self._styles.get(_value(properties, "w:pStyle"), Style())
        runs = joined(self._runs(paragraph))
        inside = self._inside(properties, style)
        text = "".join(run.text for run in runs).strip()
        if style.code:
            return Block("code", (Run("".join(run.text for run in runs), code=True),), inside=inside)
        if text in _BREAKS and _value(properties, "w:jc") == "center":
            return Block("break", inside=inside)
        if style.level and text:
            return Block("heading", runs, style.level, inside)
        return Block("paragraph", runs, inside=inside)

    def _inside(self, properties: Any, style: Style) -> tuple[Box, ...]:
        numbering = None if properties is None else properties.find(qn("w:numPr"))
        number = _value(numbering, "w:numId") or style.number
        self._quote = (self._quote or Box("quote", next(self._numbers))) if style.quote else None
        if number and number != "0" and not style.level:
            level = _integer(_value(numbering, "w:ilvl"))
            self._begin_item(number, level)
        elif not style.continues:
            self._items.clear()
        boxes = tuple(box for item in self._items for box in item.boxes)
        return (self._quote, *boxes) if self._quote else boxes

    def _begin_item(self, number: str, level: int) -> None:
        while self._items and (self._items[-1].level > level):
            self._items.pop()
        goes_on = bool(self._items) and self._items[-1].level == level
        last = self._items.pop() if goes_on else None
        if last is not None and last.number == number:
            box = last.boxes[0]
        else:
            kind, first = self._lists.kind(number, level)
            box = Box(kind, next(self._numbers), first)
        self._items.append(_Item(level, number, (box, Box("item", next(self._numbers)))))

    def _runs(self, parent: Any, link: str = "") -> Iterator[Run]:
        for element in parent:
            if element.tag in _LOST:
                self.lost.append(_LOST[element.tag])
            elif element.tag == qn("w:r"):
                yield self._run(element, link)
            elif element.tag in _INTO:
                leads = self._links.get(str(element.get(qn("r:id"))), "")
                yield from self._runs(element, leads if is_web_link(leads) else link)

    def _run(self, element: Any, link: str) -> Run:
        self.lost += (_LOST[inner.tag] for inner in element.iterdescendants(*_LOST))
        properties = element.find(qn("w:rPr"))
        if is_on(properties, "w:vanish"):
            return Run("")
        style = self._styles.get(_value(properties, "w:rStyle"), Style())
        if style.code:
            return Run(_plain(element), code=True, link=link)
        strong, emphasis = is_on(properties, "w:b"), is_on(properties, "w:i")
        return Run(
            _plain(element),
            style.strong if strong is None else strong,
            style.emphasis if emphasis is None else emphasis,
            link=link,
        )


def _tidied(blocks: Iterable[Block]) -> Iterator[Block]:
    """Yield blocks with lines of code that follow each other as one, and without empty paragraphs outside of lists."""
    for (kind, inside), group in groupby(blocks, key=lambda block: (block.kind, block.inside)):
        if kind == "code":
            yield Block("code", (Run("\n".join(line.text for line in group), code=True),), inside=inside)
        else:
            yield from (block for block in group if kind == "break" or inside or block.text.strip())


def _plain(run: Any) -> str:
    """Return the text of a run itself: not of a text box that hangs on it, nor where a page ends."""
    parts = []
    for inner in run.iterchildren(qn("w:t"), *_SIGNS):
        if inner.get(qn("w:type")) not in ("page", "column"):
            parts.append(_SIGNS.get(inner.tag) or inner.text or "")
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", "".join(parts))


def _value(parent: Any, name: str) -> str:
    found = None if parent is None else parent.find(qn(name))
    return "" if found is None else str(found.get(qn("w:val")) or "")


def _integer(text: str) -> int:
    return min(int(text), DEEPEST_LEVEL) if text.isascii() and text.isdigit() and len(text) < 6 else 0
