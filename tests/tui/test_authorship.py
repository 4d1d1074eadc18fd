"""Who wrote what, asked at the page: the legend of the margin, and the passage at the cursor."""

from dataclasses import replace

import pytest
from helpers.page_stories import SIZES, by_palette, draft, on_page, press, says
from helpers.screen_host import lines_of
from helpers.scripted_engine import passage_of

from billy_mlx.engine.messages import Ended
from billy_mlx.write.messages import VoicesWrote, Write, Written

NIGHT = "It was a dark night.\n"
BLEND = "gothic:0.5+noir:0.5@1/layered"
DATE = "2023-11-14T12:00:00+00:00"


@pytest.fixture
def novel(tmp_path):
    path = tmp_path / "novel.md"
    path.write_text(NIGHT)
    return path


def ended(engine, text):
    """Return what says that the last request has written this, and when."""
    request = engine.last(Write)
    passage = replace(passage_of(text, request.voices[0].spelled), date=DATE)
    return Written(request.job, 0, passage), Ended(request.job)


async def taken(pilot, engine, text):
    """Have the voices write a text, and take it when it has ended."""
    await draft(pilot, engine, text, end=False)
    await says(pilot, engine, *ended(engine, text))
    await press(pilot, "tab")


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x50"])
def test_the_legend_says_which_letter_is_whose_and_since_when(novel, size):
    async def story(app, pilot, engine, page):
        await taken(pilot, engine, "The rain came in.")
        await press(pilot, "enter", "Y")
        await by_palette(pilot, "Who wrote what")
        return lines_of(app)

    lines = [line.strip() for line in on_page(novel, story, size, blend=BLEND)]
    assert "At the cursor: you wrote this." in lines
    assert "none  you · 1 word" in lines
    (voice,) = [line for line in lines if line.startswith("▎a")]
    assert "Half Gothic, half Noir" in voice
    assert "14 Nov 2023" in voice
    assert voice.endswith("1 passage, 4 words")
    assert "·     already there, or added by another program · 5 words" in lines
    assert "does not say who wrote the sentence" in " ".join(lines)


def test_the_passage_at_the_cursor_says_who_wrote_it_and_when(novel):
    async def story(app, pilot, engine, page):
        await taken(pilot, engine, "The rain came in.")
        said = []
        for place in (0, len(NIGHT) + 3):
            page.editor.select(place, place)
            await by_palette(pilot, "Who wrote this")
            said.append(page.status.message)
        return said

    there, voice = on_page(novel, story, (160, 50), blend=BLEND)
    assert there.startswith("this was already there")
    assert voice.startswith("this is by ")
    assert "half Noir" in voice
    assert "14 Nov 2023" in voice
    assert voice.endswith("model scripted")


def test_a_passage_has_its_letter_before_it_has_ended(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, "The rain came.", end=False)
        page.drafts.accept_word()
        author = page.manuscript.prose.authors.runs[-1][1]
        before = page.editor.mark_of(author)
        await says(pilot, engine, VoicesWrote(engine.last(Write).job, {0: " It stayed."}), *ended(engine, "The rain"))
        return before, page.editor.mark_of(author)

    assert on_page(novel, story) == ("▎a", "▎a")


def test_colours_of_a_persona_are_said_to_be_measured(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "f5")
        told = page.status.message
        await press(pilot, "A")
        return told, str(page.status.render())

    told, status = on_page(novel, story, (160, 50), blend=BLEND)
    assert told.startswith("the colours measure how much each sentence reads like Gothic")
    assert told.endswith("whoever wrote it")
    assert "measured likeness to Gothic" in status
