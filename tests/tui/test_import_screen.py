"""Importing: a document is shown as the text it will be, and nothing is written before the key for it."""

import asyncio
import os
import threading

import pytest
from docx import Document
from helpers.page_stories import press, until
from helpers.screen_host import Host, filled, seen, shown, told

from billy_mlx.errors import DocumentError
from billy_mlx.tui.screens import importing
from billy_mlx.tui.screens.dialogs import dropped
from billy_mlx.tui.screens.importing import ImportScreen

SIZES = [(80, 24), (160, 50)]


@pytest.fixture
def tale(tmp_path):
    path = tmp_path / "tale.txt"
    path.write_text("“Hi,” she said.\n“Hello,” he said.\nThey left.\n")
    return path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("size", SIZES)
def test_a_document_is_shown_before_anything_is_written(tale, size):
    pictures = []
    host = shown(ImportScreen(tale), seen(pictures), "escape", size=size)
    for words in (
        "8 words in 3 paragraphs: tale.txt",
        "tale.md",
        "‹ each line is one ›",
        "each line was taken",
        "Hello",
    ):
        assert words in pictures[0]
    assert (host.given, names(tale.parent)) == ([None], ["tale.txt"])


def test_the_key_for_it_makes_a_text_of_it(tale):
    host = shown(ImportScreen(tale), "ctrl+s")
    assert host.given == [tale.with_suffix(".md")]
    assert host.given[0].read_text() == "“Hi,” she said.\n\n“Hello,” he said.\n\nThey left.\n"


@pytest.mark.parametrize(
    ("turns", "way", "text"),
    [
        (["right"], "indents begin them", "One two.\n"),
        (["right", "right"], "lines are broken by hand", "One two.\n"),
        (["left"], "blank lines separate them", "One\\\ntwo.\n"),
        (["left", "right"], "each line is one", "One\n\ntwo.\n"),
    ],
)
def test_paragraphs_are_shown_and_written_as_they_are_chosen(tale, turns, way, text):
    tale.write_text("One\ntwo.\n")
    pictures = []
    shown(ImportScreen(tale), "down", *turns, seen(pictures), "ctrl+s")
    assert f"‹ {way} ›" in pictures[0]
    assert " ".join(text.split()) in pictures[0]
    assert f"in {len(text.split(2 * chr(10)))} paragraph" in pictures[0]
    assert tale.with_suffix(".md").read_text() == text


def test_only_a_plain_text_is_asked_for_its_paragraphs(tmp_path):
    document = Document()
    document.add_paragraph("Once.")
    document.save(tmp_path / "tale.docx")
    (tmp_path / "tale.markdown").write_text("Once.\n")
    for name in ("tale.docx", "tale.markdown"):
        pictures = []
        shown(ImportScreen(tmp_path / name), seen(pictures))
        assert "Paragraphs" not in pictures[0]
        assert "Nothing was left out, and nothing guessed." in pictures[0]


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_every_note_can_be_read(tale, size, monkeypatch):
    notes = tuple(f"note {number} of what was left out of this document" for number in range(60))
    monkeypatch.setattr(importing, "read_document", lambda *_: importing.Imported("The end.\n", notes))
    pictures = []
    shown(ImportScreen(tale), seen(pictures), *["pagedown", seen(pictures)] * 6, "pageup", seen(pictures), size=size)
    assert all(any(note in picture for picture in pictures) for note in notes)
    assert "The end." in pictures[-2]
    assert pictures[-1] != pictures[-2]


def test_a_text_goes_where_it_is_told_to(tale):
    (tale.parent / "books").mkdir()
    host = shown(ImportScreen(tale), "enter", filled(f"{tale.parent}/books/One"), "enter", "ctrl+s")
    assert host.given == [tale.parent / "books" / "One.md"]
    assert names(tale.parent) == ["books", "tale.txt"]


@pytest.mark.slow
def test_a_file_that_is_there_gives_its_name_away_only_when_it_is_asked_for(tale):
    mine = tale.with_suffix(".md")
    mine.write_text("mine")
    assert shown(ImportScreen(tale), "ctrl+s").given == [tale.with_name("tale 2.md")]
    keys = ["enter", filled(str(mine)), "enter", "ctrl+s"]
    pictures = []
    assert shown(ImportScreen(tale), *keys, seen(pictures), "enter").given == []
    assert "tale.md exists already. Overwrite it?" in pictures[0]
    assert mine.read_text() == "mine"
    assert shown(ImportScreen(tale), *keys, "right", "enter").given == [mine]
    assert mine.read_text().startswith("“Hi,”")


