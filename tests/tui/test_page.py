"""The page: what a writer does there, by the keyboard alone, with an engine that a script speaks for."""

import pytest
from helpers.page_stories import SIZES, draft, on_page, press, until
from helpers.screen_host import lines_of

from billy_mlx.blend.blend import Blend
from billy_mlx.engine.messages import Failed, Steer, Stop, Unloaded
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.write.messages import Write


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x50"])
def test_voices_go_on_and_the_writer_takes_it(novel, size):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went out. Nobody moved.")
        assert page.manuscript.text == "It was a dark night. The lamp"
        await press(pilot, "tab")
        return page.manuscript.text

    assert on_page(novel, story, size) == "It was a dark night. The lamp went out. Nobody moved."


def test_a_sentence_and_a_word_can_be_taken(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went out. Nobody moved.")
        await press(pilot, "ctrl+t", "shift+tab")
        return page.manuscript.text

    assert on_page(novel, story).endswith("The lamp went out. Nobody")


def test_a_draft_taken_is_one_step(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went out. Nobody moved.")
        await press(pilot, "tab", "ctrl+z")
        return page.manuscript.text

    assert on_page(novel, story).endswith("The lamp")


def test_escape_stops_and_then_puts_away(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went", end=False)
        await press(pilot, "escape")
        assert engine.was_stopped()
        engine.finish(" went", stopped=True)
        await pilot.pause()
        assert page.drafts.current is not None
        await press(pilot, "escape")
        return page.drafts.current, page.manuscript.text

    assert on_page(novel, story) == (None, "It was a dark night. The lamp")


def test_another_try_is_kept_beside_the_first(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went out.")
        await press(pilot, "ctrl+n")
        engine.write(" burned.")
        await pilot.pause()
        await press(pilot, "ctrl+l", "tab")
        return page.manuscript.text, [one.text for one in page.manuscript.drafts.get(1).alternatives]

    text, alternatives = on_page(novel, story)
    assert text.endswith("The lamp went out.")
    assert alternatives == [" went out.", " burned."]


@pytest.mark.slow
def test_which_alternative_is_shown_is_said(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went out.")
        alone = page.status.doing
        await press(pilot, "ctrl+n")
        engine.write(" burned.")
        await until(pilot, lambda: page.status.doing == "alternative 2 of 2")
        await press(pilot, "ctrl+l")
        await until(pilot, lambda: page.status.doing == "alternative 1 of 2")
        return alone

    assert on_page(novel, story) == ""


@pytest.mark.slow
def test_typing_goes_on_while_text_streams(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went", end=False)
        await press(pilot, "ctrl+home", "O", "h", "space")
        return page.manuscript.text, page.editor.text

    text, shown = on_page(novel, story)
    assert text == "Oh It was a dark night. The lamp"
    assert shown == "Oh It was a dark night. The lamp went"


@pytest.mark.slow
def test_a_dial_moves_the_voice_that_is_speaking(novel):
    async def story(app, pilot, engine, page):
        page.panel.show(Blend.parse("noir"), app.voices, app.personas)
        page.blend = Blend.parse("noir")
        await draft(pilot, engine, " went", end=False)
        await press(pilot, "ctrl+d", "right")
        steer = engine.last(Steer)
        return steer.job == engine.last(Write).job, steer.blend

    same, blend = on_page(novel, story)
    assert same
    assert blend.persona_ids == ("noir",)


def test_a_failure_is_said_in_words_and_nothing_is_lost(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "ctrl+end", "ctrl+g")
        engine.say(Failed(engine.last(Write).job, "there is too little memory; close something"))
        await pilot.pause()
        return page.status.message, page.drafts.current, page.manuscript.text

    told, current, text = on_page(novel, story)
    assert told == "there is too little memory; close something"
    assert (current, text) == (None, "It was a dark night. The lamp")


def test_without_a_model_one_can_still_write(novel):
    async def story(app, pilot, engine, page):
        engine.say(Unloaded("there is no model; get one"))
        await press(pilot, "ctrl+g", "A")
        return page.manuscript.text, [request for request in engine.asked if isinstance(request, Write)]

    assert on_page(novel, story) == ("AIt was a dark night. The lamp", [])


@pytest.mark.slow
def test_an_instruction_goes_along(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "ctrl+o", *"make", "enter")
        return engine.last(Write).instruction

    assert on_page(novel, story) == "make"


@pytest.mark.slow
def test_a_selection_is_rewritten(novel):
    async def story(app, pilot, engine, page):
        page.editor.select(0, 20)
        await press(pilot, "ctrl+r")
        engine.write("The night was dark.")
        await pilot.pause()
        await press(pilot, "tab")
        return engine.last(Write).selection, page.manuscript.text

    assert on_page(novel, story) == ((0, 20), "The night was dark. The lamp")


def test_quitting_saves_and_lets_the_engine_go(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "H", "i", "ctrl+q")
        return engine.closed

    assert on_page(novel, story)
    assert novel.read_text().startswith("HiIt was")
    assert Manuscript.open(novel).offers == ()


def test_stop_leaves_other_jobs_alone(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went", end=False)
        await press(pilot, "escape")
        return engine.last(Stop).job == engine.last(Write).job

    assert on_page(novel, story)


@pytest.mark.slow
def test_the_footer_offers_what_can_be_done(novel):
    async def story(app, pilot, engine, page):
        def offered():
            return {name for name in ("accept", "stop", "retry") if page.check_action(name, ())}

        before = offered()
        await draft(pilot, engine, " went out.")
        during = offered()
        await press(pilot, "tab")
        return before, during, offered()

    assert on_page(novel, story) == (set(), {"accept", "stop", "retry"}, {"retry"})


def test_a_text_is_gone_on_with_at_its_end(novel):
    async def story(app, pilot, engine, page):
        app.pop_screen()
        app.open(novel.with_name("other.md"))
        await pilot.pause()
        return app.screen.editor.cursor

    novel.with_name("other.md").write_text("Once upon a time")
    assert on_page(novel, story) == len("Once upon a time")


@pytest.mark.parametrize("drafting", [False, True], ids=["page", "draft"])
@pytest.mark.parametrize("keys", [[], ["f2"]], ids=["text", "voices"])
@pytest.mark.parametrize("width", [80, 110, 160])
def test_the_footer_shows_help_and_commands_wherever_the_writer_is(novel, drafting, keys, width):
    async def story(app, pilot, engine, page):
        if drafting:
            await draft(pilot, engine, " went out.")
        await press(pilot, *keys)
        return lines_of(app)[-1]

    footer = on_page(novel, story, (width, 24))
    assert "f1 Help  ^p Commands" in footer
    assert ("Take it" in footer) == (drafting and (not keys or width == 160))


def test_the_palette_names_keys_as_help_does(novel):
    async def story(app, pilot, engine, page):
        return {command.title: command.help for command in app.get_system_commands(app.screen)}

    commands = on_page(novel, story)
    assert commands["Back"].endswith("(Esc)")
    assert commands["Voices"].endswith("(F2)")
    assert commands["Export"].endswith("text.")
