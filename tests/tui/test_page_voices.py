"""Voices at the page: made, learnt, chosen, coloured by, and models to have them with."""

import pytest
from helpers.page_stories import SIZES, by_palette, draft, notified, on_page, pasted, press, says, until
from textual.widgets import Label

from billy_mlx.engine.messages import (
    Coherence,
    Compare,
    Compared,
    Ended,
    Estimated,
    EstimateTime,
    Failed,
    LearnVoice,
    ListModels,
    Load,
    ModelOffer,
    ModelsListed,
    ParagraphScored,
    Prepare,
    Progress,
    Read,
    SentenceScores,
    Steer,
    Stop,
    Unsteered,
    VectorInfo,
    VoiceReady,
)
from billy_mlx.tui.screens.models import ModelsScreen
from billy_mlx.tui.screens.personas import PersonasScreen
from billy_mlx.write.messages import VoicesWrote, Write

NIGHT = "It was a dark night. The lamp"
OFFER = ModelOffer("org/model", "Model", 1.0, 2.0, "Apache-2.0", "Writes well.", here=True)


def line_of(page):
    """Return what the voices panel says of a vector that is made."""
    return page.panel.progress


MAKE = ("x", "right", "enter")  # asks for a vector, and says yes once it is known how long that takes


# Vectors, while writing goes on.


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x50"])
def test_how_long_a_vector_takes_is_said_before_it_is_made(novel, size):
    async def story(app, pilot, engine, page):
        await press(pilot, "f2", "x")
        asked = engine.last(EstimateTime)
        before = question_of(app)
        await says(pilot, engine, Estimated(asked.job, 250.0))
        after = question_of(app)
        await press(pilot, "enter")  # later
        return asked.personas, before, after, [each for each in engine.asked if isinstance(each, Prepare)]

    asked, before, after, made = on_page(novel, story, size)
    assert asked == ("fairy-tale",)
    assert before == "Prepare Fairy Tale for this model? Working out how long this takes ..."
    assert after == "Prepare Fairy Tale for this model? This takes about 4 minutes; you can keep writing meanwhile."
    assert made == []


def question_of(app):
    return str(app.screen.query_one(Label).content)


@pytest.mark.slow
def test_a_vector_that_is_there_is_made_anew_only_when_that_is_wanted(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "f2", "down", "down", "x")
        return question_of(app)

    assert on_page(novel, story).startswith("Gothic is prepared already. Prepare again?")


@pytest.mark.slow
def test_how_far_a_vector_is_stands_below_the_page_at_80_columns(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "f2", *MAKE, "escape")
        page.status.message = ""
        begun = str(page.status.render())
        await says(pilot, engine, Progress(engine.last(Prepare).job, "preparing Fairy Tale", 0.25, 240.0))
        await draft(pilot, engine, " went", end=False)
        page.show()
        return begun, str(page.status.render()), page.panel.display

    begun, line, panel = on_page(novel, story)
    assert "preparing voices" in begun
    assert "writing  preparing voices: 25%, 4 min left" in line
    assert not panel


@pytest.mark.slow
def test_that_cancelling_was_heard_is_said_at_once(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "f2", *MAKE)
        await says(pilot, engine, Progress(engine.last(Prepare).job, "writing", 0.1))
        await press(pilot, "c")
        told = page.status.message
        await says(pilot, engine, Progress(engine.last(Prepare).job, "writing", 0.2))
        return told, line_of(page), page.status.preparing

    told, line, below = on_page(novel, story)
    assert told == line == "stopping after this step; what is done so far is kept"
    assert below == "preparing voices: stopping"


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x50"])
def test_a_vector_is_made_from_the_panel_while_a_draft_streams(novel, size):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went", end=False)
        await press(pilot, "f2", *MAKE)
        prepare = engine.last(Prepare)
        await says(pilot, engine, Progress(prepare.job, "writing as fairy-tale", 0.25, 240.0))
        shown = line_of(page)
        await says(pilot, engine, VoicesWrote(engine.last(Write).job, {0: " out"}))
        return prepare.personas, shown, page.editor.text

    personas, shown, text = on_page(novel, story, size)
    assert personas == ("fairy-tale",)  # the blend's other voice has a vector
    assert shown == "writing as fairy-tale: 25%, 4 min left (c: cancel)"
    assert text == f"{NIGHT} went out"


@pytest.mark.slow
def test_a_vector_that_is_made_is_there_at_once(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "f2", *MAKE)
        job = engine.last(Prepare).job
        await says(pilot, engine, Progress(job, "measuring", 0.9))
        await says(pilot, engine, VoiceReady(job, VectorInfo("fairy-tale", gentle=0.5)), Ended(job))
        return line_of(page), "fairy-tale" in page.panel.known, page.status.message

    assert on_page(novel, story) == ("", True, "the voices are ready")


