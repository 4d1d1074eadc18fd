"""A chorus at the page whose drafts have no names until one is kept."""

import re

import pytest
from helpers.page_stories import by_palette, chorus_texts, notified, on_page, press, says
from helpers.screen_host import seen

from billy_mlx.blend.blend import ALONE, Blend
from billy_mlx.engine.messages import Coherence, Failed
from billy_mlx.manuscript.choices import choices_file, read_choices
from billy_mlx.tui.screens.writing import WritingScreen
from billy_mlx.tui.settings import load_settings
from billy_mlx.write.messages import Write

pytestmark = pytest.mark.slow

NIGHT = "It was a dark night. The lamp"
SUNG = (" went out. Nobody moved.", " burned. It was warm.", " fell. It broke.")
TELLING = re.compile("noir|gothic|the model alone|frays", re.IGNORECASE)
NAMES = {"noir:1@1/layered": "Noir", "gothic:1@1/layered": "Gothic", "none": "the model alone"}
HIDDEN = {"blind_chorus": True, "blend": "", "voices_panel": False}


async def sing(pilot, engine, *texts, end=True, keys=("ctrl+end", "f3")):
    """Have the voices go on, and return whose the drafts are."""
    await press(pilot, *keys)
    engine.write(*(texts or SUNG), end=end)
    await says(pilot, engine)
    return [str(voice) for voice in engine.last(Write).voices]


def shown_on(pilot):
    """Return the words on the screen."""
    pictures = []
    seen(pictures)(pilot)
    return pictures[0]


def said_by(app, page):
    return page.status.message + notified(app)


def choices():
    return [(list(one.offered), one.kept, one.model) for one in read_choices().lines]


@pytest.mark.parametrize("texts", [(), (SUNG[0], SUNG[1], "")], ids=["all", "but one"])
def test_drafts_have_no_names_until_one_is_kept(novel, texts):
    async def story(app, pilot, engine, page):
        voices = await sing(pilot, engine, *texts)
        await says(pilot, engine, Coherence(engine.last(Write).job, 1, 9.0, 2.0))
        before = shown_on(pilot)
        await press(pilot, "right", "enter")
        return voices, before, page.manuscript.text, type(app.screen), said_by(app, page)

    voices, before, text, screen, said = on_page(novel, story, **HIDDEN)
    assert TELLING.search(before) is None
    assert all(name in before for name in ("» Draft 1", "Draft 2", "Draft 3"))
    assert (text, screen) == (f"{NIGHT}{SUNG[1]}", WritingScreen)
    assert f"That was {NAMES[voices[1]]}." in said
    offered = voices[: len([text for text in texts or SUNG if text])]
    assert choices() == [(offered, 1, "scripted")]


def test_the_first_sentence_that_is_taken_is_the_choice_and_the_names_are_told(novel):
    async def story(app, pilot, engine, page):
        voices = await sing(pilot, engine)
        await press(pilot, "ctrl+t")
        after = shown_on(pilot)
        await press(pilot, "right", "ctrl+t", "escape")
        return voices, after, page.manuscript.text

    voices, after, text = on_page(novel, story, **HIDDEN)
    assert f"That was {NAMES[voices[0]]}." in after
    assert all(NAMES[voice] in after for voice in voices)
    assert text == f"{NIGHT} went out. burned."
    assert choices() == [(voices, 0, "scripted")]


def test_leaving_without_a_choice_keeps_none_and_tells_nothing(novel):
    async def story(app, pilot, engine, page):
        voices = await sing(pilot, engine)
        await press(pilot, "escape")
        left = page.drafts.draft, said_by(app, page)
        await press(pilot, "ctrl+z")
        return voices, left, page.drafts.draft is not None

    voices, (draft, said), is_back = on_page(novel, story, **HIDDEN)
    assert (draft, is_back) == (None, True)
    assert "No draft was kept. Undo brings them back." in said
    assert TELLING.search(said) is None
    assert choices() == [(voices, None, "scripted")]


