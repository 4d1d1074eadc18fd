"""A model that nobody needs gives its memory back, and comes back with the next request."""

import pytest
from helpers.page_stories import on_page, press, says
from helpers.scripted_engine import MODEL, VOICES

from billy_mlx.engine.messages import Loaded, Loading, Unload, Unloaded
from billy_mlx.tui.engine_client import EngineClient

AWAY = Unloaded("scripted is put away until you need it", until_needed=True)


def asked_to(engine):
    return [request for request in engine.asked if isinstance(request, Unload)]


def wait(app, minutes):
    """Have minutes go by in which nothing is asked."""
    app.engine._last -= 60 * minutes
    app.unload_if_idle()


def test_it_is_unloaded_after_the_minutes_of_the_setting_and_once(novel):
    async def story(app, pilot, engine, page):
        wait(app, 9)
        assert not asked_to(engine)
        wait(app, 2)
        assert len(asked_to(engine)) == 1
        await says(pilot, engine, AWAY)
        wait(app, 11)
        assert len(asked_to(engine)) == 1
        assert "put away until you need it" in str(page.status.render())

    on_page(novel, story, size=(120, 24), unload_minutes=10)


def test_0_is_never(novel):
    async def story(app, pilot, engine, page):
        wait(app, 1000)
        assert not asked_to(engine)

    on_page(novel, story, unload_minutes=0)


@pytest.mark.slow
def test_the_next_request_brings_it_back_and_says_so_and_nothing_else_changes(novel):
    async def story(app, pilot, engine, page):
        before = page.blend
        await says(pilot, engine, AWAY)
        await press(pilot, "ctrl+end", "ctrl+g")
        await says(pilot, engine, Loading("loading scripted again ..."))
        page.show()
        assert "loading scripted again" in str(page.status.render())
        await says(pilot, engine, Loaded(MODEL, VOICES, again=True))
        engine.write(" went out.")
        await pilot.pause()
        assert page.drafts.draft.alternatives[0].text == " went out."
        assert (page.blend, app.model) == (before, MODEL)

    on_page(novel, story)


def test_what_the_engine_says_counts_as_need_of_it():
    times = iter([0.0, 100.0, 130.0])
    client = EngineClient(lambda: next(times))
    client.note_event()
    assert client.quiet_seconds == 30
