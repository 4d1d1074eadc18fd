"""A walk through all screens: every key they have is in the palette and in the help, and no two want the same."""

import asyncio
from collections import Counter

import pytest
from helpers.scripted_engine import VOICES, studio

from billy_mlx.blend.blend import Blend
from billy_mlx.engine.messages import ListModels, ModelOffer, ModelsListed
from billy_mlx.manuscript.context.guide import Guide
from billy_mlx.manuscript.elsewhere import Theirs
from billy_mlx.manuscript.prose import Prose
from billy_mlx.manuscript.records import Offer
from billy_mlx.tui.commands import COMMANDS, PLACES, at
from billy_mlx.tui.screens.chorus import ChorusScreen
from billy_mlx.tui.screens.chorus_voices import ChorusVoices
from billy_mlx.tui.screens.export import ExportScreen
from billy_mlx.tui.screens.guide import GuideScreen
from billy_mlx.tui.screens.help import HelpScreen, help_text
from billy_mlx.tui.screens.history import HistoryScreen
from billy_mlx.tui.screens.importing import ImportScreen
from billy_mlx.tui.screens.models import ModelsScreen
from billy_mlx.tui.screens.personas import PersonasScreen
from billy_mlx.tui.screens.question import ConflictScreen, RecoverScreen
from billy_mlx.tui.screens.settings import SettingsScreen
from billy_mlx.tui.screens.start import StartScreen

BY_NAME = {command.name: command for command in COMMANDS}
OFFER = ModelOffer("org/model", "Model", 1.0, 2.0, "Apache-2.0", "Writes well.")
SCREENS = {
    "start": lambda app, page: StartScreen(),
    "help": lambda app, page: HelpScreen({}),
    "settings": lambda app, page: SettingsScreen(app.settings),
    "history": lambda app, page: HistoryScreen(page.manuscript),
    "guide": lambda app, page: GuideScreen(Guide()),
    "export": lambda app, page: ExportScreen(page.manuscript),
    "import": lambda app, page: ImportScreen(page.manuscript.path),
    "personas": lambda app, page: PersonasScreen(app.personas, VOICES),
    "models": lambda app, page: ModelsScreen(ModelsListed(1, 16.0, (OFFER,)), app.personas),
    "recover": lambda app, page: RecoverScreen(Offer(1, Prose(), 0), Prose(), lambda _: None),
    "conflict": lambda app, page: ConflictScreen(page.manuscript.path, "", Theirs(""), lambda _: None),
    "chorus": lambda app, page: ChorusScreen(("Noir", "the model alone"), page.chorus),
    "chorus voices": lambda app, page: ChorusVoices(Blend.parse("noir"), {}, ()),
}


def at_screen(tmp_path, name, story, size=(80, 24)):
    """Run `story(app, pilot)` with a screen open over the page."""

    async def run():
        app, _ = studio(tmp_path / "novel.md")
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            if name != "page":
                app.push_screen(SCREENS[name](app, app.screen))
                await pilot.pause()
            return await story(app, pilot)

    return asyncio.run(run())


@pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids=["80x24", "160x50"])
@pytest.mark.parametrize("name", ["page", *SCREENS])
def test_every_key_of_a_screen_is_a_command(tmp_path, name, size):
    async def story(app, pilot):
        return {binding.binding.id for binding in app.screen.active_bindings.values() if binding.binding.id}

    assert at_screen(tmp_path, name, story, size) <= BY_NAME.keys()


@pytest.mark.parametrize("name", ["page", *SCREENS])
def test_the_palette_has_what_can_be_done_there(tmp_path, name):
    async def story(app, pilot):
        shown = {command.title for command in app.get_system_commands(app.screen)}
        bound = {binding.binding.id for binding in app.screen.active_bindings.values() if binding.binding.id}
        return {BY_NAME[command].title for command in bound} - shown

    assert at_screen(tmp_path, name, story) == set()


def test_the_help_has_every_command():
    text = " ".join(str(help_text({})).split())
    assert [command.name for command in COMMANDS if command.help not in text] == []


@pytest.mark.parametrize("place", PLACES)
def test_no_two_commands_of_a_place_want_the_same_key(place):
    keys = Counter(key for command in at(place) for key in command.keys.split(",") if key)
    assert {key for key, count in keys.items() if count > 1} == set()


def test_every_command_is_at_a_place_that_the_help_names():
    assert {command.place for command in COMMANDS} == PLACES.keys()


def test_names_are_given_once():
    assert len(BY_NAME) == len(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_keys_work_in_a_plain_terminal(command):
    for key in command.keys.split(","):
        assert "alt+" not in key
        assert key not in {"shift+enter", "ctrl+enter", "ctrl+left", "ctrl+right", "ctrl+up", "ctrl+down"}
        assert "bracket" not in key


@pytest.mark.parametrize("name", [*SCREENS])
def test_escape_leads_back(tmp_path, name):
    async def story(app, pilot):
        before = len(app.screen_stack)
        await pilot.press("escape")
        await pilot.pause()
        return before - len(app.screen_stack)

    assert at_screen(tmp_path, name, story) == 1


def test_models_are_looked_for_and_offered(tmp_path):
    async def story(app, pilot):
        await app.screen.run_action("models")
        engine = app.engine._engine
        engine.say(ModelsListed(engine.last(ListModels).job, 16.0, (OFFER,)))
        await pilot.pause()
        return type(app.screen)

    assert at_screen(tmp_path, "page", story) is ModelsScreen


def test_every_command_of_the_page_is_done_in_one_place(tmp_path):
    async def story(app, pilot):
        page = app.screen
        parts = [one for one in vars(page).values() if type(one).__module__.startswith("billy_mlx.tui.page.")]
        done = Counter(name for one in (type(page), *parts) for name in dir(one) if name.startswith("action_"))
        wanted = {f"action_{one.action}" for place in ("page", "draft") for one in at(place)}
        return {name: count for name, count in done.items() if count > 1}, wanted - done.keys()

    assert at_screen(tmp_path, "page", story) == ({}, set())
