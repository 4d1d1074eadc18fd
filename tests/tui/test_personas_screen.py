"""The personas screen: who there is, how good their vectors are, and how another one is made."""

import asyncio

import pytest
from textual.app import App
from textual.widgets import Input, TextArea

from billy_mlx import paths
from billy_mlx.engine.messages import Compared, Ended, Failed, Job, Loaded, ModelInfo, Progress, VectorInfo, VoiceReady
from billy_mlx.errors import CardError
from billy_mlx.tui.messages import VectorUnwanted, VectorWanted
from billy_mlx.tui.screens.new_persona import begun_as, id_of
from billy_mlx.tui.screens.personas import CardsChanged, LearnWanted, PersonasScreen, _card
from billy_mlx.tui.widgets.persona_list import OWN, PAPER, WRITING, persona_list
from billy_mlx.vectors.card import PersonaSet, get_persona, load_personas

NOTES = {
    "noir": VectorInfo("noir", gentle=0.5, too_much=1.4, layer=7, auc=0.95, source="120 answers"),
    "comic": VectorInfo("comic", weakness="it does not show in what is written", outdated=True, auc=0.6),
    "my-novel": VectorInfo("my-novel", own=True, layer=3, source="novel.md"),
}
IDS = ("noir", "gothic", "comic", "lyrical", "minimalist")
COMPARED = Compared(Job(1), IDS, tuple(tuple(1 - abs(a - b) * 0.28 for b in range(5)) for a in range(5)), 7)
MODEL = ModelInfo("m", 8, 16, chat=True, batches=True)


class Host(App):
    """A personas screen over nothing, with a record of what comes out of it."""

    def __init__(self, personas=None, compared=COMPARED):
        super().__init__()
        self.personas, self.compared, self.heard = personas or load_personas(), compared, []

    def on_mount(self):
        self.push_screen(PersonasScreen(self.personas, NOTES, self.compared), self.heard.append)

    def on_vector_wanted(self, message: VectorWanted):
        self.heard.append((message.personas, message.again))

    def on_vector_unwanted(self, _: VectorUnwanted):
        self.heard.append("cancel")

    def on_learn_wanted(self, message: LearnWanted):
        self.heard.append((message.persona_id, message.path))

    def on_cards_changed(self, message: CardsChanged):
        self.heard.append(len(message.personas.personas))


def play(*keys, then=None, size=(80, 24), **given):
    """Press keys on the screen, do what else is asked, and return the application and the words it shows."""

    async def run():
        app = Host(**given)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            for key in keys:
                await pilot.press(key)
                await pilot.pause()
            if then is not None:
                then(app)
            await pilot.pause()
            strips = app.screen._compositor.render_strips()
            return app, "\n".join("".join(segment.text for segment in strip) for strip in strips)

    return asyncio.run(run())


def find(name):
    """Return the keys that go to a persona."""
    return ("slash", *name, "enter")


def words(shown, left=0):
    """Return what stands right of column `left`, as one line without the scrollbar."""
    line = " ".join(line[left:] for line in shown.splitlines())
    return " ".join(line.translate(dict.fromkeys(range(0x2580, 0x2590))).split())


def test_writing_voices_come_first_then_ones_own_then_the_papers():
    groups = [member.group for member in persona_list(load_personas(), NOTES)]
    assert list(dict.fromkeys(groups)) == [WRITING, OWN, PAPER]
    assert groups.count(PAPER) == 12


def test_the_first_persona_is_shown_with_its_quality_and_prompts():
    card = words(play()[1], left=32)
    assert "The model clearly tells this voice from plain writing." in card
    assert "Dose: gentle from 0.50, full at 1, too much above 1.40." in card
    assert "1. You are a noir narrator" in card


def test_numbers_of_measurements_come_last_under_advanced():
    card = _card(next(one for one in persona_list(load_personas(), NOTES) if one.id == "noir"), COMPARED, {}).plain
    assert card.split("Advanced")[1].split("\n")[1:] == [
        "Its vector tells its answers from neutral ones: AUC 0.95 (0.5 is chance).",
        "In mode balanced it steers layer 7.",
    ]


@pytest.mark.slow
def test_enter_gives_the_persona_and_escape_nobody():
    assert play("down", "enter")[0].heard == ["gothic"]
    assert play("escape")[0].heard == [None]


