"""Screens that open by themselves: nothing that is typed answers one, and everything that is typed is kept."""

import random
from functools import partial

import pytest
from helpers.page_stories import SIZES, by_palette, notified, on_page, pasted, press, says, typed, until
from helpers.scripted_engine import context_of
from textual.events import Key

from billy_mlx.engine.messages import ListModels, ModelOffer, ModelsListed
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.tui.commands import at
from billy_mlx.tui.screens.context import ContextScreen
from billy_mlx.tui.screens.history import HistoryScreen
from billy_mlx.tui.screens.models import ModelsScreen
from billy_mlx.tui.screens.question import ConflictScreen, Question, RecoverScreen
from billy_mlx.write.messages import Sent, Write

NIGHT = "It was a dark night. The lamp"
LOST = "Lost. "
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDMRT  éß…灯,.!?\n"
OF_THE_PAGE = sorted(
    {
        key
        for place in ("page", "draft", "find", "voices")
        for command in at(place)
        for key in command.keys.split(",")
        if key.startswith("ctrl+") and key not in ("ctrl+q", "ctrl+p")
    }
)


async def recover(pilot, app, page, novel):
    assert isinstance(app.screen, RecoverScreen)


async def conflict(pilot, app, page, novel, change=lambda novel: novel.write_text("Theirs.")):
    page.manuscript.edit(0, 0, "Mine. ")
    page.editor.sync()
    page.editor.select(0, 0)
    change(novel)
    app.app_focus = False
    await pilot.pause()
    app.app_focus = True
    await until(pilot, lambda: isinstance(app.screen, ConflictScreen))


QUESTIONS = {
    "recover": recover,
    "conflict": conflict,
    "apart": partial(conflict, change=lambda novel: novel.write_text(f"{NIGHT} went out.")),
    "gone": partial(conflict, change=lambda novel: novel.unlink()),
    "binary": partial(conflict, change=lambda novel: novel.write_bytes(b"\xff\xfe\x00")),
}
KINDS = pytest.mark.parametrize("kind", QUESTIONS)


def asked(novel, kind, story, size=(80, 24)):
    """Run `story(app, pilot, page)` with this question open over the page."""

    async def run(app, pilot, engine, page):
        await QUESTIONS[kind](pilot, app, page, novel)
        return await story(app, pilot, page)

    if kind == "recover":
        manuscript = Manuscript.open(novel)
        manuscript.edit(0, 0, LOST)
        manuscript._lock.release()
    return on_page(novel, run, size)


def send(app, text):
    """Send keys as a terminal does whose reader was slow: all at once."""
    for letter in text:
        app.post_message(Key("enter" if letter == "\n" else letter, "\r" if letter == "\n" else letter))


def test_every_question_of_this_kind_is_tried():
    assert {screen.__name__ for screen in Question.__subclasses__()} == {"RecoverScreen", "ConflictScreen"}


@pytest.mark.slow
@KINDS
@pytest.mark.parametrize("seed", range(3))
def test_what_is_typed_answers_nothing_and_is_in_the_text_then(novel, kind, seed):
    words = "".join(random.Random(seed).choices(LETTERS, k=60)) + "\n\nmtdc\n"

    async def story(app, pilot, page):
        before, file = page.manuscript.text, novel.read_bytes() if novel.exists() else None
        send(app, words)
        await pilot.pause()
        still = isinstance(app.screen, Question), page.manuscript.text == before
        await press(pilot, "escape")
        now = novel.read_bytes() if novel.exists() else None
        return *still, now == file, page.manuscript.text == words + before, page.editor.text == words + before

    assert asked(novel, kind, story) == (True,) * 5


@pytest.mark.slow
@KINDS
def test_no_key_of_the_page_answers_it(novel, kind):
    async def story(app, pilot, page):
        before = page.manuscript.text
        await press(pilot, *OF_THE_PAGE, "tab", "enter", "space", "pagedown", "home", "end", "delete", "enter")
        return isinstance(app.screen, Question), page.manuscript.text == before

    assert asked(novel, kind, story) == (True, True)


@pytest.mark.slow
@KINDS
def test_an_arrow_long_ago_does_not_count(novel, kind):
    async def story(app, pilot, page):
        await press(pilot, "down", "x", "enter")
        return isinstance(app.screen, Question), app.screen.typed

    assert asked(novel, kind, story) == (True, "x\n")


