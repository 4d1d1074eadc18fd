"""Blocks out of Word documents: what holds text is walked, whatever it is, and what stays out is counted and said."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count, groupby
from typing import Any

from docx.oxml.ns import qn

from billy_mlx.formats.documents.document import Block, Box, Document, Run, joined
from billy_mlx.formats.documents.docx_package import Notes, Package
from billy_mlx.formats.documents.docx_runs import RULE, TextReader
from billy_mlx.formats.documents.docx_styles import (
    DEEPEST_LEVEL,
    Numberings,
    Style,
    Styles,
    is_on,
    numberings,
    outline_level,
    value_of,
)
from billy_mlx.formats.documents.docx_text import (
    PAGE_END,
    SYMBOL,
    TEXTS,
    Gap,
    Loss,
    Losses,
    has_border,
    is_ornament,
    letters,
    letters_in,
    rules,
    settle_versions,
    settled,
    text_of,
)

_BREAKS = re.compile(rf"[\s{PAGE_END}{RULE}{SYMBOL}]+")
_CELLS = " | "


def document_of_docx(data: bytes) -> tuple[Document, tuple[str, ...]]:
    """Return the text of a Word document, and a sentence each for what was left out and how much it was.

    Raises:
        DocumentError: it is damaged, too large, or no Word document.
    """
    package = Package(data)
    losses = Losses()
    if other := settle_versions(package.body):
        losses.add(Loss.VERSIONS, other)
    notes = Notes(package, losses)
    common = _Common(Styles(package.part("styles")), numberings(package.part("numbering")), losses)
    blocks = _blocks(package.body, _Reader(common, package.links, notes.label_of), losses)
    used = dict.fromkeys(run.note for block in blocks for run in block.runs if run.note)
    texts = {}
    for label in used:
        note, links = notes.find(label)
        read = _blocks(note, _Reader(common, links, lambda _: "", breaks=False), losses)
        texts[label] = tuple(block for block in read if block.kind != "break")
    notes.count_others(used)
    _count_outside(package, losses)
    return Document(blocks, texts), losses.notes()


def _blocks(holder: Any, reader: "_Reader", losses: Losses) -> tuple[Block, ...]:
    """Return the blocks of what holds paragraphs, and count the letters of it that are in none of them."""
    blocks = tuple(_with_whole_code(settled(reader.blocks(holder), losses)))
    missing = letters_in(holder) - reader.without - sum(letters(block.text) for block in blocks)
    if missing > 0:
        losses.add(Loss.UNKNOWN, missing)
    return blocks


def _count_outside(package: Package, losses: Losses) -> None:
    """Count what stands outside of the text and its notes."""
    for kind, loss, tag in (
        ("comments", Loss.COMMENTS, "w:comment"),
        ("header", Loss.HEADERS, "w:p"),
        ("footer", Loss.HEADERS, "w:p"),
    ):
        for root in package.parts(kind):
            settle_versions(root)
            found = [held for one in root.iter(qn(tag)) if (held := letters_in(one) - _page_numbers(one))]
            if found:
                losses.add(loss, letters_in(root) - _page_numbers(root), max(0, len(found) - losses.count(loss)))


def _page_numbers(holder: Any) -> int:
    """Return how many letters are numbers of pages, which a program has put there and nobody wrote."""
    simple = (one for one in holder.iter(qn("w:fldSimple")) if _is_page(one.get(qn("w:instr"))))
    numbers = sum(letters_in(one) for one in simple if "".join(one.itertext()).strip().isalnum())
    code, shows = "", False
    for one in holder.iter(qn("w:fldChar"), qn("w:instrText"), qn("w:t")):
        if one.tag == qn("w:fldChar"):
            shows = one.get(qn("w:fldCharType")) == "separate" and _is_page(code)
            code = code if one.get(qn("w:fldCharType")) == "separate" else ""
        elif one.tag == qn("w:instrText"):
            code += one.text or ""
        elif shows:
            numbers += letters(text_of(one))
    return numbers


def _is_page(code: str | None) -> bool:
    return (code or "").upper().split()[:1] in (["PAGE"], ["NUMPAGES"])


@dataclass(frozen=True)
class _Common:
    """What all texts of a document share."""

    styles: Styles
    lists: Numberings
    losses: Losses


@dataclass(frozen=True)
class _Item:
    """An item of a list that is open."""

    level: int
    number: str
    boxes: tuple[Box, Box]


class _Reader:
    """Reads what is in the body of a document."""

    def __init__(
        self, common: _Common, links: Mapping[str, str], label_of: Callable[[Any], str], *, breaks: bool = True
    ) -> None:
        self._breaks = breaks  # whether ornaments are breaks between scenes
        self._losses = common.losses
        self._styles = common.styles
        self._text = TextReader(common.styles, links, common.losses, label_of)
        self._lists = common.lists
        self._numbers = count(1)
        self._items: list[_Item] = []
        self._quote: Box | None = None
        self._begun: list[Run] = []  # of a paragraph that goes on in the next

    @property
    def without(self) -> int:
        """How many letters of the body are not in the blocks, as far as is known; less those that were added."""
        return self._text.without

    def blocks(self, body: Any) -> Iterator[Block | Gap]:
        """Yield the blocks, and what is between them."""
        for holder, elements in groupby(self._text.nearest(body, _BLOCKS), key=_holder):
            if holder.tag == qn("w:p"):
                yield from self._paragraph(holder)
                continue
            yield from self._rest()
            if holder.tag == qn("w:tbl"):
                yield from self._table(holder)
            else:  # text that stands in no paragraph
                runs = [run for element in elements for run in self._text.runs([element], Style())]
                yield from self._pieces(None, Style(), runs)
        yield from self._rest()

    def _table(self, table: Any) -> Iterator[Block | Gap]:
        for row in self._text.nearest(table, (qn("w:tr"), qn("w:p"))):
            if _has(row, "w:trPr", "w:del"):
                self._text.lose(Loss.DELETED, row)
                continue
            yield Gap(table=True)
            cells = [row] if row.tag == qn("w:p") else self._text.nearest(row, (qn("w:tc"), qn("w:p")))
            yield from self._row([self._cell(cell) for cell in cells])
        yield Gap(table=True)

    def _row(self, cells: list[list[Run]]) -> Iterator[Block]:
        if any(run.text.strip() for cell in cells for run in cell):
            self._losses.add(Loss.TABLES)
            runs = [run for cell in cells for run in (Run(_CELLS), *cell)][1:]
            self._text.without -= (len(cells) - 1) * letters(_CELLS)
            yield Block("paragraph", joined(runs))

    def _cell(self, cell: Any) -> list[Run]:
        """Return the runs of a cell, tables in it included, as one line."""
        if _has(cell, "w:tcPr", "w:cellDel"):
            self._text.lose(Loss.DELETED, cell)
            return []
        runs: list[Run] = []
        for paragraph in [cell] if cell.tag == qn("w:p") else self._cell_paragraphs(cell):
            style = self._style(paragraph.find(qn("w:pPr")))
            runs += [Run(" "), *self._text.runs(paragraph, style)]
        return _one_line(runs)

    def _cell_paragraphs(self, cell: Any) -> Iterator[Any]:
        for element in self._text.nearest(cell, (qn("w:p"), qn("w:tr"))):
            if element.tag == qn("w:p"):
                yield element
            elif _has(element, "w:trPr", "w:del"):
                self._text.lose(Loss.DELETED, element)
            else:
                yield from self._cell_paragraphs(element)

    def _paragraph(self, paragraph: Any) -> Iterator[Block | Gap]:
        properties = paragraph.find(qn("w:pPr"))
        style = self._style(properties)
        lost = self._losses.total
        runs = [*self._begun, *self._text.runs(paragraph, style)]
        if _goes_on(properties):
            self._begun = runs
            return
        self._begun = []
        above, below = (False, False) if properties is None else rules(paragraph)
        if above or is_on(properties, "w:pageBreakBefore"):
            yield Gap(certain=True)
        yield from self._pieces(properties, style, runs, lines=int(lost == self._losses.total))
        if below or _ends_page(properties):
            yield Gap(certain=True)

    def _rest(self) -> Iterator[Block | Gap]:
        """Yield what would have gone on in a next paragraph, where there is none."""
        if self._begun:
            yield from self._pieces(None, Style(), self._begun)
            self._begun = []

    def _style(self, properties: Any) -> Style:
        """Return the style of a paragraph, with what the paragraph says of itself."""
        style = self._styles[value_of(properties, "w:pStyle")]
        level, aligned = outline_level(properties), value_of(properties, "w:jc")
        if level is None and not aligned:
            return style
        centred = aligned == "center" if aligned else style.centred
        return replace(style, level=style.level if level is None else level, centred=centred)

    def _pieces(self, properties: Any, style: Style, runs: list[Run], lines: int = 0) -> Iterator[Block | Gap]:
        """Yield the block of a paragraph, or several where pages end in it or rules stand; `lines` if it is empty."""
        pieces: list[list[Run]] = [[]]
        for run in runs:
            if RULE not in run.text and PAGE_END not in run.text:
                pieces[-1].append(run)
                continue
            first, *others = re.split(f"[{PAGE_END}{RULE}]", run.text)
            pieces[-1].append(replace(run, text=first))
            pieces += ([replace(run, text=text)] for text in others)
        for number, piece in enumerate(pieces):
            if number:
                yield Gap(certain=True)
            yield from self._block(properties, style, piece, lines if len(pieces) == 1 else 0)

    def _block(self, properties: Any, style: Style, runs: list[Run], lines: int) -> Iterator[Block | Gap]:
        marked = "".join(run.text for run in runs)
        known = joined(replace(run, text=run.text.replace(SYMBOL, "")) if SYMBOL in run.text else run for run in runs)
        text = "".join(run.text for run in known).strip()
        noted = any(run.note for run in known)
        if style.code:
            code = Run("".join(run.text for run in known), code=True)
            yield Block("code", (code,), inside=self._inside(properties, style))
        elif self._breaks and is_ornament(text, centred=style.centred) and not noted:
            self._text.without += letters(text)
            yield Block("break", inside=self._inside(properties, style))
        elif text or noted or self._is_item(properties, style):
            level = style.level if text else 0
            if level and self._lists.kind(*self._number(properties, style))[0] == "numbers":
                self._losses.add(Loss.NUMBERS)
            yield Block("heading" if level else "paragraph", known, level, self._inside(properties, style))
        else:
            self._quote = self._quote if style.quote else None
            yield Gap(lines, certain=SYMBOL in marked or style.ruled or has_border(properties))

    def _number(self, properties: Any, style: Style) -> tuple[str, int]:
        """Return the numbering of a paragraph, "" for none, and its level."""
        numbering = None if properties is None else properties.find(qn("w:numPr"))
        number = value_of(numbering, "w:numId") or style.number
        return "" if number == "0" else number, _integer(value_of(numbering, "w:ilvl"))

    def _is_item(self, properties: Any, style: Style) -> bool:
        return bool(self._number(properties, style)[0]) and not style.level

    def _inside(self, properties: Any, style: Style) -> tuple[Box, ...]:
        number, level = self._number(properties, style)
        self._quote = (self._quote or Box("quote", next(self._numbers))) if style.quote else None
        if number and not style.level:
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


_RUNS = frozenset((qn("w:r"), qn("m:oMath")))
_BLOCKS = frozenset((qn("w:p"), qn("w:tbl"), *_RUNS, *TEXTS))


def _holder(element: Any) -> Any:
    """Return the paragraph or table that an element is; of text that stands in none, what it stands in."""
    return element if element.tag in (qn("w:p"), qn("w:tbl")) else element.getparent()


def _has(element: Any, *path: str) -> bool:
    return element.find("/".join(map(qn, path))) is not None


def _goes_on(properties: Any) -> bool:
    """Return whether the end of a paragraph is marked as deleted, or it is the large first letter of the next."""
    if properties is None:
        return False
    frame = properties.find(qn("w:framePr"))
    large = frame is not None and frame.get(qn("w:dropCap")) in ("drop", "margin")
    return large or _has(properties, "w:rPr", "w:del") or _has(properties, "w:rPr", "w:moveFrom")


def _ends_page(properties: Any) -> bool:
    section = None if properties is None else properties.find(qn("w:sectPr"))
    return section is not None and value_of(section, "w:type") not in ("continuous", "nextColumn")


def _one_line(runs: Iterable[Run]) -> list[Run]:
    line = list(joined(replace(run, text=_BREAKS.sub(" ", run.text)) for run in runs))
    if line:
        line[0] = replace(line[0], text=line[0].text.lstrip())
        line[-1] = replace(line[-1], text=line[-1].text.rstrip())
    return line


def _with_whole_code(blocks: Iterable[Block]) -> Iterator[Block]:
    """Yield blocks with lines of code that follow each other as one."""
    for (kind, inside), group in groupby(blocks, key=lambda block: (block.kind, block.inside)):
        if kind == "code":
            yield Block("code", (Run("\n".join(line.text for line in group), code=True),), inside=inside)
        else:
            yield from group


def _integer(text: str) -> int:
    return min(int(text), DEEPEST_LEVEL) if text.isascii() and text.isdigit() and len(text) < 6 else 0
