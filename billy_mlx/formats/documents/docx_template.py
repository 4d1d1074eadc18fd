"""How a Word document looks: its styles, its title page, and what stands at the edge of its pages."""

from dataclasses import dataclass

from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Inches, Length, Mm, Pt, RGBColor
from docx.styles.style import BaseStyle, ParagraphStyle
from docx.text.paragraph import Paragraph

from billy_mlx.formats.documents.book import Book, Template
from billy_mlx.formats.documents.document import cut, for_xml

TITLE, BYLINE, BODY, FIRST, BREAK = "Title", "Byline", "Body Text", "First Paragraph", "Scene Break"
VERSE = "Verse"
QUOTE, ITEM, CODE, CODE_RUN = "Quote", "List Paragraph", "Code", "Inline Code"
_BLACK = RGBColor(0, 0, 0)
_INDENT = Inches(0.5)
_US = ("en", "en-US", "en-CA")  # where paper is of the size Letter
_ROUNDED_TO_THOUSANDS = 17_500  # words, from which on a manuscript counts as long
_LONGEST_HEADER = 40  # characters of a title


@dataclass(frozen=True)
class _Look:
    line_spacing: float
    scene_break: str
    above_chapter: Length


_LOOKS = {
    Template.BOOK: _Look(1.5, "* * *", Pt(72)),
    Template.SHUNN: _Look(2.0, "#", Pt(144)),
}


class PageSetup:
    """The look of one document.

    Args:
        document: its styles, paper, header and footer are set.
        book: its title and author stand on the first page, if there are any.
        template: which look.
        words: of the text, for the first page of a manuscript for editors.
        chapters: whether it has several, so that the first page has the title alone.
    """

    def __init__(self, document: Document, book: Book, template: Template, *, words: int, chapters: bool) -> None:
        self._document = document
        self._look = _LOOKS[template]
        self._title, self._author = _line(book.title), _line(book.author)
        self._shunn = template is Template.SHUNN
        self._alone = chapters or not self._shunn
        self._words = words
        _set_language(document, book)
        _set_paper(document, book)
        self._set_styles()
        self._set_edges()

    @property
    def scene_break(self) -> str:
        """What stands between scenes."""
        return self._look.scene_break

    def begin(self) -> bool:
        """Write the title; return whether the text has to begin on a new page."""
        if not self._title and not self._author:
            return False
        if self._shunn:
            about = self._document.add_paragraph(f"{self._author}\t{_about(self._words)}")
            about.paragraph_format.tab_stops.add_tab_stop(self._width, WD_TAB_ALIGNMENT.RIGHT)
            about.paragraph_format.line_spacing = 1.0
        if self._title:
            self._document.add_paragraph(self._title, TITLE)
        if self._author:
            by = self._author if not self._shunn else f"by {self._author}"
            self._document.add_paragraph(by, BYLINE)
        return self._alone

    @property
    def _width(self) -> Length:
        section = self._document.sections[0]
        lengths = section.page_width, section.left_margin, section.right_margin
        return Length(int(lengths[0] or 0) - int(lengths[1] or 0) - int(lengths[2] or 0))

    def _set_styles(self) -> None:
        spacing = self._look.line_spacing
        _style(self._document, "Normal", spacing=spacing)
        _style(self._document, BODY, indent=_INDENT)
        _style(self._document, FIRST, based_on=BODY, indent=Length(0))
        _style(self._document, VERSE, before=Pt(12), after=Pt(12)).paragraph_format.left_indent = _INDENT
        _style(self._document, BREAK, centred=True, before=Pt(12), after=Pt(12), keep=True)
        _style(self._document, TITLE, size=Pt(12 if self._shunn else 24), centred=True, before=Pt(200), after=Pt(12))
        _style(self._document, BYLINE, centred=True, after=Pt(24))
        _style(self._document, QUOTE).paragraph_format.left_indent = _INDENT
        self._document.styles[QUOTE].paragraph_format.right_indent = _INDENT
        _style(self._document, ITEM).paragraph_format.left_indent = _INDENT
        for level in range(2, 10):
            size = Pt(12) if self._shunn else Pt(max(12, 18 - 2 * level))
            heading = _style(self._document, f"Heading {level}", size=size, before=Pt(18), after=Pt(12), keep=True)
            heading.font.bold = not self._shunn
            _add(heading, "w:outlineLvl", str(level - 1))
            heading.next_paragraph_style = self._document.styles[FIRST]
        size, above = Pt(12 if self._shunn else 18), self._look.above_chapter
        chapter = _style(self._document, "Heading 1", size=size, before=above, after=Pt(36), centred=True, keep=True)
        chapter.paragraph_format.page_break_before = True
        _add(chapter, "w:outlineLvl", "0")
        for name, kind in ((CODE, WD_STYLE_TYPE.PARAGRAPH), (CODE_RUN, WD_STYLE_TYPE.CHARACTER)):
            code = self._document.styles.add_style(name, kind)
            code.font.name, code.font.size = "Courier New", Pt(10)

    def _set_edges(self) -> None:
        section = self._document.sections[0]
        if self._title or self._author:
            section.different_first_page_header_footer = True
        if self._shunn:
            surname = self._author.rsplit(" ", 1)[-1]
            known = [part for part in (surname, cut(self._title, _LONGEST_HEADER)) if part]
            edge = section.header.paragraphs[0]
            edge.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            edge.add_run("".join(f"{part} / " for part in known))
        else:
            edge = section.footer.paragraphs[0]
            edge.alignment = WD_ALIGN_PARAGRAPH.CENTER
        _add_page_number(edge)


