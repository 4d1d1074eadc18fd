"""Word documents out of blocks, with numbered lists and footnotes."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence

import docx as python_docx
from docx.document import Document as DocxDocument
from docx.enum.style import WD_STYLE_TYPE
from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import XmlPart
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.shared import Length, Pt, Twips
from docx.text.paragraph import Paragraph
from docx.text.run import Run as DocxRun

from billy_mlx.formats.documents.archive import packed
from billy_mlx.formats.documents.book import Book, Template
from billy_mlx.formats.documents.document import Block, Box, Document, Run, for_xml, is_web_link
from billy_mlx.formats.documents.docx_template import (
    BODY,
    BREAK,
    CODE,
    CODE_RUN,
    FIRST,
    ITEM,
    QUOTE,
    VERSE,
    PageSetup,
)
from billy_mlx.words import count_words

_LONGEST_PROPERTY = 255  # characters, a limit of the format

_DEEPEST = 8
_STEP = 360  # twips
_BULLETS = "•◦▪"

_NOTE_TEXT, _NOTE_REFERENCE = "footnote text", "footnote reference"
_NOTE_TEXT_ID, _NOTE_REFERENCE_ID = "FootnoteText", "FootnoteReference"
# Word wants these two in every document with footnotes: the line above them, and the one where a note goes on.
_SEPARATORS = "".join(
    f'<w:footnote w:type="{kind}" w:id="{number}"><w:p><w:r><w:{kind}/></w:r></w:p></w:footnote>'
    for number, kind in ((-1, "separator"), (0, "continuationSeparator"))
)


def docx(text: Document, book: Book, template: Template = Template.BOOK) -> bytes:
    """Return a Word document: title page, chapters on new pages, paragraphs indented but after a break, footnotes."""
    document = python_docx.Document()
    _describe(document, book)
    words = sum(count_words(block.text) for block in text.blocks)
    page = PageSetup(document, book, template, words=words, chapters=_has_chapters(text))
    new_page = page.begin()
    body = text.below(book.title) if book.title.strip() else text
    writer = _Writer(document, page, body)
    writer.write(new_page=new_page)
    return _saved(document)


def _has_chapters(text: Document) -> bool:
    level = text.chapter_level
    return sum(block.kind == "heading" and block.level == level and not block.inside for block in text.blocks) > 1


class _Writer:
    def __init__(self, document: DocxDocument, page: PageSetup, text: Document) -> None:
        self._document = document
        self._page = page
        self._text = text
        self._styles = {str(style.name): style.style_id for style in document.styles}
        self._lists = Numbering(document)
        self._begun: set[Box] = set()
        self._footnotes = Footnotes(document, text.notes, self._add)

    def write(self, *, new_page: bool) -> None:
        """Write all blocks, the first one at the top of a page of its own if asked to."""
        before: Block | None = None
        for block in self._text.blocks:
            paragraph = self._document.add_paragraph()
            # By its id: python-docx goes through all styles when one is set by name, which makes it four times slower.
            paragraph._p.style = self._styles[self._style(block, before)]
            self._place(paragraph, block.inside)
            if before is None and new_page:
                paragraph.paragraph_format.page_break_before = True
            if block.kind == "break":
                paragraph.add_run(self._page.scene_break)
            for run in block.runs:
                self._add(paragraph, run, within_code=block.kind == "code")
            before = block

    def _style(self, block: Block, before: Block | None) -> str:
        kinds = {box.kind for box in block.inside}
        if block.kind == "heading":
            return f"Heading {max(block.level - max(self._text.chapter_level, 1), 0) + 1}"
        if block.kind == "code":
            return CODE
        if "quote" in kinds:
            return QUOTE
        if "item" in kinds:
            return ITEM
        if block.kind == "break":
            return BREAK
        if "\n" in block.text:
            return VERSE
        goes_on = before is not None and before.kind == "paragraph" and not before.inside and "\n" not in before.text
        return BODY if goes_on else FIRST

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

    def _add(self, paragraph: Paragraph, run: Run, *, within_code: bool = False) -> None:
        if run.note:
            self._footnotes.refer(paragraph, run.note)
            return
        added = paragraph.add_run(for_xml(run.text))
        added.bold = run.strong or None
        added.italic = run.emphasis or None
        if run.code and not within_code:
            added._r.style = self._styles[CODE_RUN]
        if is_web_link(run.link):
            _link(paragraph, added, run.link)


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


def _saved(document: DocxDocument) -> bytes:
    """Return the file without the time at which it was made, which would make every export another file."""
    file = io.BytesIO()
    document.save(file)
    with zipfile.ZipFile(file) as archive:
        return packed((part.filename, archive.read(part)) for part in archive.infolist())


class Numbering:
    """The numberings of one document: one for each list, or the second would go on where the first ended."""

    def __init__(self, document: DocxDocument) -> None:
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


class Footnotes:
    """The footnotes of one document, for which python-docx has no part of its own.

    Args:
        document: it gets a part for them, if there are any.
        notes: their blocks by their labels, in the order of their numbers.
        add: adds a run to a paragraph.
    """

    def __init__(
        self, document: DocxDocument, notes: Mapping[str, Sequence[Block]], add: Callable[[Paragraph, Run], None]
    ) -> None:
        self._numbers = {label: number for number, label in enumerate(notes, start=1)}
        self._referred: set[str] = set()
        if not notes:
            return
        _add_note_styles(document)
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
        element.style = _NOTE_TEXT_ID
        if is_first:
            _raised(paragraph, OxmlElement("w:footnoteRef"))
            paragraph.add_run(" ")
        for run in block.runs:
            add(paragraph, run)


def _raised(paragraph: Paragraph, content: BaseOxmlElement, text: str = "") -> BaseOxmlElement:
    """Add a run with `content` to a paragraph in the style of references, and return the run."""
    run = paragraph.add_run()
    run._r.style = _NOTE_REFERENCE_ID
    content.text = text or None
    run._r.append(content)
    return run._r


def _add_note_styles(document: DocxDocument) -> None:
    text = document.styles.add_style(_NOTE_TEXT, WD_STYLE_TYPE.PARAGRAPH, builtin=True)
    text.font.size = Pt(10)
    text.paragraph_format.line_spacing = 1.0
    text.paragraph_format.first_line_indent = None
    reference = document.styles.add_style(_NOTE_REFERENCE, WD_STYLE_TYPE.CHARACTER, builtin=True)
    reference.font.superscript = True
    text.element.set(qn("w:styleId"), _NOTE_TEXT_ID)
    reference.element.set(qn("w:styleId"), _NOTE_REFERENCE_ID)
