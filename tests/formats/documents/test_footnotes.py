"""Footnotes of a manuscript: real ones in every format, and text where nothing refers to them."""

import io
import re
import zipfile

import pytest
from docx import Document as WordDocument
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from billy_mlx.formats.documents.book import Book
from billy_mlx.formats.documents.markdown_in import document_of
from billy_mlx.formats.documents.paragraphs import Paragraphs
from billy_mlx.manuscript.exporting import Format, Provenance, export
from billy_mlx.manuscript.importing import read_document
from billy_mlx.manuscript.passage import Passage, Voice
from billy_mlx.manuscript.prose import UNKNOWN, Author, Authors, Prose

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
TEXT = "It was said.[^b] And again.[^a] Once more.[^b]\n\n[^a]: Ibid., *p.* 12.\n\n[^b]: A [page](https://a.example/b)."


def body(text, way=Paragraphs.WRAPPED):
    return [block.text for block in document_of(text, way).blocks]


def made(format, text=TEXT, **options):
    return export(Prose.by(UNKNOWN, text), format, Book(), **options)[str(format)]


def part(data, name):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name)


def test_notes_are_numbered_as_they_are_referred_to():
    document = document_of(TEXT)
    assert list(document.notes) == ["b", "a"]
    assert [block.text for block in document.notes["a"]] == ["Ibid., p. 12."]
    assert [run.note for run in document.blocks[0].runs if run.note] == ["b", "a", "b"]
    assert len(document.blocks) == 1


TEXTS = [
    "[^1]: Ibid.",
    "One.[^1]",
    "One `[^1]` two.\n\n[^1]: Ibid.",
    "One \\[^1] two.\n\n[^1]: Ibid.",
    "[^1]: See [^1].",
    "A list:\n\n- [^2]: x\n\nOne.[^1]",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_note_that_nothing_refers_to_and_a_reference_to_none_are_text(text):
    document = document_of(text)
    assert document.notes == {}
    assert re.sub(r"[\s`\\-]", "", "".join(block.text for block in document.blocks)) == re.sub(r"[\s`\\-]", "", text)


def test_the_second_note_of_a_label_is_text():
    document = document_of("One.[^1]\n\n[^1]: First.\n\n[^1]: Second.")
    assert [block.text for block in document.blocks] == ["One.", "[^1]: Second."]
    assert [block.text for block in document.notes["1"]] == ["First."]


@pytest.mark.parametrize("way", list(Paragraphs))
@pytest.mark.parametrize("after", ["Next.", "\tNext.", "\nNext.", "\n# Next."])
def test_what_stands_below_a_note_is_no_part_of_it_where_lines_are_paragraphs(way, after):
    text = f"\tOne.[^1]\n[^1]: Ibid.\n{after}\n"
    goes_on = way in (Paragraphs.BLANK, Paragraphs.WRAPPED) and not after.startswith("\n")
    assert body(text, way)[1:] == ([] if goes_on else ["Next."])


def test_a_note_has_several_paragraphs_where_only_they_are_indented():
    text = "One.[^1]\n\n[^1]: First.\n\n    Second.\n\nThree."
    assert body(text) == ["One.", "Three."]
    assert [block.text for block in document_of(text).notes["1"]] == ["First.", "Second."]
    assert body("\tZero.\n\n" + text) == ["Zero.", "One.", "Second.", "Three."]


def test_a_word_document_has_real_notes_and_points_to_them_again():
    data = made(Format.DOCX)
    notes = etree.fromstring(part(data, "word/footnotes.xml"))
    assert ["".join(note.itertext()).strip() for note in notes][2:] == ["A page.", "Ibid., p. 12."]
    assert notes[3].findall(f".//{W}i")
    assert b"https://a.example/b" in part(data, "word/_rels/footnotes.xml.rels")
    text = etree.fromstring(part(data, "word/document.xml"))
    assert [one.get(f"{W}id") for one in text.iter(f"{W}footnoteReference")] == ["1", "2"]
    assert [one.get(f"{W}instr").split()[:2] for one in text.iter(f"{W}fldSimple")] == [["NOTEREF", "_note1"]]
    assert WordDocument(io.BytesIO(data)).paragraphs[0].text.startswith("It was said. And again.")


def test_notes_come_back_from_word_as_they_went_also_the_second_time():
    back = read_document(made(Format.DOCX), "x.docx")
    assert back.notes == ()
    assert back.text == (
        "It was said.[^1] And again.[^2] Once more.[^1]\n\n[^1]: A [page](<https://a.example/b>).\n\n"
        "[^2]: Ibid., *p.* 12.\n"
    )


def test_books_and_pages_link_to_notes():
    page = made(Format.HTML).decode()
    assert page.count('href="#note-1"') == 2
    assert '<aside id="note-2"><p>2. Ibid., <em>p.</em> 12.</p>' in page
    assert made(Format.PLAIN).decode() == (
        "It was said.[1] And again.[2] Once more.[1]\n\n[1] A page.\n\n[2] Ibid., p. 12.\n"
    )
    assert b'id="note-2"' in part(made(Format.EPUB), "book/chapter-1.xhtml")


def test_notes_of_the_writer_and_notes_on_who_wrote_what_are_numbered_together():
    passage = Passage("said", (1,), (Voice(0, None),), "continue", "m", {}, {}, (1,), 1, {}, 9, date="2026-01-02")
    prose = Prose(TEXT, Authors.of([(11, Author(1)), (len(TEXT) - 11, UNKNOWN)]))
    made = export(
        prose, Format.PLAIN, Book(), passages={Author(1): passage}, provenance=Provenance.FOOTNOTES
    )["txt"].decode()  # fmt: skip
    assert made.startswith(
        "It was said[1].[2] And again.[3] Once more.[2]\n\n[1] From “It was said” to here, 2 words: "
    )
    assert "\n[2] A page.\n" in made


SIGNS = st.text(st.sampled_from("ab[]^1:2. \n\t>-`*\\"), max_size=60)


@given(SIGNS, st.sampled_from(Paragraphs))
def test_no_letter_is_lost_whatever_looks_like_a_note(text, way):
    document = document_of(f"x[^1]y {text}\n\n[^1]: z\n", way)
    found = "".join(block.text for block in document.blocks)
    notes = "".join(block.text for blocks in document.notes.values() for block in blocks)
    for letter in "abxyz":
        assert (found + notes).count(letter) == (f"xyz{text}").count(letter)
