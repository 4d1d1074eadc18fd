"""billy import and billy export: what comes in, what goes out, and what is said to be left out."""

import io
import json
import os
import stat
import sys
import zipfile

import pytest
from docx import Document

from billy_mlx.formats.documents.book import Template
from billy_mlx.formats.documents.paragraphs import Paragraphs
from billy_mlx.manuscript.exporting import Edition, keep_edition
from billy_mlx.manuscript.manuscript import Manuscript

BEFORE = "---\ntitle: The Lamp\nauthor: A. Writer\nlang: de\n---\n\n"
BOOK = BEFORE + "# One\n\nIt was *dark*.\n\n<!-- not this one -->\n\n# Two\n\nShe ran.\n"


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "book.md"
    path.write_text(BOOK)
    return path


@pytest.fixture
def png(tmp_path):
    path = tmp_path / "cover.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n and more")
    return path


def words_of(path):
    return [paragraph.text for paragraph in Document(str(path)).paragraphs]


def test_a_plain_text_becomes_a_text_of_ones_own_and_goes_out_as_it_was(billy, tmp_path):
    source, text, out = tmp_path / "x.txt", tmp_path / "x.md", tmp_path / "y.txt"
    source.write_text("- Hola - dijo Ana.\n- Adiós.\n1984. f**k\n")
    done = billy("import", str(source), "-o", str(text))
    assert (done.code, done.out) == (0, "")
    assert "billy: each line was taken for a paragraph\n" in done.err
    assert f"billy: {text} is written; to continue it, run: billy write {text}\n" in done.err
    assert billy("export", str(text), "-o", str(out)).code == 0
    assert out.read_text() == "- Hola - dijo Ana.\n\n- Adiós.\n\n1984. f**k\n"


def test_paragraphs_are_told_apart_as_is_asked(billy, tmp_path):
    source = tmp_path / "x.txt"
    source.write_text("One\ntwo.\n\nThree.\n")
    assert billy("import", str(source), "-o", "-", "--paragraphs", "line").out == "One\n\ntwo.\n\nThree.\n"
    assert billy("import", str(source), "-o", "-", "--paragraphs", "wrapped").out == "One two.\n\nThree.\n"


def test_a_word_document_comes_in_and_goes_out(billy, tmp_path):
    document = Document()
    document.add_heading("One", 1)
    document.add_paragraph("It was dark.")
    document.save(str(tmp_path / "in.docx"))
    assert billy("import", str(tmp_path / "in.docx"), "-o", str(tmp_path / "in.md")).code == 0
    assert (tmp_path / "in.md").read_text() == "# One\n\nIt was dark.\n"
    assert billy("export", str(tmp_path / "in.md"), "-o", str(tmp_path / "out.docx")).code == 0
    assert words_of(tmp_path / "out.docx") == ["One", "It was dark."]


def test_what_stands_before_a_text_fills_the_book_and_is_not_in_it(billy, book, tmp_path):
    done = billy("export", str(book), "-o", str(tmp_path / "book.epub"))
    assert "1 comment left out, with 3 words" in done.err
    assert "what stands before the text between lines of hyphens, 8 words, is not part of it" in done.err
    with zipfile.ZipFile(tmp_path / "book.epub") as epub:
        package, first = (epub.read(f"book/{name}").decode() for name in ("package.opf", "chapter-1.xhtml"))
    assert "<dc:title>The Lamp</dc:title>" in package
    assert "<dc:language>de</dc:language>" in package
    assert "A. Writer" in package
    assert "title: The Lamp" not in first
    assert book.read_text() == BOOK
    billy(
        "export", str(book), "-o", str(tmp_path / "own.epub"), "--title", "Mine", "--author", "Me", "--language", "en"
    )
    with zipfile.ZipFile(tmp_path / "own.epub") as epub:
        assert "<dc:title>Mine</dc:title>" in epub.read("book/package.opf").decode()


