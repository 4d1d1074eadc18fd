"""Word documents out of blocks."""

import io
import zipfile
from collections.abc import Sequence

from docx import Document
from docx.document import Document as DocxDocument
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt
from docx.text.paragraph import Paragraph
from docx.text.run import Run as DocxRun

from billy_mlx.manuscript.formats.archive import packed
from billy_mlx.manuscript.formats.book import Book
from billy_mlx.manuscript.formats.document import Block, Box, Run, for_xml, is_web_link
from billy_mlx.manuscript.formats.docx_lists import Numbering
from billy_mlx.manuscript.formats.docx_notes import add_notes, note_reference
from billy_mlx.manuscript.formats.plain import SCENE_BREAK

CODE = "Code"
CODE_RUN = "Inline Code"
_LONGEST_PROPERTY = 255  # characters, a limit of the format


def docx(blocks: Sequence[Block], book: Book, notes: Sequence[str] = ()) -> bytes:
    """Return a Word document; `notes` are its footnotes, numbered from 1 as the runs of `blocks` refer to them."""
    document = Document()
    _describe(document, book)
    _add_styles(document)
    if notes:
        add_notes(document, notes)
    writer = _Writer(document)
    for block in blocks:
        writer.write(block)
    return _saved(document)


class _Writer:
    def __init__(self, document: DocxDocument) -> None:
        self._document = document
        self._styles = {str(style.name): style.style_id for style in document.styles}
        self._lists = Numbering(document)
        self._begun: set[Box] = set()

    def write(self, block: Block) -> None:
        paragraph = self._document.add_paragraph()
        # By its id: python-docx goes through all styles each time one is set by name, which makes it four times slower.
        paragraph._p.style = self._styles[_style(block)]
        self._place(paragraph, block.inside)
        if block.kind == "break":
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
            paragraph.add_run(SCENE_BREAK)
        for run in block.runs:
            self._add(paragraph, run, within_code=block.kind == "code")

    def _place(self, paragraph: Paragraph, inside: Sequence[Box]) -> None:
        """Number the first paragraph of an item, and indent the others as far."""
        lists = [box for box in inside if box.kind in ("bullets", "numbers")]
        if not lists:
            return
        item = [box for box in inside if box.kind == "item"][-1]
        if item in self._begun:
            paragraph.paragraph_format.left_indent = self._lists.indent(len(lists) - 1)
        else:
            self._lists.number(paragraph, lists[-1], len(lists) - 1)
            self._begun.update(box for box in inside if box.kind == "item")

    def _add(self, paragraph: Paragraph, run: Run, *, within_code: bool) -> None:
        if run.note is not None:
            note_reference(paragraph, run.note)
            return
        added = paragraph.add_run(for_xml(run.text))
        added.bold = run.strong or None
        added.italic = run.emphasis or None
        if run.code and not within_code:
            added._r.style = self._styles[CODE_RUN]
        if is_web_link(run.link):
            _link(paragraph, added, run.link)


def _style(block: Block) -> str:
    kinds = {box.kind for box in block.inside}
    match block.kind:
        case "heading":
            return f"Heading {block.level}"
        case "code":
            return CODE
    if "quote" in kinds:
        return "Quote"
    return "List Paragraph" if "item" in kinds else "Normal"


def _link(paragraph: Paragraph, run: DocxRun, link: str) -> None:
    element = OxmlElement("w:hyperlink")
    element.set(qn("r:id"), paragraph.part.relate_to(link, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
    run.font.underline = True
    run._r.addprevious(element)
    element.append(run._r)


def _describe(document: DocxDocument, book: Book) -> None:
    about = document.core_properties
    about.title = for_xml(book.title)[:_LONGEST_PROPERTY]
    about.author = about.last_modified_by = for_xml(book.author)[:_LONGEST_PROPERTY]
    about.language = book.language_tag
    about.comments = ""
    about.created = about.modified = book.utc


def _add_styles(document: DocxDocument) -> None:
    code = document.styles.add_style(CODE, WD_STYLE_TYPE.PARAGRAPH)
    inline = document.styles.add_style(CODE_RUN, WD_STYLE_TYPE.CHARACTER)
    for style in (code, inline):
        style.font.name = "Courier New"
        style.font.size = Pt(10)


def _saved(document: DocxDocument) -> bytes:
    """Return the file without the time at which it was made, which would make every export another file."""
    file = io.BytesIO()
    document.save(file)
    with zipfile.ZipFile(file) as archive:
        return packed((part.filename, archive.read(part)) for part in archive.infolist())
