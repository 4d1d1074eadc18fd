"""The voices panel: dials by keys and by mouse, what they make of the blend, and what is said about vectors."""

import asyncio

import pytest
from textual.app import App
from textual.widgets import Input

from billy_mlx.blend.blend import Blend, Mode
from billy_mlx.engine.messages import VectorInfo
from billy_mlx.tui.dials import DialRow, Dials, DialVoice, scale_of, stepped
from billy_mlx.tui.messages import BlendChanged, VectorUnwanted, VectorWanted
from billy_mlx.tui.screens.voices_panel import VoicesPanel
from billy_mlx.tui.widgets.dial_panel import Dial, labels
from billy_mlx.vectors.card import load_personas

GOOD = {
    name: VectorInfo(name, gentle=0.5, too_much=1.4, strength=1.2, auc=0.9) for name in ("noir", "gothic", "lyrical")
}
NOTES = GOOD | {"comic": VectorInfo("comic", weakness="it does not show", gentle=0.6, too_much=1.8, strength=0.9)}


class Host(App):
    """A panel alone, with a record of what it says."""

    def __init__(self, blend="noir:0.6+gothic:0.4", notes=NOTES):
        super().__init__()
        self.first, self.notes, self.heard = blend, notes, []

    def compose(self):
        yield VoicesPanel()

    def on_mount(self):
        self.panel = self.query_one(VoicesPanel)
        self.panel.show(Blend.parse(self.first), self.notes, load_personas(), 12)
        self.panel.focus()

    def on_blend_changed(self, message: BlendChanged):
        self.heard.append(str(message.blend))

    def on_vector_wanted(self, message: VectorWanted):
        self.heard.append((message.personas, message.again))

    def on_vector_unwanted(self, _: VectorUnwanted):
        self.heard.append("cancel")


def play(*keys, then=None, size=(28, 18), **given):
    """Press keys in a panel, do what else is asked, and return the application and the text on its screen."""

    async def run():
        app = Host(**given)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            for key in keys:
                await pilot.press(key)
                await pilot.pause()
            if then is not None:
                await then(app, pilot)
                await pilot.pause()
            await pilot.pause()
            strips = app.screen._compositor.render_strips()
            return app, "\n".join("".join(segment.text for segment in strip) for strip in strips)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("keys", "blend"),
    [
        (("right",), "gothic:0.4+noir:0.6@1.05/layered"),
        (("pageup",), "gothic:0.4+noir:0.6@0.75/layered"),
        (("down", "left"), "gothic:0.35+noir:0.6@1/layered"),
        (("down", "down", "pagedown"), "gothic:0.4+noir:0.85@1/layered"),
        (("down", "7"), "gothic:0.7+noir:0.6@1/layered"),
        (("down", "o"), "gothic:-0.4+noir:0.6@1/layered"),
        (("down", "m"), "noir:0.6@1/layered"),
        (("down", "delete"), "noir:0.6@1/layered"),
        (("v", "up", "down", "down", "down", "right"), "gothic:0.4+noir:0.6@1/balanced"),
    ],
)
def test_a_key_makes_another_blend(keys, blend):
    assert play(*keys)[0].heard == [blend]


@pytest.mark.slow
def test_every_blend_that_is_told_reads_back_unchanged():
    keys = ["right", "down", "left", "pageup", "pageup", "down", "o", "v", "down", "right", "down", "right"]
    heard = play(*keys)[0].heard
    assert len(heard) == 7
    assert heard[-1].endswith("/balanced/L6")
    assert [str(Blend.parse(text)) for text in heard] == heard


def test_who_is_muted_stays_in_the_panel_and_nobody_left_is_no_blend():
    app, shown = play("down", "m", "down", "m")
    assert app.heard[-1] == "none"
    assert "Gothic" in shown
    assert "Noir" in shown
    assert "muted" in shown


def test_muted_voices_outlive_being_shown_the_same_blend():
    async def again(app, _):
        app.panel.show(Blend.parse("noir:0.6@1/layered"), NOTES, load_personas())

    app, _ = play("down", "m", then=again)
    assert [(voice.persona_id, voice.muted) for voice in app.panel.dials.voices] == [("gothic", True), ("noir", False)]


