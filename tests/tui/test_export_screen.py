"""Exporting: what, where to, and never over something without asking."""

import json
import os
import stat

import pytest
from helpers.screen_host import lines_of, seen, shown, told

from billy_mlx.manuscript.exporting import paragraphs_of_manuscript
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.tui.screens.export import ExportScreen


def lines_to(into):
    return lambda pilot: into.append(lines_of(pilot.app))


@pytest.fixture
def manuscript(tmp_path):
    opened = Manuscript.open(tmp_path / "tale.md", clock=lambda: 1_700_000_000.0)
    opened.edit(0, 0, "# One\n\nThe house was quiet.\n")
    opened.save()
    yield opened
    opened.close()


@pytest.mark.parametrize(("turns", "name"), [(0, "tale.docx"), (1, "tale.epub"), (3, "tale.txt")])
def test_a_format_is_chosen_and_written(manuscript, tmp_path, turns, name):
    host = shown(ExportScreen(manuscript, "Ada"), *["right"] * turns, "ctrl+s")
    assert host.given == [tmp_path / name]
    assert (tmp_path / name).stat().st_size > 10
    assert f"{name} is saved." in told(host)


def test_markdown_goes_beside_the_manuscript_and_not_over_it(manuscript, tmp_path):
    shown(ExportScreen(manuscript), "right", "right", "ctrl+s")
    assert (tmp_path / "tale-export.md").read_text() == manuscript.text


@pytest.mark.slow
def test_the_manuscript_itself_is_never_exported_over(manuscript, tmp_path):
    keys = ["down", "enter", *["backspace"] * 4, "m", "d", "enter", "ctrl+s"]
    host = shown(ExportScreen(manuscript), *keys)
    assert "This is the text itself" in told(host)
    assert host.given == []


@pytest.mark.slow
def test_what_is_there_is_overwritten_only_when_told_to(manuscript, tmp_path):
    (tmp_path / "tale.docx").write_text("mine")
    pictures = []
    shown(ExportScreen(manuscript), "ctrl+s", seen(pictures), "enter", "escape")
    assert "tale.docx exists already. Overwrite it?" in pictures[0]
    assert (tmp_path / "tale.docx").read_text() == "mine"
    shown(ExportScreen(manuscript), "ctrl+s", "right", "enter")
    assert (tmp_path / "tale.docx").read_bytes().startswith(b"PK")


@pytest.mark.slow
def test_who_wrote_what_goes_into_a_file_beside_it(manuscript, tmp_path):
    shown(ExportScreen(manuscript), "right", "right", "right", "end", "up", "left", "ctrl+s")
    spans = json.loads((tmp_path / "tale.provenance.json").read_text())["spans"]
    assert [span["author"] for span in spans] == ["writer"]


@pytest.mark.slow
def test_a_place_that_cannot_be_written_is_told(manuscript):
    keys = ["down", "enter", "home", *"/no", "enter", "ctrl+s"]
    host = shown(ExportScreen(manuscript), *keys)
    assert "was not saved: No such file or directory; choose another place" in told(host)
    assert host.given == []


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
def test_the_rows_fit_the_screen_and_escape_goes_back(manuscript, size):
    pictures = []
    host = shown(ExportScreen(manuscript, "Ada"), seen(pictures), "escape", size=size)
    for text in ("‹ Word ›", "tale.docx", "Ada", "‹ not marked ›"):
        assert text in pictures[0]
    assert host.given == [None]


@pytest.mark.slow
def test_paragraphs_as_they_were_found_can_be_changed(tmp_path):
    path = tmp_path / "talk.md"
    path.write_text("“Hi,” she said.\n“Hello,” he said.\nThey left.\n\n<!-- a note -->\n")
    manuscript = Manuscript.open(path)
    shown(ExportScreen(manuscript), "right", "right", "right", "ctrl+s")
    assert (tmp_path / "talk.txt").read_text() == "“Hi,” she said.\n\n“Hello,” he said.\n\nThey left.\n"
    pictures = []
    keys = ["right", "right", "right", "end", "right", seen(pictures), "ctrl+s", "right", "enter"]
    shown(ExportScreen(manuscript), *keys)
    assert "Not exported: 1 comment left out, with 2 words" in pictures[0]
    assert (tmp_path / "talk.txt").read_text() == "“Hi,” she said. “Hello,” he said. They left.\n"
    manuscript.close()


