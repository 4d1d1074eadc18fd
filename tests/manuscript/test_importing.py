"""What was written elsewhere comes in as Markdown, or is refused in a sentence."""

import contextlib
import io
import zipfile

import pytest
from docx import Document
from docx.enum.text import WD_BREAK
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from hypothesis import given, settings
from hypothesis import strategies as st

from billy_mlx.errors import DocumentError
from billy_mlx.formats.documents.book import Book
from billy_mlx.formats.documents.document import Block, Run
from billy_mlx.formats.documents.document import Document as Text
from billy_mlx.formats.documents.docx_styles import numberings
from billy_mlx.formats.documents.docx_text import is_ornament
from billy_mlx.formats.documents.markdown_in import document_of
from billy_mlx.formats.documents.markdown_out import markdown
from billy_mlx.manuscript.exporting import Format, Provenance, export
from billy_mlx.manuscript.importing import MAX_BYTES, read_document
from billy_mlx.manuscript.prose import UNKNOWN, Author, Prose

TEXT = """# One *two*

It was a **dark** night, *quiet* and `code`.

> A quotation

- first
- second
  1. third
  2. fourth

***

## Two

1\\. no list, a\\*b, snake_case and a [link](<https://example.org/a?b=1>).

\\# no heading

```
a <fence>
  of two lines
```
"""


def word(text):
    return export(Prose.by(UNKNOWN, text), Format.DOCX, Book())["docx"]


def saved(document):
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def test_a_word_document_comes_back_as_the_markdown_it_was():
    assert read_document(word(TEXT), "novel.docx") == read_document(TEXT.encode(), "novel.md")


def test_runs_that_word_has_split_become_one_again():
    document = Document()
    paragraph = document.add_paragraph("be")
    for piece in ("fo", "re", " it"):
        paragraph.add_run(piece).bold = True
    assert read_document(saved(document), "x.docx").text == "be**fore it**\n"


def test_white_space_and_punctuation_never_turn_marks_into_text():
    document = Document()
    for pieces in (("\tIndented", " "), ("    four", "\n"), ("No.", "Yes"), ("a ", "b"), ("“x”", "é")):
        paragraph = document.add_paragraph()
        for piece in pieces:
            paragraph.add_run(piece).bold = piece is pieces[0]
    assert read_document(saved(document), "x.docx").text == (
        "**Indented**\n\n**four**\n\n**No**.Yes\n\n**a** b\n\n**“x**”é\n"
    )


PIECES = st.text(st.sampled_from("ab é灯。,.“”*_` \t\n\\(&"), min_size=1, max_size=4)


@settings(max_examples=100)
@given(st.lists(st.builds(Run, PIECES, st.booleans(), st.booleans()), min_size=1, max_size=5))
def test_no_letter_is_lost_or_added_however_runs_are_styled(runs):
    blocks = document_of(markdown(Text((Block("paragraph", tuple(runs)),)))).blocks
    assert "".join(block.text for block in blocks).split() == "".join(run.text for run in runs).split()
    assert {block.kind for block in blocks} <= {"paragraph"}


def test_styles_of_letters_count_as_bold_and_italics():
    document = Document()
    paragraph = document.add_paragraph()
    for text, style in (("all", "Strong"), ("the", None), ("more", "Emphasis")):
        paragraph.add_run(text, style=style)
    assert read_document(saved(document), "x.docx").text == "**all**the*more*\n"


def test_a_page_ends_without_a_trace_and_text_boxes_are_said_to_be_left_out():
    document = Document()
    run = document.add_paragraph("one").add_run()
    run.add_break(WD_BREAK.PAGE)
    box = f"<w:pict {nsdecls('w')}><w:txbxContent><w:p><w:r><w:t>box</w:t></w:r></w:p></w:txbxContent></w:pict>"
    run._r.append(parse_xml(box))
    imported = read_document(saved(document), "x.docx")
    assert (imported.text, imported.notes) == ("one\n", ("pictures and text boxes were left out: 1 (3 letters)",))


def test_tracked_changes_are_taken_as_accepted_and_said():
    document = Document()
    paragraph = document.add_paragraph("old ")._p
    kinds = (("ins", "t", "new"), ("del", "delText", "gone"))
    for kind, tag, text in kinds:
        paragraph.append(parse_xml(f"<w:{kind} {nsdecls('w')}><w:r><w:{tag}>{text}</w:{tag}></w:r></w:{kind}>"))
    imported = read_document(saved(document), "x.docx")
    assert imported.text == "old new\n"
    assert "marked as deleted was left out (4 letters)" in imported.notes[0]


def test_tables_are_lines_and_footnotes_are_notes():
    files = export(Prose.by(Author(1), "By a model."), Format.DOCX, Book(), provenance=Provenance.FOOTNOTES)
    document = Document(io.BytesIO(files["docx"]))
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "a", "b"
    table.cell(0, 1).add_table(1, 1).cell(0, 0).text = "in b"
    imported = read_document(saved(document), "x.docx")
    note = "From “By a model.” to here, 3 words: a model, not recorded how."
    assert imported.text == f"By a model.[^1]\n\na | b in b\n\n[^1]: {note}\n"
    assert imported.notes == ("tables became lines of text",)


WORDS = st.text(st.sampled_from("abc é灯*_`[]<>#&!\\1.)-+=~"), min_size=1, max_size=20).filter(
    lambda text: text.strip() and not is_ornament(text.strip(), centred=False)
)


@pytest.mark.slow
@settings(max_examples=150)
@given(paragraphs=st.lists(WORDS, min_size=1, max_size=4))
def test_what_looks_like_markup_in_word_stays_text(paragraphs):
    document = Document()
    for text in paragraphs:
        document.add_paragraph(" ".join(text.split()))
    blocks = document_of(read_document(saved(document), "x.docx").text).blocks
    assert [block.text for block in blocks] == [" ".join(text.split()) for text in paragraphs]
    assert {block.kind for block in blocks} == {"paragraph"}