@pytest.mark.slow
def test_dials_end_somewhere_but_do_not_pull_a_typed_weight_in():
    app, _ = play(*["down"], *["pagedown"] * 4, blend="noir:0.6+gothic:0.4")
    assert app.heard[-1] == "gothic:1+noir:0.6@1/layered"
    assert play("down", "right", blend="noir:3")[0].heard == []
    assert play("down", "left", blend="noir:3")[0].heard == ["noir:2.95@1/layered"]


def test_the_scale_says_gentle_full_and_too_much():
    _, shown = play()
    assert "gentle full too much" in shown
    assert "1.00 full" in shown
    assert "1.00 full" not in play("pageup")[1]
    assert "too much" in play("pagedown", "pagedown")[1].splitlines()[0]


def test_a_blends_scale_is_the_mean_of_its_personas_by_weight():
    scale = scale_of(Dials.of(Blend.parse("noir:0.75+comic:-0.25")), NOTES)
    assert (round(scale.gentle, 6), round(scale.too_much, 6)) == (0.525, 1.5)


def test_a_scale_is_of_the_way_of_adding_that_was_measured():
    former = {"noir": VectorInfo("noir", gentle=0.5, too_much=1.4, layer=7)}
    known = {
        (name, mode): scale_of(Dials.of(Blend.parse(f"noir/{mode}")), notes).too_much is not None
        for name, notes in (("former", former), ("now", NOTES))
        for mode in ("layered", "balanced")
    }
    assert [each for each, is_known in known.items() if is_known] == [("former", "balanced"), ("now", "layered")]


@pytest.mark.parametrize(
    ("persona", "words"),
    [
        ("comic", "~ weak"),
        ("satirist", "✗ not prepared"),
        ("noir", "ready"),
        ("old", "! its description"),
        ("former", "! prepared by an older version; “Prepare voice” prepares it again"),
        ("learnt", "! prepared by an older version; “Own voice” prepares it again from your text"),
        ("plain", "a full dose is was not measured"),
    ],
)
def test_a_vector_that_is_not_right_is_said_in_words(persona, words):
    notes = NOTES | {
        "old": VectorInfo("old", outdated=True, layer=3),
        "former": VectorInfo("former", former=True, layer=3),
        "learnt": VectorInfo("learnt", former=True, layer=3, source="novel.md"),
        "plain": VectorInfo("plain"),
    }
    assert words in " ".join(play("down", blend=persona, notes=notes)[1].split())


def test_no_row_is_cut_off_in_28_columns():
    _, shown = play("v", blend="noir:-0.35+visionary-millionaire:0.25+comic:0.4")
    rows = shown.splitlines()
    assert "-0.35" in shown
    assert "all but the ends" in shown
    assert all(len(row) <= 28 for row in rows)


@pytest.mark.slow
def test_more_voices_than_fit_scroll_with_the_keys():
    everybody = "+".join(load_personas().personas)
    _, shown = play(*["down"] * 24, blend=everybody)
    assert "▸Vision" in shown


@pytest.mark.slow
def test_a_name_finds_a_persona_and_enter_adds_it():
    app, _ = play("a", *"lyric", "enter")
    assert app.heard == ["gothic:0.4+lyrical:0.5+noir:0.6@1/layered"]
    assert app.panel.row == 3


@pytest.mark.slow
def test_the_first_voice_is_added_at_full():
    assert play("a", *"comic", "enter", blend="none")[0].heard == ["comic:1@1/layered"]


def test_a_blend_can_be_typed_and_what_is_wrong_with_it_is_said():
    async def type_badly(app, pilot):
        app.screen.query_one(Input).value = "noir:0.6@x"
        await pilot.press("enter")
        await pilot.pause()

    _, shown = play("t", then=type_badly, size=(80, 24))
    assert "is not a dose" in shown


def test_a_typed_blend_replaces_the_one_there_was():
    async def type_one(app, pilot):
        app.screen.query_one(Input).value = "comic:1+noir:-0.3@0.2r/balanced/np"
        await pilot.press("enter")

    assert play("t", then=type_one, size=(80, 24))[0].heard == ["comic:1+noir:-0.3@0.2r/balanced/np"]


@pytest.mark.slow
def test_a_blend_is_saved_and_taken_again_by_name():
    play("s", *"dark", "enter", size=(80, 24))
    app, _ = play("l", "enter", blend="comic", size=(80, 24))
    assert app.heard == ["gothic:0.4+noir:0.6@1/layered"]


