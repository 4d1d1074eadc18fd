"""Blocks out of Word documents. Parts are read one by one, with a limit, and by a parser that fetches nothing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from docx.oxml import parse_xml
from docx.oxml.ns import qn

from billy_mlx.errors import DocumentError
from billy_mlx.manuscript.formats.archive import Parts
from billy_mlx.manuscript.formats.document import Block, Box, Run, is_web_link, joined
from billy_mlx.manuscript.formats.docx_styles import Numberings, Style, numberings, styles

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
        raise DocumentError("the file is no Word document; open it in a word processor and save it as .docx")
    reader = _Reader(
        styles(_parsed(parts, "word/styles.xml")),
        numberings(_parsed(parts, "word/numbering.xml")),
        _links(_parsed(parts, "word/_rels/document.xml.rels")),
    )
    blocks = tuple(_with_code_joined(reader.blocks(body)))
    return blocks, tuple(dict.fromkeys(reader.lost))


def _parsed(parts: Parts, name: str) -> Any:
    data = parts.read(name)
    if data is None:
        return None
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
                for row in element.iter(qn("w:tr")):
                    cells = [" ".join(_plain(cell).split()) for cell in row.iter(qn("w:tc"))]
                    yield Block("paragraph", (Run(" | ".join(cells)),))
            elif element.tag in _INTO:
                yield from self.blocks(element)

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
        self.lost += [_LOST[child.tag] for child in element if child.tag in _LOST]
        properties = element.find(qn("w:rPr"))
        if _is_on(properties, "w:vanish"):
            return Run("")
        style = self._styles.get(_value(properties, "w:rStyle"), Style())
        strong, emphasis = _is_on(properties, "w:b"), _is_on(properties, "w:i")
        if style.code:
            return Run(_plain(element), code=True, link=link)
        return Run(_plain(element), strong, emphasis, link=link)


def _with_code_joined(blocks: Iterator[Block]) -> Iterator[Block]:
    """Yield blocks with lines of code that follow each other as one, and without empty paragraphs outside of lists."""
    waiting: Block | None = None
    for block in blocks:
        if waiting is not None and block.kind == "code" and block.inside == waiting.inside:
            waiting = Block("code", (Run(f"{waiting.text}\n{block.text}", code=True),), inside=block.inside)
            continue
        if waiting is not None:
            yield waiting
        waiting = block if block.kind == "code" else None
        if waiting is None and (block.kind == "break" or block.inside or block.text.strip()):
            yield block
    if waiting is not None:
        yield waiting


def _plain(element: Any) -> str:
    """Return the text of an element, without what is deleted in it."""
    parts = []
    for inner in element.iter(qn("w:t"), *_SIGNS):
        parts.append(_SIGNS.get(inner.tag) or inner.text or "")
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", "".join(parts))


def _value(parent: Any, name: str) -> str:
    found = None if parent is None else parent.find(qn(name))
    return "" if found is None else str(found.get(qn("w:val")) or "")


def _is_on(properties: Any, name: str) -> bool:
    found = None if properties is None else properties.find(qn(name))
    return found is not None and found.get(qn("w:val")) not in ("0", "false", "off", "none")


def _integer(text: str) -> int:
    return min(int(text), 8) if text.isascii() and text.isdigit() and len(text) < 6 else 0