@settings(max_examples=100)
@given(st.text(st.sampled_from("ab *_#>-1.\n`[]()"), max_size=60))
def test_markdown_that_was_written_once_stays_as_it_is(text):
    once = markdown(document_of(text))
    twice = markdown(document_of(once))
    assert [block.text.split() for block in document_of(once).blocks] == [
        block.text.split() for block in document_of(twice).blocks
    ]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain \xc3\xa9\r\n", "plain é\r\n"),
        (b"\xef\xbb\xbfbom", "bom"),
        ("wide é".encode("utf-16"), "wide é"),
        (b"\xfe\xff" + "big".encode("utf-16-be"), "big"),
    ],
)
def test_text_comes_in_as_it_is(data, text):
    assert read_document(data, "x.md").text == text


def test_another_encoding_is_guessed_and_said():
    text = "Der Leuchtturmwärter zählte die Lichter über dem Hafen, bis der Morgen kam. " * 5
    imported = read_document(text.encode("cp1252"), "x.md")
    assert imported.text == text
    assert "not UTF-8" in imported.notes[0]


def test_a_long_text_is_guessed_without_a_letter_cut_in_two():
    text = "a" + "灯塔守望者看着海面，数着没有回来的船。\n" * 2000
    assert read_document(text.encode("gb18030"), "x.md").text == text


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Le phare était éteint, et la mer, très noire, montait déjà jusqu’à la porte.\n"),
        ("cp1252", "“I don’t know,” she said — at the café.\n"),
        ("cp1250", "Latarnik liczył światła nad portem, aż nadszedł świt, i zgasił lampę.\n"),
        ("cp1251", "Смотритель маяка считал огни над гаванью до самого утра.\n"),
        ("koi8_r", "Смотритель маяка считал огни над гаванью до самого утра.\n"),
        ("cp932", "灯台守は港の灯りを数えた。\n"),
        ("gb18030", "灯塔看守人数着港口的灯光，直到天亮。\n"),
    ],
)
def test_encodings_of_old_files_are_told_apart(encoding, text):
    assert read_document((text * 10).encode(encoding), "x.md").text == text * 10


def test_an_encoding_is_told_by_its_letters_however_late_they_come():
    text = "It was a dark night.\n" * 5_000 + "Der Leuchtturmwärter zählte die Lichter über dem Hafen.\n" * 20
    assert read_document(text.encode("cp1252"), "x.md").text == text


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"%PDF-1.7", "is a PDF"),
        (b"{\\rtf1", "Rich Text"),
        (b"\xd0\xcf\x11\xe0", "old format of Word"),
        ("zero bytes".encode("utf-16-le"), "zero bytes in it"),
        (b"PK\x03\x04 not a zip", "damaged"),
        (b"x" * (MAX_BYTES + 1), "more than 64 MiB"),
    ],
)
def test_what_cannot_be_read_is_named_with_a_way_on(data, why):
    with pytest.raises(DocumentError, match=why):
        read_document(data, "novel.docx" if data[:2] == b"PK" else "novel.txt")


def zipped(method=zipfile.ZIP_DEFLATED, **parts):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/"), content)
    return file.getvalue()


def test_a_zip_bomb_is_refused():
    with pytest.raises(DocumentError, match="unpacks to more than 64 MiB"):
        read_document(zipped(**{"word__document.xml": bytes(70 << 20)}), "x.docx")


def test_what_unpacks_without_a_limit_is_not_unpacked():
    with pytest.raises(DocumentError, match="damaged"):
        read_document(zipped(zipfile.ZIP_BZIP2, **{"word__document.xml": bytes(1 << 20)}), "x.docx")


def test_more_tags_than_a_book_has_are_refused():
    with pytest.raises(DocumentError, match="too large to be taken in"):
        read_document(zipped(**{"word__document.xml": b"<a/>" * 2_000_001}), "x.docx")


def test_a_list_has_no_more_levels_than_word_gives_it():
    levels = "".join(f'<w:lvl w:ilvl="{level}"/>' for level in range(2000))
    numbers = "".join(f'<w:num w:numId="{n}"><w:abstractNumId w:val="0"/></w:num>' for n in range(2000))
    lists = f'<w:numbering {nsdecls("w")}><w:abstractNum w:abstractNumId="0">{levels}</w:abstractNum>{numbers}'
    assert len(numberings(parse_xml(lists + "</w:numbering>")).kinds) == 2000 * 9


def test_an_entity_bomb_is_refused_or_harmless():
    bomb = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'>" + "".join(
        f"<!ENTITY {letter} '{'&' + before + ';'}{'&' + before + ';'}'>"
        for before, letter in zip("abcdefghijklmnopqrstuvwx", "bcdefghijklmnopqrstuvwxy", strict=True)
    )
    document = f"{bomb}]><w:document {nsdecls('w')}><w:body><w:p><w:r><w:t>&y;</w:t></w:r></w:p></w:body></w:document>"
    with contextlib.suppress(DocumentError):
        assert len(read_document(zipped(**{"word__document.xml": document}), "x.docx").text) < 1000


@settings(max_examples=150)
@given(data=st.data())
def test_damaged_word_documents_are_a_sentence_or_a_text(sample, data):
    damaged = bytearray(sample)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(DocumentError):
        assert isinstance(read_document(bytes(damaged[: data.draw(st.integers(0, len(damaged)))]), "x.docx").text, str)


@pytest.fixture(scope="module")
def sample():
    return word(TEXT)
