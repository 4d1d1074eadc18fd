"""The first run: what is said of the starter model, how a better one is found, and that escape ends in no void."""

import asyncio
from dataclasses import replace

import pytest
from helpers.screen_host import lines_of, told
from helpers.scripted_engine import MODEL, studio

from billy_mlx.engine.messages import Ended, Failed, ListModels, Loaded, ModelOffer, ModelsListed, Prepare
from billy_mlx.tui.screens.models import ModelsScreen
from billy_mlx.tui.screens.start import StartScreen
from billy_mlx.tui.screens.writing import WritingScreen
from billy_mlx.tui.settings import load_settings, save_setting

STARTER = Loaded(replace(MODEL, id="starter", demonstration=True), {})
OFFER = ModelOffer("org/model", "Model", 1.0, 2.0, "Apache-2.0", "Writes well.")


def opened(story, path=None):
    """Run `story(app, engine, pilot)` in a studio with a scripted engine."""

    async def run():
        app, engines = studio(path)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            return await story(app, engines[0], pilot)

    return asyncio.run(run())


@pytest.mark.parametrize("text", [None, "novel.md"], ids=["start", "page"])
def test_the_starter_model_is_called_a_demonstration_once(tmp_path, text):
    async def story(app, engine, pilot):
        engine.say(STARTER, STARTER)
        await pilot.pause()
        return told(app)

    path = None if text is None else tmp_path / text
    assert opened(story, path) == "The starter model is a demonstration; Ctrl+P and “Models” show better ones."


def test_vectors_of_the_version_before_are_told_once_for_each_model(tmp_path):
    former = Loaded(MODEL, {}, former="2 of your voices were prepared by an older version; run: billy extract noir")
    other = replace(former, model=replace(MODEL, id="other"), former="1 of your voices")

    async def story(app, engine, pilot):
        engine.say(former, former, other, former)
        await pilot.pause()
        return told(app)

    for path in (None, tmp_path / "novel.md"):
        assert opened(story, path) == f"{former.former} {other.former}"


def test_a_path_that_cannot_be_is_told_and_the_start_screen_shown(tmp_path):
    async def story(app, engine, pilot):
        return type(app.screen), told(app)

    screen, said = opened(story, tmp_path / "\ud800.md")
    assert screen is StartScreen
    assert "cannot be the name of a file" in said


def test_who_chose_a_model_is_told_nothing():
    save_setting("model", "starter")

    async def story(app, engine, pilot):
        engine.say(STARTER)
        await pilot.pause()
        return told(app)

    assert opened(story) == ""


@pytest.mark.slow
@pytest.mark.parametrize("keys", [["m"], ["up", "enter"]], ids=["key", "row"])
def test_models_are_offered_on_the_start_screen(keys):
    async def story(app, engine, pilot):
        await pilot.press(*keys)
        engine.say(ModelsListed(engine.last(ListModels).job, 16.0, (OFFER,)))
        await pilot.pause()
        offered = type(app.screen)
        await pilot.press("enter", "enter")
        return offered, engine.last(Prepare).model, type(app.screen)

    assert opened(story) == (ModelsScreen, "org/model", StartScreen)


@pytest.mark.parametrize(("stopped", "chosen"), [(False, "org/model"), (True, "")])
def test_a_model_that_was_prepared_is_there_at_the_next_start(stopped, chosen):
    async def story(app, engine, pilot):
        app.vector_job.begin(("noir",), model="org/model")
        engine.say(Ended(engine.last(Prepare).job, stopped=stopped))
        await pilot.pause()
        return app.settings.model

    assert opened(story) == load_settings()[0].model == chosen


def test_a_model_that_could_not_be_had_is_not_chosen():
    async def story(app, engine, pilot):
        app.vector_job.begin(("noir",), model="org/model")
        engine.say(Failed(engine.last(Prepare).job, "the network is away; try again"))
        await pilot.pause()
        return app.settings.model

    assert opened(story) == ""


def test_escape_on_the_page_leaves_the_page_there(tmp_path):
    async def story(app, engine, pilot):
        await pilot.press("escape", "escape", "Z")
        return type(app.screen), any("Z" in line for line in lines_of(app))

    assert opened(story, tmp_path / "novel.md") == (WritingScreen, True)