@pytest.mark.slow
def test_a_muted_voice_is_saved_as_muted():
    play("down", "m", "s", *"dark", "enter", size=(80, 24))
    app, _ = play("l", "enter", blend="comic", size=(80, 24))
    assert app.heard == ["noir:0.6@1/layered"]
    assert app.panel.dials.voices == (DialVoice("gothic", 0.4, muted=True), DialVoice("noir", 0.6))


@pytest.mark.slow
def test_a_blend_of_which_all_are_muted_is_saved_too():
    play("down", "m", "down", "m", "s", *"dark", "enter", size=(80, 24))
    app, _ = play("l", "enter", blend="comic", size=(80, 24))
    assert app.heard == ["none"]
    assert app.panel.dials.muted == ("gothic", "noir")


@pytest.mark.slow
def test_a_blend_is_saved_and_shown_by_its_name_in_words():
    _, asked = play("down", "m", "s", size=(80, 24))
    assert "call this blend (Noir (gentle), Gothic muted)?" in " ".join(asked.replace("│", " ").split())
    _, listed = play("s", *"dark", "enter", "l", size=(80, 24))
    assert "dark  More Noir than Gothic" in listed
    assert "noir:0.6" not in asked + listed


@pytest.mark.slow
def test_who_is_muted_stays_while_the_others_are_typed():
    app, _ = play("down", "m", "t", "enter", size=(80, 24))
    assert app.panel.dials.muted == ("gothic",)

    async def type_one(app, pilot):
        app.screen.query_one(Input).value = "comic"
        await pilot.press("enter")

    app, _ = play("down", "m", "t", then=type_one, size=(80, 24))
    assert app.panel.dials.voices == (DialVoice("comic", 1.0), DialVoice("gothic", 0.4, muted=True))


@pytest.mark.slow
def test_a_dose_and_layers_can_be_typed():
    balanced = {"blend": "noir:0.6+gothic:0.4/balanced", "size": (80, 24)}
    assert play("enter", *"0.8", "enter", size=(80, 24))[0].heard == ["gothic:0.4+noir:0.6@0.8/layered"]
    assert play("enter", *"0.3r", "enter", **balanced)[0].heard == ["gothic:0.4+noir:0.6@0.3r/balanced"]
    app, shown = play("enter", *"0.3r", "enter", size=(80, 24))
    assert app.heard == []
    assert "give a plain number" in " ".join(shown.split())
    app, _ = play("v", *["down"] * 4, "enter", *"5,6", "enter", size=(80, 24))
    assert app.heard == ["gothic:0.4+noir:0.6@1/layered/L5,6"]


def test_a_mode_brings_its_own_dose_and_gives_it_back():
    layered = Dials.of(Blend.parse("noir@0.8"))
    paper = layered.with_mode(Mode.PAPER)
    assert str(paper.blend()) == "noir:1@2a/paper"
    assert str(paper.with_mode(Mode.RAW).blend()) == "noir:1@1a/raw"
    assert str(paper.with_mode(Mode.LAYERED).blend()) == "noir:1@1/layered"
    assert str(layered.with_mode(Mode.BALANCED).blend()) == "noir:1@0.8/balanced"


def test_layered_takes_no_residual_norms_over_from_another_mode():
    norms = Dials.of(Blend.parse("noir@0.3r/balanced"))
    assert str(norms.with_mode(Mode.ORTHOGONAL).blend()) == "noir:1@0.3r/orthogonal"
    assert str(norms.with_mode(Mode.LAYERED).blend()) == "noir:1@1/layered"


def test_dials_are_in_the_mode_of_a_blend_that_is_typed():
    assert Dials().adding("noir").blend() == Blend.parse("noir")


def test_every_mode_says_what_it_does_and_where():
    for mode in Mode:
        _, shown = play("v", *["down"] * 3, blend=f"noir:0.6+gothic:0.4/{mode}", size=(60, 18))
        assert f"How the voices are added. {mode.capitalize()}: " in " ".join(shown.split())
    _, shown = play("v", *["down"] * 4, size=(60, 18))
    assert "all but the first and the last" in " ".join(shown.split())
    _, shown = play("v", *["down"] * 4, blend="noir:0.6+gothic:0.4/balanced", size=(60, 18))
    assert "the one that was measured to be best" in " ".join(shown.split())


@pytest.mark.slow
def test_the_norm_is_not_offered_in_layered_and_the_dial_says_why():
    app, shown = play("v", *["down"] * 6, "right", "enter", size=(60, 24))
    assert app.heard == []
    assert "Norm" in shown
    assert "Only in other modes: layered builds" in " ".join(shown.split())


