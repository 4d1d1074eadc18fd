"""Word documents out of blocks."""

import io
import zipfile
from collections.abc import Sequence

import docx as python_docx
from docx.document import Document as DocxDocument
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph
from docx.text.run import Run as DocxRun

from billy_mlx.formats.documents.archive import packed
from billy_mlx.formats.documents.book import Book, Template
from billy_mlx.formats.documents.document import Block, Box, Document, Run, for_xml, is_web_link
from billy_mlx.formats.documents.docx_lists import Numbering
from billy_mlx.formats.documents.docx_notes import Footnotes
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
