"""The start screen: texts worked on before, and ways to another."""

from pathlib import Path

import pytest
from docx import Document
from helpers.screen_host import filled, seen, shown, told
from textual.events import Paste

from billy_mlx.engine.messages import ModelsListed
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.state_folder import Recent, is_untitled, recent, untitled_path
from billy_mlx.tui.dates import ago
from billy_mlx.tui.screens.dialogs import AskPath, completed, new_folder
from billy_mlx.tui.screens.start import StartScreen

NOW = 1_800_014_400.0  # noon
DAY = 86400


@pytest.fixture
def here(tmp_path, monkeypatch):
    folder = tmp_path / "novels"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def opened_before(path, text="Once."):
    path.write_text(text)
    Manuscript.open(path).close()
    return path


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
def test_texts_are_told_with_folder_and_when_they_were_worked_on(here, size):
    pictures = []
    texts = (Recent(here / "tale.md", NOW - 3 * DAY, exists=True), Recent(here / "lost.md", NOW, exists=False))
    shown(StartScreen(), lambda pilot: pilot.app.screen.show(texts, NOW), seen(pictures), size=size)
    assert "tale 3 days ago" in pictures[0]
    assert "lost ✗ not found" in pictures[0]


def test_the_text_that_was_open_last_is_one_key_away(here):
    opened_before(here / "old.md", "Old.")
    path = opened_before(here / "tale.md")
    assert shown(StartScreen(), "enter").given == [path]


@pytest.mark.slow
def test_a_text_that_is_gone_is_passed_over_and_says_so(here):
    path = opened_before(here / "old.md")
    opened_before(here / "tale.md").unlink()
    assert shown(StartScreen(), "enter").given == [path]
    host = shown(StartScreen(), "up", "enter")
    assert host.given == []
    assert "is gone" in told(host)


def test_a_text_that_was_never_saved_is_not_called_gone_and_can_be_opened(here):
    Manuscript.open(here / "tale.md").close()
    pictures = []
    host = shown(StartScreen(), seen(pictures), "enter")
    assert "tale not saved yet" in pictures[0]
    assert host.given == [here / "tale.md"]


@pytest.mark.parametrize("keys", [["n"], ["enter"]], ids=["n", "the first row"])
def test_a_new_text_is_an_empty_page_at_once(here, keys):
    (path,) = shown(StartScreen(), *keys).given
    assert is_untitled(path)
    assert list(here.iterdir()) == []


def test_a_text_without_a_name_is_offered_by_its_first_words(here):
    opened_before(here / "tale.md")
    manuscript = Manuscript.open(untitled_path())
    manuscript.edit(0, 0, "The lamp had gone out an hour before.")
    manuscript.close()
    pictures = []
    host = shown(StartScreen(), seen(pictures), "enter")
    assert "The lamp had gone out just now has no name yet tale" in pictures[0]
    assert host.given == [manuscript.path]


def test_a_page_that_nothing_was_written_on_is_not_offered(here):
    Manuscript.open(untitled_path())._lock.release()  # as after a kill
    assert [is_untitled(path) for path in shown(StartScreen(), "enter").given] == [True]
    assert recent() == ()


def test_a_text_is_opened_by_its_path(here):
    (here / "tale.txt").write_text("Once.")
    assert shown(StartScreen(), "o", filled(f"{here}/tale.txt"), "enter").given == [here / "tale.txt"]


@pytest.mark.parametrize(("name", "why"), [("", "a folder"), ("none.md", "no file"), ("a.docx", "import it")])
def test_what_cannot_be_opened_is_refused_in_words(here, name, why):
    pictures = []
    host = shown(StartScreen(), "o", filled(f"{here}/{name}"), "enter", seen(pictures), size=(160, 24))
    assert host.given == []
    assert why in pictures[0]


def test_the_right_arrow_completes_a_path(here):
    (here / "chapters").mkdir()
    (here / "chapters" / "tale.md").touch()
    assert completed("cha") == "chapters/"
    keys = ["o", filled("chapters/t"), "end", lambda pilot: None, "right", "enter"]
    assert shown(StartScreen(), *keys).given == [here / "chapters" / "tale.md"]


@pytest.mark.parametrize("typed", ["", "none", "none/a", "chapters/", "\0/a", "~nobody-of-this-name/a"])
def test_where_nothing_fits_nothing_is_proposed(here, typed):
    assert completed(typed) is None


def test_a_name_with_a_hostile_escape_is_not_proposed(here):
    (here / "ta\x1b]0;HOSTILE\x07.md").touch()
    assert completed("ta") is None


@pytest.mark.slow
def test_a_word_document_becomes_a_text_beside_it(here):
    document = Document()
    document.add_paragraph("Once upon a time.")
    document.save(here / "tale.docx")
    (here / "tale.md").write_text("Another one.")
    keys = ["i", filled(f"{here}/tale.docx"), "enter"]
    host = shown(StartScreen(), *keys, "escape")
    assert (host.given, sorted(path.name for path in here.iterdir())) == ([], ["tale.docx", "tale.md"])
    host = shown(StartScreen(), *keys, "ctrl+s")
    assert host.given == [here / "tale 2.md"]
    assert (here / "tale 2.md").read_text().strip() == "Once upon a time."


def test_a_file_that_is_dropped_on_the_question_takes_the_place_of_the_folder(here):
    (here / "my tale.md").write_text("Once.")

    def drop(pilot):
        pilot.app.post_message(Paste(f"'{here}/my tale.md'"))

    assert shown(StartScreen(), "o", drop, "enter").given == [here / "my tale.md"]


def test_escape_leaves(here):
    assert shown(StartScreen(), "escape").given == [None]


def test_the_model_s_state_is_shown_without_what_a_terminal_obeys(here):
    pictures = []
    shown(StartScreen(), lambda pilot: pilot.app.screen.say_model("tiny[b]\x1b is loading"), seen(pictures))
    assert "tiny[b]␛ is loading" in pictures[0]


def test_names_and_folders_are_shown_without_what_a_terminal_obeys(here):
    pictures = []
    texts = (Recent(here / "a[red]\x1bb\nc.md", NOW, exists=True),)
    shown(StartScreen(), lambda pilot: pilot.app.screen.show(texts, NOW), seen(pictures), size=(160, 24))
    assert "a[red]␛b c just now" in pictures[0]


def test_where_the_current_folder_is_gone_home_stands_in(here, monkeypatch):
    here.rmdir()
    monkeypatch.setattr(Path, "home", lambda: here.parent)
    assert new_folder() == here.parent


def test_from_home_texts_are_looked_for_among_the_documents(here, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: here)
    monkeypatch.setenv("XDG_DOCUMENTS_DIR", f"{here}/Documents")
    assert new_folder() == here
    (here / "Documents").mkdir()
    assert new_folder() == here / "Documents"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (7200, "2 hours ago"),
        (6 * DAY, "6 days ago"),
        (7 * DAY, "on 8 Jan 2027"),
    ],
)
def test_when_something_was_is_said_as_people_say_it(seconds, words):
    assert ago(NOW - seconds, NOW) == words


def test_models_that_are_found_do_not_open_over_a_name_that_is_typed():
    screen, over = StartScreen(), []

    def found(pilot):
        pilot.app.model_state = ""
        screen.on_engine_event(ModelsListed(1, 16.0, ()))

    shown(screen, "o", found, "a", lambda pilot: over.append(type(pilot.app.screen)))
    assert over == [AskPath]