def _style(
    document: Document,
    name: str,
    *,
    based_on: str = "",
    size: Length | None = None,
    spacing: float | None = None,
    indent: Length | None = None,
    centred: bool = False,
    before: Length | None = None,
    after: Length | None = None,
    keep: bool = False,
) -> ParagraphStyle:
    """Return a style that is as told and otherwise like the one it is based on, whatever it was before."""
    style: BaseStyle
    if name in document.styles:
        style = document.styles[name]
        for part in (style.element.pPr, style.element.rPr):
            if part is not None:
                style.element.remove(part)
    else:
        style = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.element.basedOn_val = document.styles[based_on or "Normal"].style_id
    assert isinstance(style, ParagraphStyle)  # as every style of that name is
    style.font.name, style.font.size = "Times New Roman", size or Pt(12)
    style.font.color.rgb = _BLACK
    style.element.rPr.append(OxmlElement("w:szCs", {qn("w:val"): str(2 * int((size or Pt(12)).pt))}))
    paragraphs = style.paragraph_format
    paragraphs.space_before, paragraphs.space_after = before or Pt(0), after or Pt(0)
    paragraphs.line_spacing, paragraphs.first_line_indent = spacing, indent
    if keep:
        paragraphs.keep_with_next = True
    if centred:
        paragraphs.alignment = WD_ALIGN_PARAGRAPH.CENTER
    return style


def _add(style: BaseStyle, name: str, value: str) -> None:
    style.element.get_or_add_pPr().append(OxmlElement(name, {qn("w:val"): value}))


def _set_language(document: Document, book: Book) -> None:
    defaults = document.styles.element.find(f".//{qn('w:rPrDefault')}/{qn('w:rPr')}")
    spoken = None if defaults is None else defaults.find(qn("w:lang"))
    if spoken is None or book.language_tag == "und":
        return
    spoken.set(qn("w:val"), book.language_tag)
    if book.direction == "rtl":
        spoken.set(qn("w:bidi"), book.language_tag)
        spoken.addprevious(OxmlElement("w:rtl"))
        document.styles.element.find(f".//{qn('w:pPrDefault')}/{qn('w:pPr')}").insert(0, OxmlElement("w:bidi"))


def _set_paper(document: Document, book: Book) -> None:
    section = document.sections[0]
    if book.language_tag not in _US:
        section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Inches(1)


def _add_page_number(paragraph: Paragraph) -> None:
    field = OxmlElement("w:fldSimple", {qn("w:instr"): " PAGE "})
    field.append(paragraph.add_run()._r)  # whoever opens it puts the number there
    paragraph._p.append(field)


def _about(words: int) -> str:
    unit = 1 if words < 100 else 100 if words < _ROUNDED_TO_THOUSANDS else 1000
    return f"about {round(words / unit) * unit:,} words" if unit > 1 else f"{words} word{'s' * (words != 1)}"


def _line(text: str) -> str:
    return " ".join(for_xml(text).split())
