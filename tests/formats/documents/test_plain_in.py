"""Plain text that comes in: how its paragraphs are found, and that every sign of it goes out again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.errors import DocumentError
from billy_mlx.formats.documents.book import Book
from billy_mlx.formats.documents.markdown_in import document_of
from billy_mlx.formats.documents.paragraphs import Paragraphs, paragraphs_of
from billy_mlx.formats.documents.plain import blocks_of_plain
from billy_mlx.manuscript.exporting import Format, export
from billy_mlx.manuscript.importing import read_document
from billy_mlx.manuscript.prose import UNKNOWN, Prose

SIGNS = st.text(st.sampled_from("ab 5.,*_#-~`<>[]()!&=+|\\\t\n\"'^:/"), max_size=60)
ACCIDENTS = [
    *("- Hola - dijo Ana.", "1984. That was the year.", "f**k and s**t, 5*3*2", "<!-- unfinished", "~~~", "```"),
    *("# no heading", "a_b_c _d_", "[Enter]: Hamlet", "[^1]: Ibid.", "&amp; &c.", "<b>bold</b>", "\\* x", "==="),
    *("+ one", "2) two", "![x](y)", "http://x.org/a_b_", "__init__", "a\\", "* * x", "    four", "\tone", "***bold"),
    *("=", "-", "---", "| a | b |", "> no quote", "_", "__", "a_", "_a", "*", "**"),
]
LONG = (
    "The keeper of the light went down to the water, where nobody had been since the storm, and waited for the boat. "
)


def signs(text):
    return "".join(text.split())


def round_trip(text, name="x.txt", way=None):
    """Return a text after it was imported and exported again as plain text."""
    imported = read_document(text.encode(), name, way).text
    return export(Prose.by(UNKNOWN, imported), Format.PLAIN, Book(), way=Paragraphs.BLANK)["txt"].decode()


@pytest.mark.parametrize("text", ACCIDENTS)
@pytest.mark.parametrize("before", ["", "A line.\n", "A line.\n\n"])
def test_what_would_be_markup_is_text(text, before):
    assert signs(round_trip(f"{before}{text}\n\nThe rest.")) == signs(f"{before}{text}The rest.")


@given(text=SIGNS, way=st.sampled_from([None, *Paragraphs]))
def test_every_sign_of_a_plain_text_goes_out_again(text, way):
    expected = signs(text)
    assert signs(round_trip(text, way=way)).replace("***", "") == expected.replace("***", "")


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ("“Hi,” she said.\n“Hello,” he said.\nThey left.\n", Paragraphs.LINE),
        ("\tIt was dark.\n\tThe rain fell.\n\tShe ran.\n", Paragraphs.LINE),
        ("One.\n\nTwo.\n\nThree.\n", Paragraphs.BLANK),
        (
            "    It was dark, and the rain fell on the roof of the house where they\nlived, and on the road that nobody"
            "\nhad taken.\n    Then she ran, since there was nothing else that she could have done\nin that place.\n",
            Paragraphs.INDENT,
        ),
        (f"{LONG}\n\n{LONG}\n", Paragraphs.BLANK),
        (f"{LONG}\n{LONG}\n{LONG}\n", Paragraphs.LINE),
        (
            "It was dark, and the rain fell on the roof of the house where they\nlived, and on the road that nobody "
            "had taken since the spring; then\nshe ran.\n\nHe did not see her, as he was asleep in the room at the "
            "back of\nthe house, in which there was no window.\n",
            Paragraphs.WRAPPED,
        ),
        ("Roses are red\nviolets are blue\nsugar is sweet\nand so are you\n", Paragraphs.BLANK),
    ],
)
def test_paragraphs_are_found(text, way):
    assert paragraphs_of(text).way is way


@pytest.mark.parametrize(
    ("way", "paragraphs"),
    [
        (Paragraphs.LINE, ["a b.", "c.", "d e.", "f."]),
        (Paragraphs.BLANK, ["a b.\nc.", "d e.\nf."]),
        (Paragraphs.WRAPPED, ["a b. c.", "d e. f."]),
        (Paragraphs.INDENT, ["a b.", "c.", "d e. f."]),
    ],
)
def test_paragraphs_are_what_is_asked_for(way, paragraphs):
    text = "a b.\n  c.\n\nd e.\nf.\n"
    assert [block.text for block in blocks_of_plain(text, way)] == paragraphs
    imported = read_document(text.encode(), "x.txt", way)
    assert (imported.way, imported.notes) == (way, ())


def test_how_paragraphs_were_found_is_said():
    imported = read_document(b"One.\nTwo.\nThree.\n", "x.txt")
    assert (imported.way, imported.notes) == (Paragraphs.LINE, ("each line was taken for a paragraph",))
    (note,) = read_document(b"One two three\nfour five.\nSix.\n", "x.txt").notes
    assert note.endswith("though that is not certain")


def test_a_scene_break_of_asterisks_is_one():
    text = "One.\n\n* * *\n\nTwo.\n***\nThree."
    assert [block.kind for block in blocks_of_plain(text, Paragraphs.LINE)] == [
        *("paragraph", "break", "paragraph", "break", "paragraph")
    ]


@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc", "Co"]), min_size=1), bad=st.integers(0, 2))
def test_bytes_that_are_no_text_are_shown_and_counted(text, bad):
    line = "Good “text” of the keeper.\n".encode()
    data = line * 4 + text.encode() + b"\xff" * (bad + 1) + b"\n" + line
    read = read_document(data, "x.md")
    genuine = text.count("\N{REPLACEMENT CHARACTER}")
    assert read.text.count("\N{REPLACEMENT CHARACTER}") == bad + 1 + genuine
    assert read.notes[0].startswith("line 5 of x.md has 1 byte" if bad == 0 else f"line 5 of x.md has {bad + 1} bytes")


def test_a_text_that_is_cut_in_its_last_letter_is_read():
    read = read_document("Er sagte „ja“ und ging über die Brücke – schön".encode()[:-2], "x.txt")
    assert read.text.rstrip().endswith("sch\N{REPLACEMENT CHARACTER}")
    assert "line 1 of x.txt has 1 byte that is no text" in read.notes[0]


@pytest.mark.parametrize(
    "start", ["<!DOCTYPE html>", "<html>", "\n<HTML lang='en'>", "<!-- x --><html>", "<body class=a>"]
)
def test_html_is_refused_by_name(start):
    with pytest.raises(DocumentError, match=r"x\.html is HTML; open it in a word processor and save it as \.docx"):
        read_document(f"{start}<p>Hello</p>".encode(), "x.html")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One.\n\n<!-- todo: fix this\n\nTwo.\n\nThree.", "One.<!--todo:fixthisTwo.Three."),
        ("A line\n---\nnext", "Aline***next"),
        ("One.\n\n#\n\nTwo.", "One.***Two."),
        ("    It was dark.\n\nShe ran.", "Itwasdark.Sheran."),
        ("[Enter]: Hamlet\n\n[^1]: Ibid.", "[Enter]:Hamlet[^1]:Ibid."),
        ("5*3*2 and f**k and s**t", "5*3*2andf**kands**t"),
        ("un*believ*able *un*likely", "unbelievableunlikely"),
        ("see [it]\n\n[it]: http://x.org/", "seeit"),
        ("<script>\n\nx", "<script>x"),
    ],
)
def test_prose_is_not_made_into_something_else(text, expected):
    written = export(Prose.by(UNKNOWN, text), Format.PLAIN, Book())["txt"].decode()
    assert signs(written).replace("* * *", "***") == expected
    assert all(block.kind != "code" for block in document_of(text).blocks)


@pytest.mark.parametrize("stars", ["***", "* * *", "     *     *     *     *     *", "* * * *", "****"])
def test_three_stars_and_more_are_a_break_however_far_apart(stars):
    assert read_document(f"One.\n\n{stars}\n\nTwo.\n".encode(), "x.txt").text == "One.\n\n***\n\nTwo.\n"
