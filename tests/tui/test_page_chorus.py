"""A chorus at the page: the same continuation in several voices, and what is taken of it."""

from dataclasses import replace

import pytest
from helpers.page_stories import SIZES, chorus_texts, notified, on_page, press, says, until
from helpers.screen_host import seen
from helpers.scripted_engine import passage_of

from billy_mlx.blend.blend import ALONE, Blend
from billy_mlx.engine.messages import Coherence, Failed, Steer, Stop
from billy_mlx.tui.dials import Dials
from billy_mlx.tui.screens.chorus import ChorusScreen
from billy_mlx.tui.screens.chorus_voices import ChorusVoices
from billy_mlx.tui.screens.saved_blends import save_blend
from billy_mlx.tui.screens.writing import WritingScreen
from billy_mlx.write.messages import VoicesWrote, Write, Written

NIGHT = "It was a dark night. The lamp"
SUNG = (" went out. Nobody moved.", " burned. It was warm.", " fell.")


async def sing(pilot, engine, *texts, end=True):
    """Have the usual three voices go on from the end of the text."""
    await press(pilot, "ctrl+end", "f3")
    engine.write(*(texts or SUNG), end=end)
    await says(pilot, engine)


def shown_on(pilot):
    """Return the words on the screen."""
    pictures = []
    seen(pictures)(pilot)
    return pictures[0]


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x50"])
def test_one_voice_of_a_chorus_is_taken_whole(novel, size):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine)
        assert chorus_texts(app.screen) == SUNG
        await press(pilot, "right", "enter")
        return page.manuscript.text, type(app.screen), page.editor.has_focus

    assert on_page(novel, story, size) == (f"{NIGHT} burned. It was warm.", WritingScreen, True)


@pytest.mark.parametrize(
    ("blend", "voices"),
    [
        ("gothic:0.5+noir:0.5", ("gothic:0.5+noir:0.5", "noir:1@1/layered", "none")),
        ("", ("noir:1@1/layered", "gothic:1@1/layered", "none")),
    ],
)
def test_the_voices_are_the_blend_who_shows_best_and_the_model_alone(novel, blend, voices):
    async def story(app, pilot, engine, page):
        await press(pilot, "f3")
        return engine.last(Write).voices

    assert on_page(novel, story, blend=blend) == tuple(map(Blend.parse, voices))


@pytest.mark.slow
def test_the_voices_have_names(novel):
    save_blend("My dark", Dials.of(Blend.parse("gothic:0.5+noir:0.5")))

    async def story(app, pilot, engine, page):
        await press(pilot, "f3")
        return shown_on(pilot)

    shown = on_page(novel, story, blend="gothic:0.5+noir:0.5@1/layered")
    assert all(name in shown for name in ("» My dark", "Noir", "the model alone"))
    assert "@" not in shown


@pytest.mark.parametrize("blend", ["", "gothic:0.5+noir:0.5@1/layered"])
def test_every_voice_that_is_asked_for_says_its_mode(novel, blend):
    async def story(app, pilot, engine, page):
        await press(pilot, "f3")
        return engine.last(Write).voices

    *voices, control = on_page(novel, story, blend=blend)
    assert control == ALONE
    assert [voice.mode for voice in voices] == ["layered", "layered"]


@pytest.mark.slow
def test_a_chorus_sings_while_it_is_shown(novel):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine, " went", end=False)
        await says(pilot, engine, VoicesWrote(engine.last(Write).job, {0: " out", 1: " burned"}))
        await says(pilot, engine, Coherence(engine.last(Write).job, 1, 9.0, 2.0))
        return chorus_texts(app.screen), app.screen._columns[1]._holds

    assert on_page(novel, story) == ((" went out", " burned", ""), "! frays: lower the dose")


@pytest.mark.slow
def test_sentences_of_one_voice_are_taken_one_by_one(novel):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine)
        await press(pilot, "ctrl+t")
        first = page.manuscript.text
        await press(pilot, "ctrl+t", "escape")
        return first.strip(), page.manuscript.text, page.drafts.current

    assert on_page(novel, story) == (f"{NIGHT} went out.", f"{NIGHT} went out. Nobody moved.", None)


