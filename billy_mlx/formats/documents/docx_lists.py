"""The lists of a Word document: each has its own numbering, or the second would go on where the first ended."""

from docx.document import Document
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.shared import Length, Twips
from docx.text.paragraph import Paragraph

from billy_mlx.formats.documents.document import Box

_DEEPEST = 8
_STEP = 360  # twips
_BULLETS = "•◦▪"


class Numbering:
    """The numberings of one document."""

    def __init__(self, document: Document) -> None:
        self._element: BaseOxmlElement = document.part.numbering_part.element
        self._kinds: dict[str, int] = {}
        self._numbers: dict[tuple[Box, int], int] = {}

    def indent(self, level: int) -> Length:
        """Return how far the text of an item is indented; `level` 0 is the outermost."""
        return Twips(_STEP * (min(level, _DEEPEST) + 2))

    def number(self, paragraph: Paragraph, box: Box, level: int) -> None:
        """Make a paragraph an item of the list `box`."""
        level = min(level, _DEEPEST)
        properties = paragraph._p.get_or_add_pPr().get_or_add_numPr()
        properties.get_or_add_ilvl().val = level
        properties.get_or_add_numId().val = self._number(box, level)

    def _number(self, box: Box, level: int) -> int:
        if (box, level) not in self._numbers:
            number = self._element.add_num(self._kind(box.kind))
            if box.kind == "numbers":
                number.add_lvlOverride(ilvl=level).add_startOverride(min(box.first, 2**31 - 1))
            self._numbers[box, level] = number.numId
        return self._numbers[box, level]

    def _kind(self, kind: str) -> int:
        """Return the number of the definition of a kind of list; definitions come before all numberings."""
        if kind not in self._kinds:
            taken = [int(found.get(qn("w:abstractNumId"))) for found in self._element.findall(qn("w:abstractNum"))]
            self._kinds[kind] = max(taken, default=-1) + 1
            self._element.insert(len(taken), _definition(self._kinds[kind], numbered=kind == "numbers"))
        return self._kinds[kind]


def _definition(number: int, *, numbered: bool) -> BaseOxmlElement:
    levels = "".join(
        f'<w:lvl w:ilvl="{level}"><w:start w:val="1"/><w:numFmt w:val="{"decimal" if numbered else "bullet"}"/>'
        f'<w:lvlText w:val="{f"%{level + 1}." if numbered else _BULLETS[level % 3]}"/><w:lvlJc w:val="left"/>'
        f'<w:pPr><w:ind w:left="{_STEP * (level + 2)}" w:hanging="{_STEP}"/></w:pPr></w:lvl>'
        for level in range(_DEEPEST + 1)
    )
    return parse_xml(
        f'<w:abstractNum {nsdecls("w")} w:abstractNumId="{number}">'
        f'<w:multiLevelType w:val="hybridMultilevel"/>{levels}</w:abstractNum>'
    )