def test_likeness_is_told_in_words_and_numbers():
    card = words(play()[1], left=32)
    assert "Most like Gothic 0.72 (very alike), Comic 0.44 (alike)" in card
    assert "Least like Minimalist -0.12 (opposite)" in card
    assert "Most like" not in play(compared=None)[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("comic", "~ It is weak for this model: it does not show in what is written."),
        ("comic", "! Its description was changed since"),
        ("comic", "What a full dose of it is was not measured"),
        ("gothic", "✗ It is not prepared for this model yet"),
        ("my-novel", "You prepared it on this machine, from novel.md."),
    ],
)
def test_what_is_wrong_with_a_vector_is_said(name, sentence):
    assert sentence in words(play(*find(name))[1], left=32)


def test_a_click_shows_a_persona_and_leaves_the_blend_alone():
    async def run():
        app = Host()
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            await pilot.click("PersonaList", offset=(5, 2))
            await pilot.pause()
            return app.heard, str(app.screen.query_one("#card").content)

    heard, card = asyncio.run(run())
    assert heard == []
    assert card.startswith("Gothic")


def test_c_cancels_the_making_of_a_vector():
    assert play("c")[0].heard == ["cancel"]


@pytest.mark.slow
def test_x_asks_for_a_vector_and_again_where_there_is_one():
    assert play("x")[0].heard == [(("noir",), True)]
    assert play("down", "x")[0].heard == [(("gothic",), False)]
    assert play(*find("my-novel"), "x")[0].heard == []


def test_a_bad_card_is_shown_in_words():
    bad = PersonaSet(load_personas().personas, (CardError("x.toml: id is missing; write it"),))
    _, shown = play("up", personas=bad)
    assert "x.toml: id is missing; write it" in words(shown, left=32)


def described(name, voice):
    """Return the keys that begin a persona and describe it."""
    return ("n", *name, "tab", *("space" if letter == " " else letter for letter in voice))


@pytest.mark.slow
def test_a_new_persona_is_described_in_one_box_and_offered_a_vector():
    app, _ = play(*described("Ann", "salty and sad"), "ctrl+s")
    persona = get_persona("ann")
    assert (persona.name, persona.description) == ("Ann", "Salty and sad.")
    assert all("Salty and sad." in prompt and "Ann" in prompt for prompt in persona.prompts)
    assert len(set(persona.prompts)) == 5
    assert app.heard == [25, (("ann",), False)]


@pytest.mark.slow
def test_a_persona_of_a_bare_name_is_not_made():
    _, shown = play("n", *"Ann", "ctrl+s")
    assert "the voice is not described yet" in words(shown)
    assert not paths.personas_folder().exists()


@pytest.mark.slow
def test_the_prompts_are_shown_and_changed_under_advanced():
    _, shown = play(*described("Ann", "salty"), "tab", "enter", "tab", "tab", "tab", "tab", size=(80, 50))
    assert "What the model is told, 1 of 5" in shown
    assert "You are Ann. This is who you are: Salty." in words(shown)
    play(*described("Ann", "salty"), then=own_prompt)
    assert get_persona("ann").prompts[0] == "Be kind."
    assert "Salty." in get_persona("ann").prompts[1]
    assert get_persona("ann").tags == ("sea", "old-fashioned")


def own_prompt(app):
    app.screen.query_one("#prompt-1", TextArea).load_text("Be kind.")
    app.screen.query_one("#tags", Input).value = "Sea, old-fashioned"
    app.screen.action_persona_save()


@pytest.mark.slow
def test_a_description_that_is_too_long_is_said_to_be_so():
    def describe(app):
        app.screen.query_one("#voice", TextArea).load_text("x" * 1500)

    assert "has 1,501 characters, and 1,000 are the most" in words(play("n", *"Ann", then=describe)[1])


@pytest.mark.slow
def test_what_was_typed_stays_when_the_name_changes():
    def change(app):
        app.screen.query_one("#prompt-1", TextArea).load_text("Be kind.")
        app.screen.query_one("#name", Input).value = "Bea"

    async def run():
        app = Host()
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("n", *"Ann")
            await pilot.pause()
            change(app)
            await pilot.pause()
            return app.screen.query_one("#prompt-1", TextArea).text, app.screen.query_one("#id", Input).value

    assert asyncio.run(run()) == ("Be kind.", "bea")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("field", "text", "reason"),
    [("id", "../evil", "must be lower-case letters"), ("description", "", "must have 1 to 200 characters")],
)
def test_a_card_that_will_not_do_is_refused_in_words_and_not_written(field, text, reason):
    def spoil(app):
        app.screen.query_one("#voice", TextArea).load_text("Salty.")
        app.screen.query_one(f"#{field}", Input).value = text
        app.screen.action_persona_save()

    _, shown = play("n", then=spoil)
    assert reason in words(shown)
    assert not list(paths.personas_folder().glob("*")) if paths.personas_folder().exists() else True