@pytest.mark.slow
def test_after_a_sentence_of_one_voice_a_sentence_of_another_is_taken(novel):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine)
        await press(pilot, "ctrl+t", "right", "ctrl+t", "left", "ctrl+t")
        return page.manuscript.text, [column.taken for column in app.screen._columns], shown_on(pilot)

    text, taken, shown = on_page(novel, story)
    assert text == f"{NIGHT} went out. burned. Nobody moved."
    assert taken == [len(SUNG[0]), len(" burned."), 0]
    assert "went out. burned. Nobody moved. » " in shown  # above the columns


@pytest.mark.slow
def test_a_voice_that_was_taken_to_its_end_leaves_the_others_to_be_taken(novel):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine)
        await press(pilot, "ctrl+t", "ctrl+t", "right", "enter")
        return page.manuscript.text, type(app.screen), page.manuscript.drafts.open

    text = f"{NIGHT} went out. Nobody moved. burned. It was warm."
    assert on_page(novel, story) == (text, WritingScreen, ())


@pytest.mark.slow
def test_a_sentence_of_another_voice_has_its_space_before_it(novel):
    async def story(app, pilot, engine, page):
        page.manuscript.edit(len(NIGHT), len(NIGHT), " fell. ")
        page.editor.sync()
        await sing(pilot, engine, "It was dark.", "Nobody moved.", "She ran.")
        await press(pilot, "ctrl+t", "right", "ctrl+t", "right", "enter")
        return page.manuscript.text

    assert on_page(novel, story) == f"{NIGHT} fell. It was dark. Nobody moved. She ran."


@pytest.mark.slow
def test_a_voice_taken_to_its_end_while_it_writes_leaves_the_others_to_be_taken(novel):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine, " fell.", " burned.", " broke.", end=False)
        await press(pilot, "ctrl+t")
        engine.finish(" fell.", " burned.", " broke.")
        await says(pilot, engine)
        await press(pilot, "right", "ctrl+t")
        return page.manuscript.text

    assert on_page(novel, story) == f"{NIGHT} fell. burned."


@pytest.mark.slow
def test_what_the_length_cut_is_not_taken_with_a_voice(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "ctrl+end", "f3")
        request, text = engine.last(Write), " went out. Nobody mo"
        engine.say(VoicesWrote(request.job, {0: text}))
        engine.say(Written(request.job, 0, replace(passage_of(text, request.voices[0].spelled), ended="length")))
        await says(pilot, engine)
        shown = chorus_texts(app.screen)[0]
        await press(pilot, "enter")
        return shown, page.manuscript.text

    assert on_page(novel, story) == (" went out.", f"{NIGHT} went out.")


@pytest.mark.slow
def test_all_voices_go_on_from_the_new_text(novel):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine)
        await press(pilot, "right", "ctrl+t", "ctrl+g")
        request = engine.last(Write)
        engine.write(" The fire", " A cat", " Snow")
        await says(pilot, engine)
        texts = chorus_texts(app.screen)
        await press(pilot, "right", "right", "enter")
        return request.text[: request.cursor], len(request.voices), texts, page.manuscript.text

    before = f"{NIGHT} burned."
    assert on_page(novel, story) == (before, 3, (" The fire", " A cat", " Snow"), f"{before} Snow")


@pytest.mark.slow
def test_what_was_written_before_all_went_on_can_still_be_taken(novel):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine)
        await press(pilot, "ctrl+t", "ctrl+g")
        engine.write(" The fire", " A cat", " Snow")
        await says(pilot, engine)
        await press(pilot, "ctrl+l")
        before, said = chorus_texts(app.screen), shown_on(pilot)
        await press(pilot, "right", "ctrl+t", "ctrl+l")
        last = chorus_texts(app.screen)
        await press(pilot, "enter")
        return before, said, last, page.manuscript.text, page.manuscript.drafts.open

    before, said, last, text, left = on_page(novel, story)
    assert (before, last, left) == (SUNG, (" The fire", " A cat", " Snow"), ())
    assert "What they wrote: time 1 of 2." in said
    assert text == f"{NIGHT} went out. burned. The fire"


