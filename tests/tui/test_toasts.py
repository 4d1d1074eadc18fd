"""Messages above everything else: they never cover what one writes on, looks for, or has to know."""

import asyncio

import pytest
from helpers.disk_faults import faults
from helpers.page_stories import press
from helpers.scripted_engine import studio
from textual.geometry import Region
from textual.widgets._toast import Toast

from billy_mlx.tui.screens.find import FindBar

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 50), (40, 12)], ids=["80x24", "160x50", "40x12"])
LONG = "NOT SAVED: No space left on device: /home/mara/Documents/novels/the harbour/chapter one.md; " * 3
TEXT = "\n".join(f"This is line {number}." for number in range(100))


@pytest.fixture
def page_of(novel):
    """Run `story(app, pilot, page)` with a long text open, where messages are shown."""
    novel.write_text(TEXT)

    def run(size, story):
        async def shown():
            app, _ = studio(novel)
            async with app.run_test(size=size, notifications=True) as pilot:
                await pilot.pause()
                await pilot.pause()
                return await story(app, pilot, app.screen_stack[1])

        return asyncio.run(shown())

    return run


def covered(page, *also):
    """Return what messages stand on that they must not, and how many messages can be seen."""
    line = page.editor.cursor_screen_offset.y
    kept = {"cursor": Region(0, line, page.size.width, 1), "status": page.status.region}
    kept |= {f"find {bar.id}": bar.region for bar in page.query(FindBar)}
    toasts = [page.find_widget(toast).visible_region for toast in page.query(Toast)]
    seen = [region for region in toasts if region.area]
    return {name for name, place in kept.items() for region in seen if region.overlaps(place)}, len(seen)


@pytest.mark.slow
@SIZES
@pytest.mark.parametrize("finding", [False, True], ids=["writing", "finding"])
def test_messages_stay_off_the_cursor_s_line_the_find_bar_and_the_status(page_of, size, finding):
    async def story(app, pilot, page):
        found = []
        await press(pilot, *(["ctrl+f"] if finding else []))
        for message in ("Short.", LONG, f"Again. {LONG}"):
            app.notify(message, timeout=100)
            for line in (0, 3, 50, 99, 97):
                offset = TEXT.index(f"line {line}.")
                page.editor.select(offset, offset)
                page.editor.scroll_cursor_visible()
                await pilot.pause()
                await pilot.pause()
                found.append(covered(page))
        return {name for names, _ in found for name in names}, min(count for _, count in found)

    names, fewest = page_of(size, story)
    assert names == set()
    assert fewest > 0


@SIZES
def test_they_stay_off_when_the_find_bar_opens_and_the_window_shrinks(page_of, size):
    async def story(app, pilot, page):
        app.notify(LONG, timeout=100)
        await press(pilot, "ctrl+f")
        await pilot.pause()
        opened = covered(page)[0]
        await pilot.resize_terminal(size[0], size[1] - 2)
        await pilot.pause()
        shrunk = covered(page)[0]
        await press(pilot, "escape")
        await pilot.pause()
        return opened | shrunk | covered(page)[0]

    assert page_of(size, story) == set()


@pytest.mark.slow
def test_what_there_is_no_room_for_is_cut_and_seen_to_be(page_of):
    async def story(app, pilot, page):
        app.notify(LONG * 2, timeout=100)
        await pilot.pause()
        return [notification.message for notification in app._notifications][-1]

    assert page_of((40, 12), story).endswith("…")
    assert page_of((160, 50), story) == LONG * 2


@SIZES
def test_not_saved_is_on_the_screen_whatever_else_there_is(page_of, novel, size):
    async def story(app, pilot, page):
        app.settings = app.settings.__class__(word_goal=100000)
        with faults(novel.parent, fail=lambda number, name: 28 if name == "write" else None):
            await press(pilot, "A", "ctrl+s")
            await pilot.pause()
        strip = page._compositor.render_strips()[page.status.region.y]
        return "".join(segment.text for segment in strip)

    assert "NOT SAVED" in page_of(size, story)