@pytest.mark.slow
def test_a_card_that_exists_is_never_written_over():
    play(*described("Ann", "salty"), "ctrl+s")
    assert "exists and is kept" in words(play(*described("Ann", "sad"), "ctrl+s")[1])


@pytest.mark.slow
def test_a_voice_is_learnt_from_the_open_manuscript_or_a_file(tmp_path):
    app, _ = play("w", "enter", "enter")
    assert app.heard == [("my-voice", None)]
    (tmp_path / "n.md").write_text("text", encoding="utf-8")

    def name_file(app):
        app.screen.query_one(Input).value = str(tmp_path / "n.md")
        app.screen.query_one(Input).post_message(Input.Submitted(app.screen.query_one(Input), str(tmp_path / "n.md")))

    assert play("w", "enter", then=name_file)[0].heard == [("my-voice", tmp_path / "n.md")]


@pytest.mark.slow
def test_a_voice_may_not_take_a_personas_name_or_a_file_that_is_not_there():
    clear = ["backspace"] * len("my-voice")
    assert "there is a persona called noir" in words(play("w", *clear, *"noir", "enter")[1])
    assert "is not a file" in words(play("w", "enter", *"gone.md", "enter")[1])


def test_what_the_engine_says_is_shown_while_the_screen_is_open():
    async def run():
        app = Host()
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            screen = app.screen
            shown = []
            for event in (Progress(Job(4), "asking", 0.5, 30.0), Failed(Job(4), "no memory"), Ended(Job(4))):
                screen.on_engine_event(event)
                shown.append(str(screen.query_one("#progress").content))
            screen.on_engine_event(VoiceReady(Job(5), VectorInfo("gothic", layer=2)))
            screen.on_engine_event(Loaded(MODEL, {"lyrical": VectorInfo("lyrical")}))
            return shown

    assert asyncio.run(run()) == ["asking: 50%, 30 s left (c: cancel)", "! no memory", ""]


def test_what_the_engine_says_before_the_screen_is_there_is_not_lost():
    async def run():
        app = Host(compared=None)
        async with app.run_test(size=(80, 24)) as pilot:
            screen = PersonasScreen(app.personas, {}, None)
            for event in (COMPARED, VoiceReady(Job(5), VectorInfo("noir", layer=2)), Progress(Job(4), "asking", 0.5)):
                screen.on_engine_event(event)
            app.push_screen(screen)
            await pilot.pause()
            return str(screen.query_one("#card").content), str(screen.query_one("#progress").content)

    card, progress = asyncio.run(run())
    assert "it steers layer 2" in card
    assert "Most like Gothic" in card
    assert progress == "asking: 50%"


def test_at_160_columns_the_card_uses_the_room():
    _, shown = play(size=(160, 50))
    assert "Checked by asking:" in shown
    assert "contributors" in shown


@pytest.mark.parametrize(
    ("name", "persona_id"),
    [("Frau Müller", "frau-muller"), ("  A  b!", "a-b"), ("月", "my-voice"), ("x" * 99, "x" * 64)],
)
def test_an_id_is_made_of_a_name(name, persona_id):
    assert id_of(name) == persona_id
    assert begun_as(name).id == persona_id


def test_that_cancelling_was_heard_is_said_at_once_and_until_it_has_ended():
    async def run():
        app, shown = Host(), []
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            line = app.screen.query_one("#progress")
            app.screen.on_engine_event(Progress(Job(4), "asking", 0.5))
            await pilot.press("c")
            for event in (
                Progress(Job(4), "asking", 0.6),
                Ended(Job(4), stopped=True),
                Progress(Job(5), "asking", 0.1),
            ):
                shown.append(str(line.content))
                app.screen.on_engine_event(event)
            return [*shown, str(line.content)]

    stopping = "stopping after this step; what is done so far is kept"
    assert asyncio.run(run()) == [stopping, stopping, "", "asking: 10% (c: cancel)"]