def test_the_norm_that_was_chosen_for_another_mode_waits_while_layered_is_on():
    app, _ = play("v", "down", "down", "right", "right", blend="noir:1@1a/raw/np")
    assert app.heard == ["noir:1@1/layered", "noir:1@1/balanced/np"]


def test_layered_with_the_norm_kept_is_refused_while_it_is_typed():
    async def type_it(app, pilot):
        app.screen.query_one(Input).value = "noir/np"
        await pilot.press("enter")
        await pilot.pause()

    app, shown = play("t", then=type_it, size=(80, 24))
    assert app.heard == []
    assert "leave out /np" in " ".join(shown.replace("│", " ").split())


def turned(text, by=1, layer_count=12, notes=NOTES):
    """The layers of a blend, turned by a step."""
    dials = Dials.of(Blend.parse(text))
    return stepped(dials, DialRow.LAYERS, 0, by, notes, coarse=False, layer_count=layer_count).layers


def test_layers_are_turned_from_the_one_the_vectors_want_and_stay_in_the_model():
    calibrated = {name: VectorInfo(name, layer=layer) for name, layer in (("noir", 7), ("gothic", 3))}
    assert turned("noir/balanced", notes=calibrated) == (7,)
    assert turned("noir+gothic/balanced", notes=calibrated) == (3,)
    assert turned("noir/balanced") == (6,)  # not calibrated to one: the middle
    assert turned("noir/balanced", layer_count=None) is None
    assert turned("noir/balanced/L10,11") == (10, 11)
    assert turned("noir/balanced/L10,11", -1) == (9, 10)
    assert turned("noir/L0", -1) == (0,)


@pytest.mark.parametrize("mode", [Mode.LAYERED, Mode.RAW, Mode.PAPER])
def test_where_no_vector_wants_one_layer_none_is_turned_to(mode):
    assert turned(f"noir/{mode}") is None
    assert turned(f"noir/{mode}/L4") == (5,)


def test_layers_too_many_to_show_lose_their_end():
    _, shown = play("v", blend="noir:1@1/layered/L10,11,12,13,14,15,16,17,18,19")
    assert "Layers" in shown
    assert "10,11,12,13,14,15,…" in shown


def test_x_asks_for_a_vector_and_c_for_none():
    app, _ = play("down", "x", "c", blend="satirist")
    assert app.heard == [(("satirist",), False), "cancel"]
    assert play("down", "x", blend="comic")[0].heard == [(("comic",), True)]


def test_how_far_a_vector_is_is_shown_until_it_is_there():
    async def prepare(app, _):
        app.panel.preparing("asking as noir", 0.25, 300.0)

    assert "25%, 5 min left" in " ".join(play(then=prepare)[1].split())

    async def end(app, pilot):
        await prepare(app, pilot)
        app.panel.prepared()

    assert "asking" not in play(then=end)[1]


def test_a_click_on_the_bar_sets_the_weight():
    async def click(app, pilot):
        dial = app.query(Dial)[1]
        start, cells = dial._bar_place()
        await pilot.click(dial, offset=(start + cells - 1, 0))

    app, _ = play(then=click)
    assert app.heard == ["gothic:1+noir:0.6@1/layered"]
    assert app.panel.row == 1


def test_labels_are_at_their_places_or_next_to_each_other():
    assert labels([(2, "gentle"), (10, "full")], 16) == "  gentle  full  "
    assert labels([(8, "gentle"), (9, "full"), (15, "too much")], 21) == " gentle full too much"


def test_hostile_names_never_reach_the_terminal():
    async def hostile(app, _):
        app.panel.names = {"noir": "\x1b]0;x\x07[b]no[/b]"}
        app.panel.sync()

    _, shown = play("down", "down", then=hostile)
    assert "\x1b" not in shown
    assert "[b]" in shown


def test_the_model_alone_has_no_voice_in_the_panel():
    app, shown = play(blend="none")
    assert app.panel.dials == Dials()
    assert "No voice is in the blend" in shown


def test_while_no_model_is_there_nothing_is_said_against_anybody():
    _, text = play(notes=None)
    assert "The model is not ready yet" in " ".join(text.split())
    _, text = play("a", notes=None, size=(80, 24))
    assert "Minimalist" in text
    assert "✗" not in text
