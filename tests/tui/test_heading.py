"""The line above the page: which text this is, and who goes on with it."""

import pytest
from helpers.page_stories import on_page, press
from helpers.screen_host import lines_of

from billy_mlx.blend.blend import ALONE, Blend
from billy_mlx.tui.messages import BlendChanged


@pytest.mark.parametrize("width", [80, 160])
def test_text_and_blend_are_named_from_the_start(novel, width):
    async def story(app, pilot, engine, page):
        return lines_of(app)[0].split(maxsplit=1)

    name, blend = on_page(novel, story, (width, 24), blend="noir:0.6+lyrical:0.4")
    assert name == "novel.md"
    assert "Noir" in blend
    assert "Lyrical" in blend


@pytest.mark.parametrize("blend", [ALONE, Blend.parse("gothic")])
def test_another_blend_is_named_at_once(novel, blend):
    async def story(app, pilot, engine, page):
        page.panel.post_message(BlendChanged(blend))
        await pilot.pause()
        return lines_of(app)[0].split(maxsplit=1)[1].strip()

    assert on_page(novel, story) == ("Gothic" if blend.weights else "the model alone")


def test_in_a_narrow_window_both_are_still_to_be_told(novel):
    long = novel.with_name("字" * 20 + "\x1b.md")
    long.write_text("Once.")

    async def story(app, pilot, engine, page):
        return lines_of(app)[0]

    heading = on_page(long, story, (40, 12), blend="noir:0.6+lyrical:0.4")
    assert "字字字" in heading
    assert "… " in heading
    assert "Noir" in heading
    assert "\x1b" not in heading


def test_focus_mode_has_no_heading(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "f12")
        return page.heading.display, page.editor.size == app.size

    assert on_page(novel, story) == (False, True)
