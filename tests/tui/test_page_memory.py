"""What the page holds in memory does not grow with how much is written on it."""

import gc

from helpers.page_stories import draft, on_page, press
from textual.widget import Widget


def test_nothing_that_was_shown_before_is_held(novel):
    async def story(app, pilot, engine, page):
        async def held_after(drafts):
            for key in ["tab", "escape"] * drafts:
                await draft(pilot, engine, " She went on.")
                await press(pilot, key)
            gc.collect()
            return sum(isinstance(one, Widget) for one in gc.get_objects())

        return await held_after(1), await held_after(3)

    before, after = on_page(novel, story)
    assert after <= before
