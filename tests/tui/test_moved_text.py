"""A text with the same words as one that is gone: the studio asks which it is, where something would come along."""

import asyncio
import shutil

import pytest
from helpers.page_stories import notified, press
from helpers.scripted_engine import studio

from billy_mlx.manuscript.context.guide import Guide
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.tui.screens.dialogs import Confirm
from billy_mlx.tui.screens.question import RecoverScreen
from billy_mlx.tui.screens.writing import WritingScreen

TEXT = "The lamp had gone out, and nobody came up the stairs to see to it. Ada waited until the morning, then she left."


@pytest.fixture
def copy(tmp_path):
    """A file with the bytes of a deleted one, which had text that was never saved, and notes."""
    path, copy = tmp_path / "novel.md", tmp_path / "book.md"
    path.write_text(TEXT)
    manuscript = Manuscript.open(path)
    manuscript.edit(0, 0, "Never saved. ")
    manuscript.guide = Guide(memory="I am shy.")
    manuscript._lock.release()  # as a crash does
    shutil.copyfile(path, copy)
    path.unlink()
    return copy


def opened(path, story):
    async def run():
        app, _ = studio(path)
        async with app.run_test(size=(100, 30)) as pilot:
            await pilot.pause()
            await pilot.pause()
            await story(app, pilot)
            for screen in app.screen_stack:
                if isinstance(screen, WritingScreen):
                    screen.manuscript.close()

    asyncio.run(run())


def page_of(app):
    return next(screen for screen in app.screen_stack if isinstance(screen, WritingScreen))


def test_it_says_what_is_there(copy):
    async def story(app, pilot):
        assert isinstance(app.screen, Confirm)
        asked = " ".join(str(app.screen.query("Label").first().render()).split())
        assert f"the same words as {copy.with_name('novel.md')}, which is gone" in asked
        assert "2 unsaved words and notes for the model" in asked

    opened(copy, story)


@pytest.mark.slow
def test_one_that_was_moved_has_everything(copy):
    async def story(app, pilot):
        await press(pilot, "right", "enter")
        await pilot.pause()
        assert isinstance(app.screen, RecoverScreen)
        assert page_of(app).manuscript.guide.memory == "I am shy."
        assert [offer.prose.text for offer in page_of(app).manuscript.offers] == ["Never saved. " + TEXT]

    opened(copy, story)
    opened(copy, lambda app, _: _asked(app, False))


def test_one_that_is_new_has_nothing_and_is_not_asked_about_again(copy):
    async def story(app, pilot):
        await press(pilot, "enter")
        await pilot.pause()
        assert app.screen is page_of(app)
        assert (page_of(app).manuscript.guide, page_of(app).manuscript.offers) == (Guide(), ())

    opened(copy, story)
    opened(copy, lambda app, _: _asked(app, False))


def test_without_an_answer_it_is_a_new_one_until_it_is_opened_again(copy):
    async def story(app, pilot):
        await press(pilot, "escape")
        await pilot.pause()
        assert page_of(app).manuscript.guide == Guide()
        assert "this is opened as a new text" in notified(app) + page_of(app).status.message

    opened(copy, story)
    opened(copy, lambda app, _: _asked(app, True))


@pytest.mark.slow
def test_a_renamed_file_is_not_asked_about(copy):
    async def story(app, pilot):
        await press(pilot, "right", "enter")

    opened(copy, story)
    opened(copy.rename(copy.with_name("third.md")), lambda app, _: _asked(app, False))


async def _asked(app, yes):
    assert isinstance(app.screen, Confirm) == yes
