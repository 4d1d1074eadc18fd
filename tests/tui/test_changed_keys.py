"""A key that the writer gave to a command does it on the page, also if a text area has a use for it."""

import asyncio

import pytest
from helpers.scripted_engine import studio

from billy_mlx.tui.settings import save_setting
from billy_mlx.write.messages import Write


@pytest.mark.parametrize("key", ["f6", "f11", "ctrl+b", "ctrl+u", "ctrl+w"])
def test_a_changed_key_does_its_command(novel, key):
    save_setting("keys", {"continue": key})

    async def story():
        app, engines = studio(novel)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            await pilot.press(key)
            return [type(request) for request in engines[0].asked]

    assert Write in asyncio.run(story())