@pytest.mark.slow
def test_voices_that_write_go_on_from_the_new_text_too(novel):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine, end=False)
        first = engine.last(Write)
        await press(pilot, "ctrl+t", "ctrl+g")
        stopped = engine.last(Stop) == Stop(first.job)
        engine.say(VoicesWrote(first.job, {1: " late"}))
        engine.write(" The fire")
        await says(pilot, engine)
        return stopped, chorus_texts(app.screen)[0], page.manuscript.text

    assert on_page(novel, story) == (True, " The fire", f"{NIGHT} went out.")


@pytest.mark.slow
def test_what_was_taken_is_taken_back_in_the_chorus(novel):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine)
        await press(pilot, "ctrl+t", "right", "ctrl+t", "ctrl+z")
        one = page.manuscript.text, [column.taken for column in app.screen._columns]
        await press(pilot, "ctrl+z", "ctrl+z")
        return one, page.manuscript.text, shown_on(pilot)

    one, text, shown = on_page(novel, story)
    assert one == (f"{NIGHT} went out.", [len(" went out."), 0, 0])
    assert text == NIGHT
    assert "Nothing from this chorus is in the text." in shown


@pytest.mark.slow
def test_what_was_written_for_a_text_goes_with_it(novel):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine)
        await press(pilot, "ctrl+t", "ctrl+g")
        engine.write(" The fire", " A cat", " Snow")
        await says(pilot, engine)
        await press(pilot, "ctrl+z")
        texts = chorus_texts(app.screen)
        await press(pilot, "right", "enter")
        return texts, page.manuscript.text

    assert on_page(novel, story) == (SUNG, f"{NIGHT} burned. It was warm.")


@pytest.mark.slow
def test_a_refusal_is_said_on_the_chorus_and_not_on_the_page_below(novel):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine)
        page.manuscript.close()
        await press(pilot, "ctrl+t")
        return shown_on(pilot), page.status.message, notified(app)

    shown, told, said = on_page(novel, story)
    assert "this text was closed; open it again" in shown
    assert (told, said) == ("", "")


@pytest.mark.slow
def test_leaving_a_chorus_leaves_no_second_draft_behind(novel):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine)
        await press(pilot, "ctrl+t", "ctrl+g")
        engine.write(" The fire", " A cat", " Snow")
        await says(pilot, engine)
        await press(pilot, "escape", "tab")
        return page.manuscript.text, page.manuscript.drafts.open

    assert on_page(novel, story) == (f"{NIGHT} went out. The fire", ())


@pytest.mark.slow
def test_a_chorus_writes_again_and_the_first_time_is_kept(novel):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine)
        await press(pilot, "ctrl+n")
        engine.write(" shone.", " hissed.", " broke.")
        await says(pilot, engine)
        shown = chorus_texts(app.screen)
        await press(pilot, "right", "enter")
        return shown, page.manuscript.text, len(page.manuscript.drafts.get(1).alternatives)

    assert on_page(novel, story) == ((" shone.", " hissed.", " broke."), f"{NIGHT} hissed.", 6)


@pytest.mark.slow
def test_all_voices_are_stopped_and_what_they_wrote_stays(novel):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine, " went", " burned", " fell", end=False)
        await press(pilot, "ctrl+x")
        stopped = engine.last(Stop) == Stop(engine.last(Write).job)
        engine.finish(" went", " burned", " fell", stopped=True)
        await says(pilot, engine)
        await press(pilot, "enter")
        return stopped, page.manuscript.text

    assert on_page(novel, story) == (True, f"{NIGHT} went")


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x50"])
def test_other_voices_are_chosen_and_sing(novel, size):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine)
        await press(pilot, "f2", "space", "enter")  # the first of those marked no longer sings
        return engine.last(Write).voices, chorus_texts(app.screen)

    voices, texts = on_page(novel, story, size, blend="gothic:0.5+noir:0.5")
    assert len(voices) == 2
    assert voices[-1] is ALONE
    assert texts == ("", "")


