"""The main screens look as they did: their text and marks, without colours, as in tests/tui/snapshots.

After a wanted change, have the files written anew, and look at what has changed in them:

    BILLY_WRITE_SNAPSHOTS=1 pytest tests/tui/test_snapshots.py
"""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.screen_host import lines_of
from helpers.scripted_engine import studio

SNAPSHOTS = Path(__file__).parent / "snapshots"
STORY = "The keeper of the light looked out over the water.\n\nNothing moved, and nobody came."
DRAFTED = " The lamp burned low behind him. He had not slept."


async def start(app, engine, pilot):
    pass


async def page(app, engine, pilot):
    await pilot.press("ctrl+end", "ctrl+g")
    engine.write(DRAFTED)
    await pilot.pause()
    await pilot.press("tab", "ctrl+g")
    engine.write(" Then the horn sounded, far out and once.", end=False)
    await pilot.press("f2", "down")
    app.screen.show()  # which otherwise waits for its next frame


async def chorus(app, engine, pilot):
    await pilot.press("ctrl+end", "f3")
    engine.write(DRAFTED, " It was the sea that had changed.", " He waited.", end=False)
    await pilot.press("right", "ctrl+t")


async def blind_chorus(app, engine, pilot):
    app.settings = replace(app.settings, blind_chorus=True)
    await pilot.press("ctrl+end", "f3")
    engine.write(DRAFTED, " It was the sea that had changed.", " He waited.")


async def help(app, engine, pilot):
    await pilot.press("f1")


@pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids=["80x24", "160x50"])
@pytest.mark.parametrize("story", [start, page, chorus, blind_chorus, help], ids=lambda story: story.__name__)
def test_a_screen_looks_as_it_did(tmp_path, story, size):
    shown = screen_of(tmp_path, story, size)
    path = SNAPSHOTS / f"{story.__name__}-{size[0]}x{size[1]}.txt"
    if os.environ.get("BILLY_WRITE_SNAPSHOTS"):
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8")


def screen_of(folder, story, size):
    """Return the screen after a story, as lines of text without spaces at their ends."""
    novel = folder / "novel.md"
    novel.write_text(STORY, encoding="utf-8")

    async def run():
        app, engines = studio(None if story is start else novel)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await story(app, engines[0], pilot)
            await pilot.pause()
            return "".join(f"{line.rstrip()}\n" for line in lines_of(app))

    return asyncio.run(run())
