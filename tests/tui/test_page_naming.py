"""A page without a name: written on at once, kept like any other, and named when the writer wants to save it."""

import asyncio
from pathlib import Path

import pytest
from helpers.page_stories import by_palette, notified, press, typed
from helpers.screen_host import lines_of
from helpers.scripted_engine import studio

from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.state_folder import recent
from billy_mlx.tui.page.files import named_path, why_not_named

LAMP = "The lamp had gone out."


@pytest.fixture(autouse=True)
def documents(tmp_path, monkeypatch):
    """The writer's documents, and a current folder that is none of theirs."""
    folder, checkout = tmp_path / "home" / "Documents", tmp_path / "checkout"
    folder.mkdir(parents=True)
    checkout.mkdir()
    monkeypatch.chdir(checkout)
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("XDG_DOCUMENTS_DIR", str(folder))
    yield folder
    assert list(checkout.iterdir()) == []


def on_a_new_page(story, size=(80, 24)):
    """Press n on the start screen, and run `story(app, pilot)`."""

    async def run():
        app, _ = studio()
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await press(pilot, "n")
            await pilot.pause()
            return await story(app, pilot)

    return asyncio.run(run())


@pytest.mark.slow
def test_n_is_followed_by_writing(documents):
    async def story(app, pilot):
        await typed(pilot, LAMP)
        return app.screen.manuscript.text, app.screen.heading.text, app.screen.status.safety

    assert on_a_new_page(story) == (LAMP, "Untitled", "no name yet")
    assert list(documents.iterdir()) == []
    assert [Manuscript.open(text.path).text for text in recent()] == [LAMP]


@pytest.mark.slow
def test_saving_asks_for_a_name_among_the_documents(documents):
    async def story(app, pilot):
        await typed(pilot, LAMP)
        await press(pilot, "ctrl+s")
        proposed = app.screen.query_one("#answer").value
        await press(pilot, "enter", "exclamation_mark", "ctrl+s")
        return proposed, app.screen.heading.text, app.screen.status.message

    proposed, heading, told = on_a_new_page(story)
    assert (proposed, heading) == ("~/Documents/The lamp had gone out", "The lamp had gone out.md")
    assert told == "saved: The lamp had gone out.md"
    assert (documents / "The lamp had gone out.md").read_text() == f"{LAMP}!"


@pytest.mark.slow
def test_an_empty_page_is_left_without_a_question_and_nothing_is_left_of_it(documents, billy_home):
    async def story(app, pilot):
        await press(pilot, "ctrl+s")
        said = app.screen.status.message
        await press(pilot, "ctrl+q")
        return said

    assert on_a_new_page(story) == "the page is empty: there is nothing to save yet"
    assert recent() == ()
    assert list((billy_home / "state" / "manuscripts").iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("leave", ["ctrl+q", "the palette"])
def test_leaving_asks_for_a_name_and_takes_none_for_an_answer(documents, leave):
    async def story(app, pilot):
        await typed(pilot, LAMP)
        await (press(pilot, "ctrl+q") if leave == "ctrl+q" else by_palette(pilot, "Open another text"))
        assert "Ctrl+Q: leave without a name" in "".join(lines_of(app))
        await press(pilot, "escape")
        stayed = app.screen.manuscript.text
        await (press(pilot, "ctrl+q") if leave == "ctrl+q" else by_palette(pilot, "Open another text"))
        await press(pilot, "ctrl+q")
        return stayed

    assert on_a_new_page(story) == LAMP
    assert list(documents.iterdir()) == []
    assert [Manuscript.open(text.path).text for text in recent()] == [LAMP]


@pytest.mark.slow
def test_leaving_saves_under_the_name_that_is_given(documents):
    async def story(app, pilot):
        await typed(pilot, LAMP)
        await press(pilot, "ctrl+q", "enter")
        return app._exit

    assert on_a_new_page(story)
    assert (documents / "The lamp had gone out.md").read_text() == LAMP


@pytest.mark.slow
def test_after_some_words_and_a_pause_the_writer_is_told_that_it_can_have_a_name(documents):
    async def story(app, pilot):
        page = app.screen
        page.manuscript.edit(0, 0, "word " * 19)
        page.rest()
        before = page.status.message
        await typed(pilot, "more words ")
        page.rest()
        told = page.status.message
        await press(pilot, "a")
        page.rest()
        return before, told, page.status.message, notified(app)

    assert on_a_new_page(story) == ("", "Ctrl+S gives this text a name", "", "")


@pytest.mark.slow
def test_what_needs_a_file_says_so_and_an_export_goes_to_the_documents(documents):
    async def story(app, pilot):
        await typed(pilot, LAMP)
        await by_palette(pilot, "Open in your editor")
        said = app.screen.status.message
        await by_palette(pilot, "Export")
        await press(pilot, "ctrl+s")
        for _ in range(200):
            await pilot.pause(0.02)
            if any(documents.iterdir()):
                break
        return said

    assert "save it under a name" in on_a_new_page(story)
    assert [path.name for path in documents.iterdir()] == ["Untitled.docx"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "add a file name"),
        ("there.md", "exists already"),
        ("none/tale", "there is no folder"),
        (
            "tale.docx",
            "that is the name of a Word document, and this is Markdown; name it tale.md, and export it later",
        ),
        ("tale.EPUB", "that is the name of an EPUB book"),
        ("She left him there.", "looks like a sentence"),
        ("and then she went on and on and on about it", "looks like a sentence"),
    ],
)
def test_a_name_has_to_be_one_and_free(documents, name, why):
    (documents / "there.md").touch()
    assert why in why_not_named(f"{documents}/{name}")


@pytest.mark.parametrize("name", ["Dr. No", "Chapter 1.5", "Who’s Afraid?", "tale"])
def test_a_name_alone_is_markdown_among_the_documents(documents, name):
    assert why_not_named(name) is None
    assert named_path(name) == documents / f"{name}.md"
    assert named_path(f"~/{name}.txt") == documents.parent / f"{name}.txt"


def test_without_a_folder_for_documents_home_is_taken(documents):
    documents.rmdir()
    assert named_path("tale") == Path.home() / "tale.md"


@pytest.mark.parametrize("width", [40, 80, 160])
def test_an_empty_page_says_what_to_do_until_something_is_there(documents, width):
    async def story(app, pilot):
        app.change_setting("keys", {"continue": "f6"})
        page = "\n".join(lines_of(app))
        await press(pilot, "I")
        return page, "\n".join(lines_of(app))

    empty, written = on_a_new_page(story, (width, 24))
    assert "Write. f6 continues." in empty
    assert "Write." not in written


def test_a_reminder_of_the_name_waits_until_what_is_said_has_been_read(documents):
    async def story(app, pilot):
        page = app.screen
        page.manuscript.edit(0, 0, "word " * 30)
        page.show_status("That was Noir.")
        page.rest()
        said = page.status.message
        await press(pilot, "a")
        page.rest()
        return said, page.status.message

    assert on_a_new_page(story) == ("That was Noir.", "Ctrl+S gives this text a name")