@pytest.mark.slow
def test_making_a_vector_is_cancelled(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "f2", *MAKE)
        job = engine.last(Prepare).job
        await says(pilot, engine, Progress(job, "writing", 0.1))
        await press(pilot, "c")
        stopped = engine.last(Stop) == Stop(job)
        await says(pilot, engine, Ended(job, stopped=True))
        return stopped, line_of(page), page.status.message

    assert on_page(novel, story) == (True, "", "stopped; what is done so far is kept")


@pytest.mark.slow
def test_a_vector_that_cannot_be_made_says_why_and_another_can_be(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "f2", *MAKE)
        await says(pilot, engine, Failed(engine.last(Prepare).job, "the disk is full; make room"))
        told = page.status.message
        await press(pilot, *MAKE)
        return told, len([request for request in engine.asked if isinstance(request, Prepare)])

    assert on_page(novel, story) == ("the disk is full; make room", 2)


@pytest.mark.slow
def test_one_vector_is_made_at_a_time(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "f2", *MAKE, "x")
        made = [request for request in engine.asked if isinstance(request, Prepare)]
        return len(made), page.status.message + notified(app)

    made, said = on_page(novel, story)
    assert made == 1
    assert "being prepared already" in said


@pytest.mark.slow
def test_nothing_is_cancelled_where_nothing_is_made(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "f2", "c")
        return [request for request in engine.asked if isinstance(request, Stop)]

    assert on_page(novel, story) == []


# What the engine says of voices.