@pytest.mark.slow
def test_the_chosen_voices_sing_the_next_time_too(novel):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine)
        await press(pilot, "f2", "space", "enter")
        chosen = engine.last(Write).voices
        await press(pilot, "escape", "escape", "escape", "f3")
        return chosen == engine.last(Write).voices

    assert on_page(novel, story, blend="gothic:0.5+noir:0.5")


@pytest.mark.slow
def test_a_chorus_that_fails_leads_back_and_says_why(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "ctrl+end", "f3")
        await says(pilot, engine, Failed(engine.last(Write).job, "there is too little memory; close something"))
        return type(app.screen), page.manuscript.text, page.status.message, notified(app)

    screen, text, told, said = on_page(novel, story)
    assert (screen, text) == (WritingScreen, NIGHT)
    assert "too little memory" in told + said


@pytest.mark.slow
def test_a_chorus_that_fails_to_go_on_shows_what_was_written_before(novel):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine)
        await press(pilot, "ctrl+t", "ctrl+g")
        await says(pilot, engine, Failed(engine.last(Write).job, "there is too little memory; close something"))
        shown = shown_on(pilot)
        await press(pilot, "right", "ctrl+t")
        return chorus_texts(app.screen), shown, page.manuscript.text

    texts, shown, text = on_page(novel, story)
    assert (texts, text) == (SUNG, f"{NIGHT} went out. burned.")
    assert "too little memory" in shown


@pytest.mark.slow
def test_a_chorus_that_fails_while_voices_are_chosen_ends_nothing(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "ctrl+end", "f3", "f2")
        await says(pilot, engine, Failed(engine.last(Write).job, "there is too little memory; close something"))
        above = type(app.screen)
        await press(pilot, "escape")
        shown = shown_on(pilot)
        await press(pilot, "escape")
        return above, shown, type(app.screen), notified(app) + page.status.message

    above, shown, below, said = on_page(novel, story)
    assert (above, below) == (ChorusVoices, WritingScreen)
    assert "too little memory" in shown
    assert said == ""


@pytest.mark.slow
def test_leaving_a_chorus_keeps_its_draft_on_the_page(novel):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine)
        assert isinstance(app.screen, ChorusScreen)
        await press(pilot, "escape", "ctrl+l", "tab")
        return page.manuscript.text

    assert on_page(novel, story) == f"{NIGHT} burned. It was warm."


@pytest.mark.slow
def test_the_dials_steer_the_voice_that_is_shown(novel):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine, " went", " burned", " fell", end=False)
        await press(pilot, "escape", "ctrl+l", "f2", "right")
        return engine.last(Steer).voice

    assert on_page(novel, story) == 1


@pytest.mark.slow
def test_the_gauge_is_of_the_voice_that_is_looked_at(novel):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine)
        job = engine.last(Write).job
        await press(pilot, "escape")
        first = page.status.gauge
        await press(pilot, "ctrl+n")
        engine.write(" shone.", end=False)
        await says(pilot, engine, Coherence(engine.last(Write).job, 0, 9.0, 2.0), Coherence(job, 0, 9.0, 1.0))
        gauges = [page.status.gauge.ratio]
        await press(pilot, "ctrl+l")
        return first, gauges, page.status.gauge

    assert on_page(novel, story) == (None, [2.0], None)


@pytest.mark.slow
def test_the_gauge_goes_from_voice_to_voice_with_the_writer(novel):
    async def story(app, pilot, engine, page):
        await sing(pilot, engine, *SUNG, end=False)
        job = engine.last(Write).job
        await says(pilot, engine, Coherence(job, 0, 9.0, 1.0), Coherence(job, 1, 9.0, 2.0))
        await press(pilot, "escape")
        await until(pilot, lambda: page.status.gauge is not None)
        first = page.status.gauge.ratio
        await press(pilot, "ctrl+l")
        await until(pilot, lambda: page.status.gauge.ratio != first)
        return first, page.status.gauge.ratio

    assert on_page(novel, story) == (1.0, 2.0)


def test_a_chorus_needs_a_text_that_can_be_changed(novel):
    async def story(app, pilot, engine, page):
        page.manuscript.close()
        await press(pilot, "f3")
        return type(app.screen), page.status.message

    assert on_page(novel, story) == (WritingScreen, "this text was closed; open it again")