@pytest.mark.slow
def test_typing_pasting_and_taking_back_keep_their_order(novel):
    async def story(app, pilot, page):
        await typed(pilot, "Dear ")
        await pasted(pilot, "old\ndiarx")
        await press(pilot, "backspace", "y", "!")
        await press(pilot, "escape")
        return page.manuscript.text

    assert asked(novel, "recover", story) == f"Dear old\ndiary!{NIGHT}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "keys", "text"),
    [
        ("recover", ["down", "enter"], f"{LOST}my hero{NIGHT}"),
        ("recover", ["up", "enter"], f"my hero{NIGHT}"),
        ("conflict", ["down", "enter"], f"my heroMine. {NIGHT}"),
        ("apart", ["down", "enter"], f"my heroMine. {NIGHT} went out."),
        ("binary", ["down", "enter"], f"my heroMine. {NIGHT}"),
    ],
)
def test_after_the_answer_it_goes_to_the_cursor_also_what_came_at_the_last_moment(novel, kind, keys, text):
    async def story(app, pilot, page):
        send(app, "my h")
        for key in keys:
            app.post_message(Key(key, None))
        send(app, "ero")
        await until(pilot, lambda: app.screen is page and "my hero" in page.manuscript.text)
        return page.manuscript.text

    assert asked(novel, kind, story) == text


@pytest.mark.slow
def test_it_is_kept_through_a_second_question(novel):
    async def story(app, pilot, page):
        await typed(pilot, "one ")
        await press(pilot, "up", "enter")
        assert isinstance(app.screen, RecoverScreen)
        await typed(pilot, "two ")
        await press(pilot, "up", "enter")
        return page.manuscript.text

    manuscript = Manuscript.open(novel)
    manuscript.edit(0, 0, "Lost first. ")
    manuscript._lock.release()
    assert asked(novel, "recover", story) == f"one two {NIGHT}"


@pytest.mark.slow
def test_what_was_declined_is_kept_and_the_message_says_where(novel):
    async def story(app, pilot, page):
        await typed(pilot, "Dear diary")
        await press(pilot, "up", "enter")
        versions = page.manuscript.versions
        texts = {versions.text_at(version.id).text for version in versions.tree(landmarks=False)}
        return page.status.message, LOST + NIGHT in texts

    assert asked(novel, "recover", story) == ("the file's text stays; the other one is kept as a version (F8)", True)


@pytest.mark.slow
@KINDS
def test_leaving_with_a_question_open_saves_what_was_typed(novel, kind):
    async def story(app, pilot, page):
        await typed(pilot, "my hero")
        await press(pilot, "ctrl+q")
        return page.manuscript.text.startswith("my hero")

    assert asked(novel, kind, story)


@pytest.mark.slow
def test_what_was_typed_while_one_was_finding_is_looked_for_and_not_written(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "ctrl+f", "n")
        await conflict(pilot, app, page, novel)
        await typed(pilot, "ight")
        await press(pilot, "escape")
        return page.focused.value, page.manuscript.text

    assert on_page(novel, story) == ("night", f"Mine. {NIGHT}")


# Screens that were asked for, and come a while later.


def looked_up(engine):
    request = engine.last(Write)
    return Sent(request.job, context_of(request))


def surveyed(engine):
    return ModelsListed(
        engine.last(ListModels).job, 16.0, (ModelOffer("org/model", "Model", 1.0, 2.0, "MIT", "Writes."),)
    )


LATE = pytest.mark.parametrize(
    ("title", "answer", "screen"),
    [("What the model is sent", looked_up, ContextScreen), ("Models", surveyed, ModelsScreen)],
)


@LATE
def test_a_screen_that_comes_late_opens_for_who_waits(novel, title, answer, screen):
    async def story(app, pilot, engine, page):
        await by_palette(pilot, title)
        await says(pilot, engine, answer(engine))
        return type(app.screen)

    assert on_page(novel, story) is screen


@pytest.mark.slow
@LATE
@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x50"])
def test_it_does_not_open_for_who_has_gone_on_writing(novel, size, title, answer, screen):
    async def story(app, pilot, engine, page):
        await by_palette(pilot, title)
        await typed(pilot, "m")
        await says(pilot, engine, answer(engine))
        await typed(pilot, "y hero")
        return app.screen is page, page.manuscript.text

    assert on_page(novel, story, size) == (True, f"my hero{NIGHT}")


@LATE
def test_it_does_not_open_over_another_screen(novel, title, answer, screen):
    async def story(app, pilot, engine, page):
        await by_palette(pilot, title)
        await press(pilot, "f8")
        await says(pilot, engine, answer(engine))
        return type(app.screen), notified(app)

    shown, told = on_page(novel, story)
    assert shown is HistoryScreen
    assert "is ready; ask for it again" in told