def test_a_page_is_one_file_with_its_style(billy, book):
    page = billy("export", str(book), "-o", "-", "--to", "html").out
    assert page.startswith("<!DOCTYPE html>")
    assert '<html lang="de" dir="ltr">' in page
    assert "<p>It was <em>dark</em>.</p>" in page
    assert "not this one" not in page


def test_each_line_of_dialogue_is_a_paragraph(billy, tmp_path):
    text = tmp_path / "talk.md"
    text.write_text("“Hi,” she said.\n“Hello,” he said.\nThey left.\n")
    billy("export", str(text), "-o", str(tmp_path / "talk.docx"))
    assert words_of(tmp_path / "talk.docx") == ["“Hi,” she said.", "“Hello,” he said.", "They left."]
    page = billy("export", str(text), "-o", "-", "--to", "html", "--paragraphs", "wrapped").out
    assert page.count("<p>") == 1


def test_a_check_writes_nothing_and_says_the_same(billy, book, tmp_path):
    out = tmp_path / "x.docx"
    done = billy("export", str(book), "-o", str(out), "--check", "--json")
    document = json.loads(done.out)
    assert (document["file"], document["format"], document["paragraphs"]) == (None, "docx", "blank")
    assert document["notes"][0] == "1 comment left out, with 3 words"
    assert "1 comment left out" in done.err
    source = tmp_path / "x.txt"
    source.write_bytes(b"Gut \xe2\x80\x9eja\xe2\x80\x9c.\xff\n")
    done = billy("import", str(source), "--check", "--json")
    assert "line 1 of x.txt has 1 byte that is no text" in json.loads(done.out)["notes"][0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["book.md", "x.txt"]


def test_stdin_and_stdout_are_files_as_well(billy, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"# One\n\nHe *ran*.\n")))
    assert billy("export", "-", "-o", "-", "--to", "txt").out == "One\n\nHe ran.\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"5*3\n")))
    assert billy("import", "-", "-o", "-").out == "5\\*3\n"


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("export", "{book}", "-o", "x.pages"), 2, "nothing says as what to write it; give --to, of docx, epub"),
        (("export", "{book}", "-o", "{book}"), 2, "is there already; give another name, or --force"),
        (("export", "{tmp}/none.md", "-o", "{tmp}/x.txt"), 1, "there is no"),
        (("export", "{book}", "-o", "{tmp}/no/x.txt"), 1, "was not written: No such file or directory; choose another"),
        (("import", "{tmp}/none.txt", "-o", "-"), 1, "cannot be read: No such file or directory; give the path"),
        (("import", "{book}"), 2, "nothing says where to write the text; give -o TEXT.md, or -o - for stdout"),
        (("import", "{tmp}/kade.lorebook"), 1, "kade.lorebook holds a lorebook, which is no text; open a text in the"),
        (("import", "{tmp}", "-o", "-"), 1, "cannot be read: Is a directory"),
        (("import", "{book}", "-o", "-", "--json"), 2, "--json and -o - are both for stdout"),
        (("export", "{book}", "--to", "txt", "-o", "-", "--json"), 2, "--json and -o - are both for stdout"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(billy, book, tmp_path, arguments, code, sentence):
    (tmp_path / "kade.lorebook").write_text('{"lorebookVersion": 5, "entries": [{"text": "A smith.", "keys": ["k"]}]}')
    done = billy(*(each.format(book=book, tmp=tmp_path) for each in arguments))
    assert (done.code, done.out) == (code, "")
    *notes, said = done.err.splitlines()
    assert sentence in said
    assert all(" left out" in note or "is not part of it" in note for note in notes)
    assert book.read_text() == BOOK


def test_a_word_document_looks_as_is_asked_and_a_book_has_its_cover(billy, book, tmp_path, png):
    out = tmp_path / "book.docx"
    assert billy("export", str(book), "-o", str(out), "--template", "shunn").code == 0
    assert "by A. Writer" in words_of(out)
    told = ["--cover", str(png), "--description", "About it"]
    assert billy("export", str(book), "-o", str(tmp_path / "book.epub"), *told).code == 0
    with zipfile.ZipFile(tmp_path / "book.epub") as epub:
        assert epub.read("book/cover.png") == png.read_bytes()
        assert "About it" in epub.read("book/package.opf").decode()
    done = billy("export", str(book), "-o", str(tmp_path / "book.html"), *told)
    assert "billy: the cover left out; only an EPUB has one\n" in done.err


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("none.png", "cannot be read: No such file or directory; choose another"),
        ("book.md", "is no JPEG, PNG, GIF or WebP picture; choose one that is"),
        (".", "cannot be read: Is a directory; choose another"),
    ],
)
def test_what_is_no_cover_is_refused(billy, book, tmp_path, name, sentence):
    done = billy("export", str(book), "-o", str(tmp_path / "x.epub"), "--cover", str(tmp_path / name))
    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines()[-1].endswith(sentence)
    assert not (tmp_path / "x.epub").exists()