def test_title_and_author_come_from_what_stands_before_the_text(tmp_path):
    path = tmp_path / "lamp.md"
    path.write_text("---\ntitle: The Lamp\nauthor: Me\n---\n\nIt was dark.\n")
    manuscript = Manuscript.open(path)
    values = ExportScreen(manuscript, author="You")._wanted
    assert (values.title, values.author, values.language) == ("The Lamp", "Me", "en")
    manuscript.close()


@pytest.mark.slow
def test_the_first_page_is_shown_as_readers_will_see_it(tmp_path):
    path = tmp_path / "talk.md"
    path.write_text("# The Lamp\n\n## One\n\n“Hi,” she said.\n“Hello,” he said.\n\n#\n\nThey left.\n\n## Two\n")
    manuscript = Manuscript.open(path)
    pictures = []
    keys = [lines_to(pictures), *["down"] * 9, "right", "right", "right", lines_to(pictures)]
    shown(ExportScreen(manuscript, "Ada"), *keys, size=(80, 40))
    page = [line.strip() for line in pictures[0]]
    first = page.index("The Lamp")
    assert page[first : first + 9] == [
        "The Lamp",
        "Ada",
        "",
        "One",
        "",
        "“Hi,” she said.",
        "“Hello,” he said.",
        "* * *",
        "They left.",
    ]
    assert any(line.startswith("     “Hello,” he said.") for line in pictures[0])
    assert any("“Hi,” she said. “Hello,” he said." in line for line in pictures[1])
    manuscript.close()


@pytest.mark.slow
def test_a_guess_is_said_and_asked_about_before_anything_is_written(tmp_path):
    path = tmp_path / "talk.md"
    path.write_text("He said that he was\nnot there and then.\nThey left the house\nand came again.\nOn they went.\n")
    manuscript = Manuscript.open(path)
    assert not paragraphs_of_manuscript(manuscript.text).certain
    pictures = []
    host = shown(ExportScreen(manuscript), seen(pictures), "ctrl+s", lines_to(pictures), "escape")
    assert "What a paragraph is in this text is a guess" in pictures[0]
    assert any("What a paragraph is here is a guess: each line is one." in line for line in pictures[1])
    assert host.given == []
    shown(ExportScreen(manuscript), "ctrl+s", "left", "enter")
    assert (tmp_path / "talk.docx").exists()
    manuscript.close()


@pytest.mark.slow
def test_what_was_chosen_for_a_text_is_chosen_the_next_time(tmp_path, manuscript):
    keys = [*["down"] * 7, "right", "down", "down", "right", "ctrl+s"]
    shown(ExportScreen(manuscript, "Ada"), *keys)
    values = ExportScreen(manuscript, "Ada")._wanted
    assert (values.template, values.paragraphs, values.author) == ("for editors (Shunn)", "indents begin them", "Ada")
    assert ExportScreen(manuscript, "Eve")._wanted.author == "Eve"  # which was not chosen for this text


@pytest.mark.slow
def test_a_cover_that_is_none_is_refused_where_it_is_typed(manuscript):
    pictures = []
    keys = [*["down"] * 6, "enter", *"nowhere", "enter", seen(pictures)]
    shown(ExportScreen(manuscript), *keys)
    assert "cannot be read: No such file or directory; choose another" in pictures[0]


def test_what_is_no_file_is_never_replaced(manuscript, tmp_path):
    os.mkfifo(tmp_path / "tale.docx")
    host = shown(ExportScreen(manuscript), "ctrl+s")
    assert "This is not a file." in told(host)
    assert stat.S_ISFIFO((tmp_path / "tale.docx").stat().st_mode)


def test_a_link_that_leads_in_a_circle_is_told_or_replaced(manuscript, tmp_path):
    (tmp_path / "tale.docx").symlink_to(tmp_path / "tale.docx")
    host = shown(ExportScreen(manuscript), "ctrl+s")
    assert host.given or "was not saved" in told(host)
