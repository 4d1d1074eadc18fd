"""Footnotes of a Word document, for which python-docx has no part of its own."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import OxmlElement
from docx.oxml.ns import nsdecls, qn
from docx.shared import Pt
from docx.text.paragraph import Paragraph

from billy_mlx.manuscript.formats.document import for_xml

_TEXT, _REFERENCE = "footnote text", "footnote reference"
_TEXT_ID, _REFERENCE_ID = "FootnoteText", "FootnoteReference"
# Word wants these two in every document with footnotes: the line above them, and the one where a note goes on.
_SEPARATORS = "".join(
    f'<w:footnote w:type="{kind}" w:id="{number}"><w:p><w:r><w:{kind}/></w:r></w:p></w:footnote>'
    for number, kind in ((-1, "separator"), (0, "continuationSeparator"))
)


def add_notes(document: Document, notes: Sequence[str]) -> None:
    """Give a document the texts of its footnotes, numbered from 1."""
    _add_styles(document)
    body = "".join(_note(number, text) for number, text in enumerate(notes, start=1))
    content = (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f"<w:footnotes {nsdecls('w')}>{_SEPARATORS}{body}</w:footnotes>"
    )
    package = document.part.package
    part = Part(PackURI("/word/footnotes.xml"), CONTENT_TYPE.WML_FOOTNOTES, content.encode(), package)
    document.part.relate_to(part, RELATIONSHIP_TYPE.FOOTNOTES)


def note_reference(paragraph: Paragraph, number: int) -> None:
    """Add to a paragraph the raised number of a footnote."""
    run = paragraph.add_run()
    properties = run._r.get_or_add_rPr()
    style = OxmlElement("w:rStyle")
    style.set(qn("w:val"), _REFERENCE_ID)
    properties.append(style)
    reference = OxmlElement("w:footnoteReference")
    reference.set(qn("w:id"), str(number))
    run._r.append(reference)


def _note(number: int, text: str) -> str:
    return (
        f'<w:footnote w:id="{number}"><w:p><w:pPr><w:pStyle w:val="{_TEXT_ID}"/></w:pPr>'
        f'<w:r><w:rPr><w:rStyle w:val="{_REFERENCE_ID}"/></w:rPr><w:footnoteRef/></w:r>'
        f'<w:r><w:t xml:space="preserve"> {escape(for_xml(text))}</w:t></w:r></w:p></w:footnote>'
    )


def _add_styles(document: Document) -> None:
    text = document.styles.add_style(_TEXT, WD_STYLE_TYPE.PARAGRAPH, builtin=True)
    text.font.size = Pt(9)
    reference = document.styles.add_style(_REFERENCE, WD_STYLE_TYPE.CHARACTER, builtin=True)
    reference.font.superscript = True
    text.element.set(qn("w:styleId"), _TEXT_ID)
    reference.element.set(qn("w:styleId"), _REFERENCE_ID)
