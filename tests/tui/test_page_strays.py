"""A text with bytes that are no text at the page: each is a sign there, and stays in the file what it was."""

import pytest
from helpers.page_stories import by_palette, notified, on_page, press, typed
from helpers.screen_host import shown
from textual.events import Paste

from billy_mlx.manuscript.textfile import NotText, read_text_file
from billy_mlx.text import STRAY
from billy_mlx.tui.screens.importing import ImportScreen
from billy_mlx.tui.vector_job import text_to_learn
from billy_mlx.write.messages import Write

SHOWN = "\N{REPLACEMENT CHARACTER}"
BAD = b"It was \xe2\x80\x9ca\xe2\x80\x9d dark \xff night.\nThe lamp"


def seen(page):
    return "\n".join(page.editor.render_line(y).text.strip() for y in range(3))


def test_it_opens_and_is_shown_and_said_and_saved_as_the_byte(novel):
    novel.write_bytes(BAD)

    async def story(app, pilot, engine, page):
        said = page.status.message + notified(app)
        assert f"line 1 has 1 byte that is no text, shown as {SHOWN} and kept" in said
        assert f"dark {SHOWN} night." in seen(page)
        await typed(pilot, "Oh ")
        await press(pilot, "ctrl+s")
        assert novel.read_bytes() == b"Oh " + BAD

    on_page(novel, story)


@pytest.mark.slow
def test_the_cursor_and_deleting_take_it_for_one_character(novel):
    novel.write_bytes(BAD)

    async def story(app, pilot, engine, page):
        place = page.manuscript.text.index(chr(STRAY[0xFF]))
        page.editor.select(place, place)
        await press(pilot, "delete")
        await press(pilot, "ctrl+z")
        assert f"dark {SHOWN} night." in seen(page)
        await press(pilot, "ctrl+s")
        assert novel.read_bytes() == BAD
        page.editor.select(place, place)
        await press(pilot, "delete", "ctrl+s")
        assert novel.read_bytes() == BAD.replace(b"\xff", b"")

    on_page(novel, story)


def test_a_copy_has_the_sign_and_what_is_pasted_is_no_byte(novel):
    novel.write_bytes(BAD)

    async def story(app, pilot, engine, page):
        await press(pilot, "f7", "ctrl+c")
        assert app.clipboard == BAD.decode(errors="replace")
        page.editor.select(0, 0)
        app.post_message(Paste(chr(STRAY[0xFE])))
        await pilot.pause()
        await press(pilot, "ctrl+s")
        assert novel.read_bytes() == SHOWN.encode() + BAD

    on_page(novel, story)


def test_the_model_is_sent_the_sign_and_what_is_learnt_has_it(novel):
    novel.write_bytes(BAD)

    async def story(app, pilot, engine, page):
        await press(pilot, "ctrl+end", "ctrl+g")
        assert engine.last(Write).text == BAD.decode(errors="replace")
        await press(pilot, "escape")
        assert text_to_learn(None, page.manuscript)[0] == BAD.decode(errors="replace")
        assert text_to_learn(novel, None)[0] == BAD.decode(errors="replace")

    on_page(novel, story)


@pytest.mark.slow
def test_no_screen_shows_what_the_byte_is_kept_as(novel):
    novel.write_bytes(BAD)
    strays = {chr(code) for code in STRAY}

    async def story(app, pilot, engine, page):
        place = page.manuscript.text.index(chr(STRAY[0xFF]))
        await typed(pilot, "Oh ")
        page.editor.select(place, place + 9)
        for title in ("Find", "Versions", "Export", "Who wrote what"):
            await by_palette(pilot, title)
            await pilot.pause()
            drawn = "".join(segment.text for line in app.screen._compositor.render_strips() for segment in line)
            assert not strays & {*drawn}, title
            await press(pilot, "escape")

    on_page(novel, story)


def test_what_cannot_be_opened_can_be_imported_from_the_first_screen(novel):
    novel.write_bytes("Der Wärter zählte die Lichter über dem Hafen.\n".encode("cp1252") * 5)
    with pytest.raises(NotText, match="import it into a new text instead"):
        text_to_learn(novel, None)
    host = shown(ImportScreen(novel), "ctrl+s")
    text = read_text_file(host.given[0])
    assert text is not None
    assert text.text.startswith("Der Wärter zählte")