def test_a_cover_that_is_named_before_the_text_is_found_beside_it(billy, book, tmp_path, png):
    book.write_text(BOOK.replace("lang: de", "lang: de\ncover-image: cover.png"))
    assert billy("export", str(book), "-o", str(tmp_path / "book.epub")).code == 0
    with zipfile.ZipFile(tmp_path / "book.epub") as epub:
        assert epub.read("book/cover.png") == png.read_bytes()


def test_what_was_chosen_in_the_studio_holds_for_the_command(billy, book, tmp_path):
    manuscript = Manuscript.open(book)
    keep_edition(manuscript.folder, Edition(title="Kept", paragraphs=Paragraphs.LINE, template=Template.SHUNN))
    manuscript.close()
    done = billy("export", str(book), "-o", str(tmp_path / "x.docx"), "--json")
    assert json.loads(done.out)["paragraphs"] == "line"
    assert {"Kept", "by A. Writer"} <= set(words_of(tmp_path / "x.docx"))
    billy("export", str(book), "-o", str(tmp_path / "y.docx"), "--title", "Told", "--template", "book")
    assert {"Told", "A. Writer"} <= set(words_of(tmp_path / "y.docx"))


def test_what_is_no_file_is_neither_read_nor_replaced(billy, book, tmp_path):
    pipe, circle = tmp_path / "pipe", tmp_path / "circle"
    os.mkfifo(pipe)
    circle.symlink_to(circle)
    read = billy("import", str(pipe), "-o", "-")
    assert (read.code, read.out) == (1, "")
    assert read.err == f"billy: {pipe} is not a file; give the path of a document\n"
    written = billy("export", str(book), "-o", str(pipe), "--to", "txt", "--force")
    assert written.err.splitlines()[-1] == f"billy: {pipe} is not a file, and would be lost; give another name"
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    done = billy("export", str(book), "-o", str(circle), "--to", "txt")
    assert (done.code, "Traceback" in done.err) == (1, False)


@pytest.mark.parametrize("beginning", [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a"])
def test_a_picture_is_no_text(billy, tmp_path, beginning):
    (tmp_path / "x.txt").write_bytes(beginning + b" and more")
    done = billy("import", str(tmp_path / "x.txt"), "-o", "-")
    assert (done.code, done.err) == (1, "billy: x.txt is a picture, and no text; choose another file\n")


def test_what_is_left_out_is_said_also_where_the_text_cannot_be_written(billy, tmp_path):
    (tmp_path / "x.txt").write_text("One\ntwo.\n")
    done = billy("import", str(tmp_path / "x.txt"), "-o", str(tmp_path / "no such folder" / "x.md"))
    assert done.code == 1
    first, last = done.err.splitlines()
    assert "each line was taken for a paragraph" in first
    assert "was not written: No such file or directory" in last


def test_notes_come_before_anything_is_written(billy, book, tmp_path):
    done = billy("export", str(book), "-o", str(tmp_path / "x.txt"))
    assert done.err.splitlines()[-1] == f"billy: {tmp_path / 'x.txt'} is written"
    assert "1 comment left out, with 3 words" in done.err.splitlines()[0]