@pytest.mark.slow
def test_a_voice_that_cannot_be_steered_says_why(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went", end=False)
        await press(pilot, "f2", "right")
        await says(pilot, engine, Unsteered(engine.last(Steer).job, "fairy-tale has no vector yet"))
        return page.status.message, page.drafts.running

    assert on_page(novel, story) == ("fairy-tale has no vector yet", True)


@pytest.mark.slow
def test_the_gauge_warns_while_a_draft_frays_and_goes_with_it(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went", end=False)
        await says(pilot, engine, Coherence(engine.last(Write).job, 0, 20.0, 2.5))
        await until(pilot, lambda: page.status.gauge is not None)
        shown = str(page.status.render())
        await says(pilot, engine, Failed(engine.last(Write).job, "stopped"))
        await press(pilot, "escape", "escape")
        await until(pilot, lambda: page.status.gauge is None)
        return shown

    assert "the text frays: lower the dose" in on_page(novel, story)


# Personas.


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x50"])
def test_a_persona_chosen_among_all_joins_the_blend(novel, size):
    async def story(app, pilot, engine, page):
        await press(pilot, "f9")
        assert isinstance(app.screen, PersonasScreen)
        await press(pilot, "slash", *"noir", "enter")
        await press(pilot, "enter")
        await press(pilot, "ctrl+g")
        return app.screen is page, engine.last(Write).voices

    same, (blend,) = on_page(novel, story, size)
    assert same
    assert "noir" in blend.persona_ids


@pytest.mark.slow
def test_how_alike_voices_are_is_asked_for_and_shown(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "f9")
        compared = Compared(engine.last(Compare).job, ("gothic", "noir"), ((1.0, 0.5), (0.5, 1.0)), 2)
        await says(pilot, engine, compared)
        await press(pilot, "escape", "f9")
        return app.screen._compared == compared

    assert on_page(novel, story)


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x50"])
def test_a_voice_is_learnt_from_the_open_text(novel, size):
    async def story(app, pilot, engine, page):
        await press(pilot, "O", "h", "space", "f9", "w")
        await press(pilot, "enter")
        await press(pilot, "enter")
        asked = engine.last(LearnVoice)
        await says(pilot, engine, VoiceReady(asked.job, VectorInfo("my-voice", own=True)), Ended(asked.job))
        await press(pilot, "escape")
        return asked.persona_id, asked.text, asked.source, "my-voice" in page.panel.known

    assert on_page(novel, story, size) == ("my-voice", f"Oh {NIGHT}", "8 words of novel.md", True)


@pytest.mark.slow
def test_a_voice_is_learnt_from_a_file(novel):
    other = novel.with_name("other.md")
    other.write_text("Another text.")

    async def story(app, pilot, engine, page):
        await press(pilot, "f9", "w")
        await press(pilot, "enter")
        await pasted(pilot, str(other))
        await press(pilot, "enter")
        return engine.last(LearnVoice).text, engine.last(LearnVoice).source

    assert on_page(novel, story) == ("Another text.", "2 words of other.md")


# Colours.


def read_as(engine, **scores):
    """Have the paragraph that was asked for be read: its first sentence has these scores, the second none."""
    request = engine.last(Read)
    first = SentenceScores(0, 20, scores)
    second = SentenceScores(21, 29, dict.fromkeys(scores, 0.0))
    return ParagraphScored(request.job, request.paragraphs[0], (first, second)), Ended(request.job)


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x50"])
def test_colours_go_round_and_the_text_is_read_for_them(novel, size):
    async def story(app, pilot, engine, page):
        ways = [page.editor.colouring]
        for _ in range(3):
            await press(pilot, "f5")
            ways.append(page.editor.colouring)
        return ways, engine.last(Read).paragraphs

    assert on_page(novel, story, size) == (["authors", "gothic", "none", "authors"], (NIGHT,))


def test_scores_are_shown_against_the_average_of_the_text(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "f5")
        await says(pilot, engine, *read_as(engine, gothic=1.0))
        return [(heat.start, heat.end, heat.score) for heat in page.colours.scores.of(page.manuscript.text, "gothic")]

    assert on_page(novel, story) == [(0, 20, 0.5), (21, 29, -0.5)]


@pytest.mark.slow
def test_a_paragraph_is_read_once_until_it_changes(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "f5")
        await says(pilot, engine, *read_as(engine, gothic=1.0))
        await press(pilot, "f5", "f5", "f5")
        before = len([request for request in engine.asked if isinstance(request, Read)])
        await press(pilot, "A")
        page.rest()
        return before, engine.last(Read).paragraphs

    assert on_page(novel, story) == (1, (f"A{NIGHT}",))


def test_what_is_being_read_is_not_asked_for_again(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "f5")
        page.rest()
        return len([request for request in engine.asked if isinstance(request, Read | Stop)])

    assert on_page(novel, story) == 1


@pytest.mark.slow
def test_a_new_vector_has_the_text_read_anew(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "f5")
        await says(pilot, engine, *read_as(engine, gothic=1.0))
        await says(pilot, engine, VoiceReady(99, VectorInfo("gothic")))
        return len([request for request in engine.asked if isinstance(request, Read)])

    assert on_page(novel, story) == 2


def test_a_writer_who_wants_no_reading_is_told_why_there_are_no_colours(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "f5")
        return [request for request in engine.asked if isinstance(request, Read)], page.status.message + notified(app)

    asked, told = on_page(novel, story, reading=False)
    assert asked == []
    assert "Read in the background" in told


# Models.


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x50"])
def test_a_model_is_chosen_and_prepared_with_its_voices(novel, size):
    async def story(app, pilot, engine, page):
        await by_palette(pilot, "Models")
        await says(pilot, engine, ModelsListed(engine.last(ListModels).job, 16.0, (OFFER,)))
        await press(pilot, "enter")
        await press(pilot, "enter")
        return app.screen is page, engine.last(Prepare).model, len(engine.last(Prepare).personas)

    assert on_page(novel, story, size) == (True, "org/model", 4)


@pytest.mark.slow
def test_getting_a_model_is_followed_and_cancelled_among_the_models(novel):
    async def story(app, pilot, engine, page):
        await by_palette(pilot, "Models")
        await says(pilot, engine, ModelsListed(engine.last(ListModels).job, 16.0, (OFFER,)))
        await press(pilot, "enter")
        await press(pilot, "enter")
        job = engine.last(Prepare).job
        await says(pilot, engine, Progress(job, "downloading", 0.5, 600.0))
        await by_palette(pilot, "Models")
        await says(pilot, engine, ModelsListed(engine.last(ListModels).job, 16.0, (OFFER,)))
        await press(pilot, "c")
        return app.screen.progress.share, engine.last(Stop).job == job

    assert on_page(novel, story) == (0.5, True)


def test_what_cannot_be_surveyed_is_told(novel):
    async def story(app, pilot, engine, page):
        await by_palette(pilot, "Models")
        await says(pilot, engine, Failed(engine.last(ListModels).job, "the list of models cannot be read; look at it"))
        return page.status.message, isinstance(app.screen, ModelsScreen)

    assert on_page(novel, story, (160, 50)) == ("the list of models cannot be read; look at it", False)


def test_the_model_is_loaded_again(novel):
    async def story(app, pilot, engine, page):
        await by_palette(pilot, "Load the model again")
        return engine.last(Load)

    assert on_page(novel, story, model="org/model") == Load("org/model")
