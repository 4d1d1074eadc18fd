"""Draws the pictures of the studio: the real one, with the starter model, on a page of a story.

    make pictures

They are written to docs/pictures/ anew each time, and differ a little: the seed is a new one.
"""

import asyncio
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.screen import Screen

from billy_mlx import paths
from billy_mlx.blend.blend import Blend
from billy_mlx.tui.app import Studio
from billy_mlx.tui.screens.chorus import ChorusColumn
from billy_mlx.tui.screens.writing import WritingScreen

FOLDER = Path(__file__).parent / "pictures"
SIZE = (110, 32)
PATIENCE_SECONDS = 180
_BLEND = "noir:0.6+lyrical:0.4@0.7"
_FOREIGN = re.compile(r"@font-face\s*\{.*?\}\s*|<!--.*?-->\s*", re.DOTALL)  # they name addresses
_STORY = "\n\n".join(
    (
        "# The Harbour Clock",
        "The clock on the customs house had stopped at ten past four, and nobody could say in which year. "
        "Marta set her watch by it all the same. A clock that is always wrong, her father used to say, is at least "
        "something you can rely on.",
        "On the night the ferry did not come she stood below it with her collar up. Rain ran down the green copper "
        "hands. From the end of the pier came the sound of someone walking, slowly, who did not want to be early.",
    )
)


async def draw(text: Path) -> None:
    """Write on `text` as a writer would, and take pictures on the way."""
    studio = Studio(text)
    async with studio.run_test(size=SIZE) as pilot:
        page = studio.screen
        if not isinstance(page, WritingScreen):
            raise SystemExit("the story cannot be opened")
        await _until(pilot, lambda: studio.model is not None)
        await _draw_page(pilot, page)
        await _draw_chorus(pilot, page)
        await _draw_heat(pilot, page)
        studio.leave()


async def _draw_page(pilot: Pilot[None], page: WritingScreen) -> None:
    """Have two voices go on, draw that while they write, and take it."""
    page.blend = Blend.parse(_BLEND)
    page.voices.show()
    await pilot.press("ctrl+end", "ctrl+g")
    await _until(pilot, lambda: len(_draft_text(page)) > 250 or not page.drafts.running)
    await _shoot(pilot, "page")
    await _until(pilot, lambda: not page.drafts.running)
    await pilot.press("tab")


async def _draw_chorus(pilot: Pilot[None], page: WritingScreen) -> None:
    """Have the chorus go on, draw that while it writes, and put it away."""
    await pilot.press("f3")
    await _until(pilot, lambda: _sung(pilot.app.screen) > 900 or not page.drafts.running)
    await _shoot(pilot, "chorus")
    await pilot.press("ctrl+x", "escape")
    await _until(pilot, lambda: pilot.app.screen is page and not page.drafts.running)
    page.drafts.put_away()


async def _draw_heat(pilot: Pilot[None], page: WritingScreen) -> None:
    """Colour the text by a persona, and draw it once the model has read all."""
    page.editor.colouring = "lyrical"
    page.rest()
    await _until(pilot, lambda: page.colours.scores.running)
    await _until(pilot, lambda: not page.colours.scores.running)
    await pilot.press("ctrl+home")
    await _shoot(pilot, "heat")


def _draft_text(page: WritingScreen) -> str:
    draft = page.drafts.draft
    return draft.alternatives[draft.shown].text if draft is not None and draft.alternatives else ""


def _sung(screen: Screen[Any]) -> int:
    """Return how many characters all voices together have written."""
    return sum(len(column.text) for column in screen.query(ChorusColumn))


async def _until(pilot: Pilot[None], met: Callable[[], bool]) -> None:
    """Wait for something that the engine or a screen does. Raises TimeoutError if it does not come."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not met():
            await pilot.pause(0.05)


async def _shoot(pilot: Pilot[None], name: str) -> None:
    """Keep what is on the screen as a picture."""
    await pilot.pause(0.3)
    keep(name, pilot.app.export_screenshot(title="billy"))


def keep(name: str, svg: str) -> None:
    """Write a picture that names no other computer, for fonts or thanks."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.svg").write_text(_FOREIGN.sub("", svg), encoding="utf-8")


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder for texts, and have billy's home be in it, with the models of the real one."""
    cache = paths.cache_folder()
    with tempfile.TemporaryDirectory(prefix="billy-") as folder:
        home = Path(folder) / "home"
        home.mkdir()
        (home / "cache").symlink_to(cache)
        os.environ["BILLY_HOME"] = str(home)
        yield Path(folder)


def main() -> None:
    """Draw all of them."""
    with scratch() as folder:
        story = folder / "harbour.md"
        story.write_text(_STORY, encoding="utf-8")
        asyncio.run(draw(story))


if __name__ == "__main__":
    main()
