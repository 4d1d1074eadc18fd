"""Word documents as editors and readers expect them: title page, chapters on new pages, indents, breaks."""

import io
import re
import zipfile

import pytest
from docx import Document
from docx.shared import Inches

from billy_mlx.formats.documents.book import Book, Template
from billy_mlx.manuscript.exporting import Format, export
from billy_mlx.manuscript.importing import read_document
from billy_mlx.manuscript.prose import UNKNOWN, Prose

CHAPTERS = "## One\n\nIt was dark.\n\nShe came.\n\n#\n\nIt was light.\n\nHe went.\n\n## Two\n\nThe end.\n"
NOVEL = Book("The Lamp", "Ada M. Writer")


def made(text, book=NOVEL, template=Template.BOOK):
    return export(Prose.by(UNKNOWN, text), Format.DOCX, book, template=template)["docx"]


def opened(text, book=NOVEL, template=Template.BOOK):
    return Document(io.BytesIO(made(text, book, template)))


def styled(document):
    return [(paragraph.style.name, paragraph.text) for paragraph in document.paragraphs]


def test_a_paragraph_is_indented_but_not_after_a_heading_or_a_break():
    document = opened(CHAPTERS)
    assert styled(document) == [
        ("Title", "The Lamp"),
        ("Byline", "Ada M. Writer"),
        ("Heading 1", "One"),
        ("First Paragraph", "It was dark."),
        ("Body Text", "She came."),
        ("Scene Break", "* * *"),
        ("First Paragraph", "It was light."),
        ("Body Text", "He went."),
        ("Heading 1", "Two"),
        ("First Paragraph", "The end."),
    ]
    styles = document.styles
    assert styles["Body Text"].paragraph_format.first_line_indent == Inches(0.5)
    assert styles["First Paragraph"].paragraph_format.first_line_indent == 0
    assert styles["Heading 1"].paragraph_format.page_break_before
    assert styles["Scene Break"].paragraph_format.alignment == 1


@pytest.mark.parametrize("after", ["> A quote.", "- An item.", "```\ncode\n```", "Red and\\\nblue"])
def test_a_paragraph_is_not_indented_after_anything_but_a_paragraph(after):
    document = opened(f"One.\n\n{after}\n\nTwo.\n\nThree.", Book())
    assert [name for name, _ in styled(document)][-2:] == ["First Paragraph", "Body Text"]


def test_a_text_without_chapters_begins_on_the_page_behind_the_title():
    document = opened("It was dark.\n\nShe came.")
    assert [paragraph.paragraph_format.page_break_before for paragraph in document.paragraphs] == [
        None,
        None,
        True,
        None,
    ]


def test_without_title_and_author_there_is_no_title_page():
    assert styled(opened("It was dark.", Book())) == [("First Paragraph", "It was dark.")]


@pytest.mark.parametrize(
    ("text", "headings"),
    [
        ("# The Lamp\n\n## One\n\n## Two", ["One", "Two"]),
        ("# The  *Lamp*\n\nIt was dark.", []),
        ("# The Lamp\n\n# Two", ["The Lamp", "Two"]),
        ("# Another\n\n## One\n\n## Two", ["Another", "One", "Two"]),
        ("# The Lamp[^1]\n\n[^1]: Noted.", ["The Lamp"]),
        ("> # The Lamp", ["The Lamp"]),
    ],
)
def test_a_title_is_said_once(text, headings):
    found = [paragraph.text for paragraph in opened(text).paragraphs if paragraph.style.name.startswith("Heading")]
    assert found == headings


def test_chapters_are_headings_of_the_first_level_whatever_they_are_in_the_text():
    document = opened("### One\n\n#### A\n\n### Two", Book())
    assert [name for name, _ in styled(document)] == ["Heading 1", "Heading 2", "Heading 1"]


def test_a_manuscript_for_editors_has_its_header_its_count_and_its_breaks():
    document = opened(CHAPTERS.replace("It was dark.", "It was dark. " * 100), template=Template.SHUNN)
    texts = [text for _, text in styled(document)]
    assert texts[:3] == ["Ada M. Writer\tabout 300 words", "The Lamp", "by Ada M. Writer"]
    assert ("Scene Break", "#") in styled(document)
    section = document.sections[0]
    assert section.different_first_page_header_footer
    assert section.header.paragraphs[0].text.startswith("Writer / The Lamp / ")
    assert document.styles["Normal"].paragraph_format.line_spacing == 2


def test_a_story_for_editors_begins_on_its_first_page():
    document = opened("It was dark.", template=Template.SHUNN)
    assert not any(paragraph.paragraph_format.page_break_before for paragraph in document.paragraphs)


@pytest.mark.parametrize("template", Template)
@pytest.mark.parametrize("language", ["en", "de", "ar", "pt_BR", "no such"])
def test_pages_are_numbered_and_paper_and_language_fit(template, language):
    data = made("It was dark.", Book("T", "A", language), template)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist() if name.endswith(".xml")}
    assert any(" PAGE " in part for name, part in parts.items() if re.match("word/(header|footer)", name))
    (spoken,) = re.findall(r'<w:lang w:val="([^"]*)"', parts["word/styles.xml"].split("</w:rPrDefault>")[0])
    assert spoken == {"en": "en", "de": "de", "ar": "ar", "pt_BR": "pt-BR", "no such": "en-US"}[language]
    assert ("<w:bidi/>" in parts["word/styles.xml"]) is (language == "ar")
    assert Document(io.BytesIO(data)).sections[0].page_width.inches == pytest.approx(
        8.5 if language == "en" else 8.27, abs=0.01
    )


@pytest.mark.parametrize("template", Template)
def test_what_is_exported_comes_in_again(template):
    back = read_document(made(CHAPTERS, Book(), template), "x.docx")
    assert back.notes == ()
    assert back.text == CHAPTERS.replace("## ", "# ").replace("#\n", "***\n")


def test_a_title_page_comes_in_as_the_title():
    back = read_document(made(CHAPTERS), "x.docx")
    assert back.text.startswith("# The Lamp\n\nAda M. Writer\n\n")
    assert "***\n\n# One" not in back.text
