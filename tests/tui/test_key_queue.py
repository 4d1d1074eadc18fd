"""Keys that come all at once, as from quick hands, go where the gesture before them leads."""

import pytest
from helpers.page_stories import chorus_texts, on_page, press, until
from textual.events import Key, Paste
from textual.widgets import Input

from billy_mlx.tui import key_queue

NIGHT = "It was a dark night."


async def burst(pilot, *keys):
    """Have keys come before any of them was seen to."""
    for key in keys:
        pilot.app.post_message(Key({" ": "space"}.get(key, key), key if len(key) == 1 else None))
    await pilot.pause()
    await pilot.pause()


@pytest.fixture
def novel(tmp_path):
    path = tmp_path / "novel.md"
    path.write_text(NIGHT, encoding="utf-8")
    return path


def fields(app):
    """Return what was typed into the fields of the screen."""
    return [field.value for field in app.screen.query(Input)]


@pytest.mark.parametrize("key", ["ctrl+f", "ctrl+o", "f1", "ctrl+p"])
def test_what_follows_a_key_is_typed_where_that_leads(novel, key):
    async def story(app, pilot, engine, page):
        await burst(pilot, key, *"moon ", "backspace", "s")
        await until(pilot, lambda: "moons" in fields(app))
        return page.manuscript.text

    assert on_page(novel, story) == NIGHT


def test_so_is_what_is_pasted(novel):
    async def story(app, pilot, engine, page):
        app.post_message(Key("ctrl+f", None))
        app.post_message(Paste("moon"))
        await until(pilot, lambda: "moon" in fields(app))
        return page.manuscript.text

    assert on_page(novel, story) == NIGHT


@pytest.mark.slow
def test_a_digit_behind_the_voices_turns_a_dial_and_a_letter_behind_escape_is_text(novel):
    async def story(app, pilot, engine, page):
        await burst(pilot, "f2", "3", "escape", "A", "f2", "4", "escape", "B")
        await until(pilot, lambda: "B" in page.manuscript.text)
        return page.manuscript.text, str(page.blend)

    assert on_page(novel, story) == (f"AB{NIGHT}", "fairy-tale:0.5+gothic:0.5@0.4/layered")


def test_letters_and_gestures_stay_in_their_order(novel):
    async def story(app, pilot, engine, page):
        await burst(pilot, "a", "end", "b", "home", "c", "right", "d", "ctrl+z", "ctrl+end", "e")
        await until(pilot, lambda: page.manuscript.text.endswith("e"))
        return page.manuscript.text

    assert on_page(novel, story) == f"ca{NIGHT}be"


@pytest.mark.slow
def test_a_version_is_named_by_keys_that_come_at_once(novel):
    async def story(app, pilot, engine, page):
        await burst(pilot, "f8", "k", *"first", "enter", "escape", "Z")
        await until(pilot, lambda: page.manuscript.text.startswith("Z"))
        return page.manuscript.versions.checkpoints

    assert "first" in on_page(novel, story)


@pytest.mark.slow
def test_the_chorus_takes_of_the_voice_that_was_just_gone_to(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "ctrl+end", "f3")
        await until(pilot, lambda: app.screen is not page)
        engine.write(" One.", " Two.", " Three.")
        await until(pilot, lambda: "Three" in str(chorus_texts(app.screen)))
        await burst(pilot, "right", "ctrl+t")
        await until(pilot, lambda: page.manuscript.text != NIGHT)
        return page.manuscript.text

    assert on_page(novel, story) == f"{NIGHT} Two."


def test_a_gesture_that_never_ends_leaves_no_dead_keyboard(novel, monkeypatch):
    async def story(app, pilot, engine, page):
        await burst(pilot, "home", "a")
        await until(pilot, lambda: page.manuscript.text == f"a{NIGHT}")

    monkeypatch.setattr(key_queue, "LONGEST_SECONDS", 0.05)
    monkeypatch.setattr(key_queue.KeyQueue, "_see_all", lambda *_: None)
    on_page(novel, story)
