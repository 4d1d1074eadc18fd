"""Footnotes of a Word document, for which python-docx has no part of its own."""

from collections.abc import Callable, Mapping, Sequence

from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import XmlPart
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.shared import Pt
from docx.text.paragraph import Paragraph

from billy_mlx.formats.documents.document import Block, Run

_TEXT, _REFERENCE = "footnote text", "footnote reference"
_TEXT_ID, _REFERENCE_ID = "FootnoteText", "FootnoteReference"
# Word wants these two in every document with footnotes: the line above them, and the one where a note goes on.
_SEPARATORS = "".join(
    f'<w:footnote w:type="{kind}" w:id="{number}"><w:p><w:r><w:{kind}/></w:r></w:p></w:footnote>'
    for number, kind in ((-1, "separator"), (0, "continuationSeparator"))
)


class Footnotes:
    """The footnotes of one document.

    Args:
        document: it gets a part for them, if there are any.
        notes: their blocks by their labels, in the order of their numbers.
        add: adds a run to a paragraph.
    """

    def __init__(
        self, document: Document, notes: Mapping[str, Sequence[Block]], add: Callable[[Paragraph, Run], None]
    ) -> None:
        self._numbers = {label: number for number, label in enumerate(notes, start=1)}
        self._referred: set[str] = set()
        if not notes:
            return
        _add_styles(document)
        element = parse_xml(f"<w:footnotes {nsdecls('w')}>{_SEPARATORS}</w:footnotes>")
        part = XmlPart(PackURI("/word/footnotes.xml"), CONTENT_TYPE.WML_FOOTNOTES, element, document.part.package)
        document.part.relate_to(part, RELATIONSHIP_TYPE.FOOTNOTES)
        for number, blocks in enumerate(notes.values(), start=1):
            note = OxmlElement("w:footnote", {qn("w:id"): str(number)})
            element.append(note)
            for block in blocks or (Block("paragraph"),):
                self._add_block(note, part, block, add)

    def refer(self, paragraph: Paragraph, label: str) -> None:
        """Add to a paragraph the raised number of a footnote; the second time it points to where the first is."""
        number = str(self._numbers[label])
        if label in self._referred:
            field = OxmlElement("w:fldSimple", {qn("w:instr"): f" NOTEREF _note{number} \\f "})
            field.append(_raised(paragraph, OxmlElement("w:t"), number))
            paragraph._p.append(field)
            return
        self._referred.add(label)
        named = {qn("w:id"): number, qn("w:name"): f"_note{number}"}
        paragraph._p.append(OxmlElement("w:bookmarkStart", named))
        _raised(paragraph, OxmlElement("w:footnoteReference", {qn("w:id"): number}))
        paragraph._p.append(OxmlElement("w:bookmarkEnd", {qn("w:id"): number}))

    def _add_block(
        self, note: BaseOxmlElement, part: XmlPart, block: Block, add: Callable[[Paragraph, Run], None]
    ) -> None:
        element = OxmlElement("w:p")
        is_first = len(note) == 0
        note.append(element)
        paragraph = Paragraph(element, part)  # of a parent it asks its part alone
        element.style = _TEXT_ID
        if is_first:
            _raised(paragraph, OxmlElement("w:footnoteRef"))
            paragraph.add_run(" ")
        for run in block.runs:
            add(paragraph, run)


def _raised(paragraph: Paragraph, content: BaseOxmlElement, text: str = "") -> BaseOxmlElement:
    """Add a run with `content` to a paragraph in the style of references, and return the run."""
    run = paragraph.add_run()
    run._r.style = _REFERENCE_ID
    content.text = text or None
    run._r.append(content)
    return run._r


def _add_styles(document: Document) -> None:
    text = document.styles.add_style(_TEXT, WD_STYLE_TYPE.PARAGRAPH, builtin=True)
    text.font.size = Pt(10)
    text.paragraph_format.line_spacing = 1.0
    text.paragraph_format.first_line_indent = None
    reference = document.styles.add_style(_REFERENCE, WD_STYLE_TYPE.CHARACTER, builtin=True)
    reference.font.superscript = True
    text.element.set(qn("w:styleId"), _TEXT_ID)
    reference.element.set(qn("w:styleId"), _REFERENCE_ID)