@pytest.mark.parametrize("event", ["leaves", "fails"])
def test_where_nothing_was_written_to_its_end_nothing_is_counted(novel, event):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine, "", "", "", end=False)
        if event == "fails":
            await says(pilot, engine, Failed(engine.last(Write).job, "there is too little memory; close something"))
        else:
            engine.write(" went", " burned", " fell", end=False)
            await says(pilot, engine)
            await press(pilot, "escape")
        return type(app.screen)

    assert on_page(novel, story, **HIDDEN) is WritingScreen
    assert choices() == []


def test_each_time_all_go_on_the_drafts_are_without_names_again_and_the_times_are_counted_apart(novel):
    async def story(app, pilot, engine, page):
        first = await sing(pilot, engine)
        second = await sing(pilot, engine, " shone.", " hissed.", " broke.", keys=["ctrl+n"])
        again = shown_on(pilot)
        await press(pilot, "ctrl+l")
        before = shown_on(pilot), chorus_texts(app.screen)
        await press(pilot, "right", "right", "enter")
        return first, second, again, before, page.manuscript.text

    first, second, again, (before, texts), text = on_page(novel, story, **HIDDEN)
    assert TELLING.search(again + before) is None
    assert (texts, text) == (SUNG, f"{NIGHT}{SUNG[2]}")
    assert choices() == [(first, 2, "scripted"), (second, None, "scripted")]


@pytest.mark.parametrize("how", ["key", "palette"])
def test_a_key_and_the_palette_hide_names_from_the_next_time_on_and_for_good(novel, how):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine)
        await (press(pilot, "b") if how == "key" else by_palette(pilot, "Blind"))
        known = shown_on(pilot)
        await sing(pilot, engine, keys=["ctrl+g"])
        hidden = shown_on(pilot)
        await press(pilot, "b", "escape")
        return known, hidden

    known, hidden = on_page(novel, story, blend="", voices_panel=False)
    assert "the model alone" in known
    assert "The next drafts come without names until you keep one; Ctrl+G has them written." in known
    assert TELLING.search(hidden) is None
    assert load_settings()[0].blind_chorus is False  # turned on, and off again


def test_the_setting_is_remembered(novel):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine)
        await press(pilot, "b")

    on_page(novel, story)
    assert load_settings()[0].blind_chorus is True


def test_choices_with_names_are_not_counted(novel):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine)
        await press(pilot, "enter")

    on_page(novel, story)
    assert choices() == []


def test_the_model_alone_writes_along_though_it_was_not_chosen(novel):
    async def story(app, pilot, engine, page):
        page.chorus._last_voices = (Blend.parse("noir"), Blend.parse("gothic"))
        await sing(pilot, engine)
        return engine.last(Write)

    asked = on_page(novel, story, **HIDDEN)
    assert ALONE in asked.voices
    assert len(asked.voices) == 3


def test_too_many_voices_for_a_blind_chorus_are_refused_in_a_sentence(novel):
    async def story(app, pilot, engine, page):
        page.chorus._last_voices = tuple(Blend.parse(f"noir:0.{weight}") for weight in range(1, 7))
        await press(pilot, "ctrl+end", "f3")
        return type(app.screen), said_by(app, page)

    screen, said = on_page(novel, story, **HIDDEN)
    assert screen is WritingScreen
    assert "1 to 5 voices beside the model alone" in said


def test_a_choice_that_cannot_be_written_down_is_in_the_text_all_the_same(novel):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine)
        choices_file().mkdir(parents=True)
        await press(pilot, "enter")
        return page.manuscript.text, said_by(app, page)

    text, said = on_page(novel, story, **HIDDEN)
    assert text == f"{NIGHT}{SUNG[0]}"
    assert "was not saved" in said


def test_the_order_that_is_shown_says_nothing_of_the_one_that_was_asked_for(novel):
    async def story(app, pilot, engine, page):
        orders = set()
        await sing(pilot, engine)
        for _ in range(8):
            orders.add(tuple(await sing(pilot, engine, keys=["ctrl+n"])))
        await press(pilot, "b")
        named = await sing(pilot, engine, keys=["ctrl+n"])
        return orders, named

    orders, named = on_page(novel, story, **HIDDEN)
    assert len(orders) > 1
    assert named == ["noir:1@1/layered", "gothic:1@1/layered", "none"]  # and not in the order of the last
