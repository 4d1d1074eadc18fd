"""A text goes out and comes back, through our own files and through LibreOffice: every letter, in its order."""

import io
import re
import shutil
import subprocess
import zipfile
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from billy_mlx.formats.documents.book import Book
from billy_mlx.formats.documents.markdown_in import document_of
from billy_mlx.formats.documents.paragraphs import Paragraphs
from billy_mlx.manuscript.exporting import Format, export, paragraphs_of_manuscript
from billy_mlx.manuscript.importing import read_document
from billy_mlx.manuscript.prose import UNKNOWN, Prose

OFFICE_PROGRAM = shutil.which("soffice")
LATIN = "She waited for the lamp. “Where?” — it’s 1984. 5*3 f**k snake_case a<b &amp; \\* [x] ~ -- ! 50 %"
STYLED = "*dark* **all** ***both*** in*ner*most `code` `` a`b `` [here](https://example.org/a?b=1&c=2) <https://x.org>"
OTHERS = "灯 東京の夜。 한국어 مرحبا بِسْمِ שָׁלוֹם e\u0301 e\u0302\u0323 नमस्ते วันนี้ 👩\u200d👩\u200d👧 \u3000 x\u00a0y \u200f"
WORDS = st.sampled_from([*LATIN.split(" "), *STYLED.split(" "), *OTHERS.split(" ")])
LINES = st.lists(WORDS, min_size=1, max_size=6).map(lambda words: "x " + " ".join(words))
SPEECH = st.lists(LINES.map("“{}” she said.".format), min_size=1, max_size=4).map("\n".join)
VERSE = st.lists(st.lists(WORDS, max_size=2).map(lambda words: " ".join(["O", *words])), min_size=3, max_size=5)
ITEMS = st.lists(st.tuples(st.sampled_from(["- ", "1. ", "  - ", "   1. ", "7) "]), LINES).map("".join), min_size=1)


def before(mark):
    """Return how each line of a block is made one with a mark before it."""
    return lambda text: "\n".join(mark + line for line in text.split("\n"))


BLOCKS = st.one_of(
    LINES,
    SPEECH,
    VERSE.map("\n".join),
    st.lists(LINES, min_size=1, max_size=3).map("\\\n".join),
    ITEMS.map("\n".join),
    SPEECH.map(before("> ")),
    ITEMS.map("\n".join).map(before("> ")),
    LINES.map(before("    ")),
    LINES.map("```\n  {}\n\n*x*\n```".format),
    st.builds("{} {}".format, st.sampled_from(["#", "##", "###", "######"]), LINES),
    st.sampled_from(["***", "---", "* * *", "#"]),
)
NOTES = st.lists(st.builds("[^{}]: {}".format, st.integers(1, 2), LINES), max_size=2)
BODIES = st.lists(BLOCKS, max_size=7).map("\n\n".join)
TEXTS = st.builds(lambda body, notes: "\n\n".join([noted(body), *notes]), BODIES, NOTES)


def noted(body):
    """Return a text that refers to two notes, each once."""
    return body.replace("lamp.", "lamp.[^1]", 1).replace("東京", "東京[^2]", 1)


def signs(text):
    """Return what a text says: its letters and signs in their order."""
    return re.sub(r"\s", "", text)


def said(text, way=Paragraphs.WRAPPED):
    """Return the signs of a manuscript, and those of each of its notes, in the order in which they are referred to."""
    document = document_of(text, way)
    return [signs("".join(block.text for block in part)) for part in (document.blocks, *document.notes.values())]


def as_exported(text):
    return said(text, paragraphs_of_manuscript(text).way)


def exported(text, format):
    return export(Prose.by(UNKNOWN, text), format, Book())[str(format)]


def imported(document):
    """Return the signs of a Word document that is imported and of its notes, and what is said of it."""
    read = read_document(document, "x.docx")
    return said(read.text), read.notes


class Page(HTMLParser):
    """The text of a chapter, without its breaks between scenes and references to notes, and of each note by its id."""

    def __init__(self, page):
        super().__init__()
        self.text, self.notes, self._inside = "", {}, []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        if tag not in ("br", "link"):
            held = dict(attributes)
            self._inside.append((tag, held.get("class") or held.get("epub:type") or held.get("id")))
            if tag == "aside":
                self._note = held["id"]

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self._inside.pop()[0] == tag

    def handle_data(self, data):
        if ("aside", "footnote") in self._inside:
            self.notes[self._note] = self.notes.get(self._note, "") + data
        elif ("body", None) in self._inside and not {("p", "break"), ("a", "noteref")} & {*self._inside}:
            self.text += data


def read_in_order(epub):
    """Return the signs of a book's chapters, in the order in which a reader shows them, and of each of its notes."""
    space = "{http://www.idpf.org/2007/opf}"
    with zipfile.ZipFile(io.BytesIO(epub)) as archive:
        package = ElementTree.fromstring(archive.read("book/package.opf"))
        files = {item.get("id"): item.get("href") for item in package.iter(f"{space}item")}
        names = [files[each.get("idref")] for each in package.iter(f"{space}itemref")]
        pages = [Page(archive.read(f"book/{name}").decode()) for name in names]
    notes = {name: text for page in pages for name, text in page.notes.items()}
    in_order = (notes[f"note-{number}"].removeprefix(f"{number}. ") for number in range(1, len(notes) + 1))
    return [signs("".join(page.text for page in pages)), *map(signs, in_order)]


@settings(max_examples=40, deadline=None)
@given(TEXTS)
def test_every_letter_comes_back_from_a_word_document(text):
    assert imported(exported(text, Format.DOCX)) == (as_exported(text), ())


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_every_letter_is_in_a_book_in_its_order(text):
    assert read_in_order(exported(text, Format.EPUB)) == as_exported(text)


@pytest.mark.slow
@pytest.mark.skipif(OFFICE_PROGRAM is None, reason="LibreOffice is not installed")
@pytest.mark.parametrize("ways", [["docx"], ["odt", "docx"]], ids=["as Word", "as OpenDocument and then as Word"])
@settings(max_examples=2, deadline=None, phases=[Phase.generate])
@given(st.lists(TEXTS, min_size=20, max_size=20))
def test_every_letter_comes_back_from_libreoffice(tmp_path_factory, ways, texts):
    folder = tmp_path_factory.mktemp("round")
    for number, text in enumerate(texts):
        (folder / f"{number}.docx").write_bytes(exported(text, Format.DOCX))
    for way in ways:
        folder = saved_again(folder, way)
    for number, text in enumerate(texts):
        assert imported((folder / f"{number}.docx").read_bytes()) == (as_exported(text), ())


def saved_again(folder, way):
    """Have LibreOffice open each document in a folder and save it in another; returns that folder."""
    out = folder / way
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    kind = {"docx": "docx:MS Word 2007 XML", "odt": "odt"}[way]
    run = [OFFICE_PROGRAM, profile, "--headless", "--writer", "--convert-to", kind, "--outdir", out]
    files = sorted(path for path in folder.iterdir() if path.is_file())
    subprocess.run([*run, *files], check=True, capture_output=True, timeout=300)
    return out
