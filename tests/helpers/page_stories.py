"""Stories of a writer at the page: by the keyboard or the palette alone, with an engine that a script speaks for."""

import asyncio
from dataclasses import replace

from textual.events import Paste

from helpers.scripted_engine import studio

SIZES = [(80, 24), (160, 50)]


def on_page(path, story, size=(80, 24), **settings):
    """Run `story(app, pilot, engine, page)` with a text open, the cursor at its start, and these settings."""

    async def run():
        app, engines = studio(path)
        app.settings = replace(app.settings, **settings)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await pilot.pause()
            page = app.screen_stack[1]
            page.editor.select(0, 0)
            try:
                return await story(app, pilot, engines[0], page)
            finally:
                page.manuscript.close()  # or the files of all stories would stay open

    return asyncio.run(run())


async def press(pilot, *keys):
    await pilot.press(*keys)
    await pilot.pause()


async def typed(pilot, text):
    """Type a text, letter by letter."""
    await press(pilot, *("space" if letter == " " else letter for letter in text))


async def pasted(pilot, text):
    """Paste a text, which is much quicker than to type it."""
    pilot.app.post_message(Paste(text))
    await pilot.pause()


async def by_palette(pilot, title):
    """Do what the palette has under a title."""
    commands = {command.title: command for command in pilot.app.get_system_commands(pilot.app.screen)}
    await commands[title].callback()
    await pilot.pause()


async def until(pilot, condition):
    """Wait for something that a disk or a worker does."""
    for _ in range(500):
        if condition():
            return
        await pilot.pause(0.01)
    raise AssertionError("it has not come")


async def says(pilot, engine, *events):
    """Have the engine say something, and the studio take it in."""
    engine.say(*events)
    await pilot.pause()
    await pilot.pause()


async def draft(pilot, engine, *texts, end=True):
    """Have the voices go on from the end of the text."""
    await press(pilot, "ctrl+end", "ctrl+g")
    engine.write(*texts, end=end)
    await pilot.pause()
    await pilot.pause()


def notified(app):
    """Return what was said above everything else."""
    return " ".join(notification.message for notification in app._notifications)


def chorus_texts(screen):
    """Return what each voice of a chorus has written."""
    return tuple(column.text for column in screen._columns)