def test_a_file_that_appears_at_the_last_moment_stays(tale, monkeypatch):
    mine, written = tale.with_suffix(".md"), importing.replace_file

    def late(path, content, check):
        mine.write_text("mine")
        written(path, content, check)

    monkeypatch.setattr(importing, "replace_file", late)
    pictures = []
    assert shown(ImportScreen(tale), "ctrl+s", seen(pictures)).given == []
    assert "another program has just made such a file; choose another place" in pictures[0]
    assert mine.read_text() == "mine"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "this is a folder; add a file name"),
        ("{folder}", "this is a folder; add a file name"),
        ("{folder}/no/tale.md", "No such file or directory; choose another place"),
        ("{folder}/tale.docx", "this is the name of a Word document, and the text is Markdown; name it tale.md"),
        ("{folder}/tale.txt", "this is the document itself; choose another file"),
        ("{folder}/" + "a" * 300 + ".md", "File name too long; choose another place"),
    ],
)
def test_where_it_cannot_go_is_said_on_the_screen(tale, typed, why):
    pictures = []
    keys = ["enter", filled(typed.format(folder=tale.parent)), "enter", "ctrl+s", seen(pictures), "up"]
    host = shown(ImportScreen(tale), *keys, size=(160, 50))
    assert why in pictures[0]
    assert (host.given, told(host), names(tale.parent)) == ([], "", ["tale.txt"])


BAD = {
    "tale.pdf": (b"%PDF-1.7", "tale.pdf is a PDF; open it in a word processor"),
    "tale.docx": (b"PK\x03\x04 not a zip", "damaged"),
    "zeros.txt": (bytes(100), "zero bytes in it"),
    "page.html": (b"<html><p>Hi", "is HTML"),
    "book.json": (b'{"entries": [{"text": "A smith.", "keys": ["k"]}]}', "holds a lorebook, which is no text"),
    "gone.txt": (None, "does not exist, or is not a file"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_said_on_the_screen_and_nothing_is_made(tmp_path, name):
    content, why = BAD[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    pictures, before = [], names(tmp_path)
    host = shown(ImportScreen(tmp_path / name), seen(pictures), "ctrl+s", "escape")
    assert "Nothing was imported. ! " in pictures[0]
    assert why in pictures[0]
    assert "^s Import" not in pictures[0]
    assert (host.given, names(tmp_path)) == ([None], before)


@pytest.mark.parametrize("content", ["", "\n", "a", "\x1b]0;HOSTILE\x07[red]bold[/red]", "x" * 9000])
def test_any_text_is_shown_without_what_a_terminal_obeys(tale, content):
    tale.write_text(content)
    pictures = []
    host = shown(ImportScreen(tale), seen(pictures), "ctrl+s")
    assert "\x1b" not in pictures[0]
    assert host.given[0].exists()


def test_the_screen_is_left_at_once_while_a_document_is_read(tale, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()

    def read(*_):
        begun.set()
        go_on.wait(20)
        return importing.Imported("late")

    async def story():
        host, pictures = Host(ImportScreen(tale)), []
        async with host.run_test() as pilot:
            await until(pilot, begun.is_set)
            seen(pictures)(pilot)
            await press(pilot, "ctrl+s", "escape")
            given = list(host.given)
            go_on.set()
            return given, pictures[0]

    monkeypatch.setattr(importing, "read_document", read)
    given, picture = asyncio.run(story())
    assert "Reading it ..." in picture
    assert (given, names(tale.parent)) == ([None], ["tale.txt"])


@pytest.mark.parametrize(
    "pasted", ["{path}", "'{path}'", '"{path}"\n', "{escaped} ", "file://{link}", "{path}\n"], ids=lambda form: form
)
def test_a_file_that_is_dropped_on_the_terminal_is_its_path(tmp_path, pasted):
    path = tmp_path / "my tale (2).docx"
    path.touch()
    escaped = str(path).replace(" ", r"\ ").replace("(", r"\(").replace(")", r"\)")
    form = pasted.format(path=path, escaped=escaped, link=str(path).replace(" ", "%20"))
    assert dropped(form) == str(path)


@pytest.mark.parametrize(
    "pasted", ["", "tale.docx", "/no/such/file", "'", "/tmp /tmp", "\0", "/\0", "~nobody/x", "/x" * 9999]
)
def test_what_is_no_path_of_a_file_is_pasted_as_it_is(pasted):
    assert dropped(pasted) is None


def test_what_is_no_file_is_never_replaced(tale):
    pipe = tale.with_name("pipe.md")
    os.mkfifo(pipe)
    with pytest.raises(DocumentError, match="this is not a file"):
        ImportScreen(tale)._checked(pipe)
    with pytest.raises(DocumentError, match="this is a folder"):
        ImportScreen(tale)._checked(tale.parent)
