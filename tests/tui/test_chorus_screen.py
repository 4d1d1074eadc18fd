"""Several voices at once: side by side or stacked, taken whole or by the sentence, and who they are."""

import pytest
from helpers.screen_host import seen, shown, typed
from textual.screen import Screen

from billy_mlx.blend.blend import ALONE, Blend
from billy_mlx.engine.messages import VectorInfo
from billy_mlx.errors import ManuscriptError
from billy_mlx.tui.dials import Dials
from billy_mlx.tui.screens.chorus import ChorusScreen
from billy_mlx.tui.screens.chorus_voices import ChorusVoices, candidates, usual_voices
from billy_mlx.tui.widgets.persona_list import persona_list
from billy_mlx.vectors.card import load_personas

NAMES = ("Noir", "Half Gothic, half Noir", "the model alone")
SENTENCES = "It rained. Nobody came. The"
blend = Blend.parse


def dials(text):
    return Dials.parse(text, Blend.parse)


NOTES = {
    "comic": VectorInfo("comic", strength=1.0, auc=0.9, effect=-0.1),
    "gothic": VectorInfo("gothic", strength=1.0, auc=0.7, effect=0.5),
    "noir": VectorInfo("noir", strength=1.0, auc=0.9, effect=0.4),
    "customer": VectorInfo("customer", strength=1.0, auc=0.9, effect=0.9),
    "lyrical": VectorInfo("lyrical", strength=1.0, auc=0.9, effect=0.3),
    "minimalist": VectorInfo("minimalist", weakness="it does not show", strength=1.0, auc=0.9, effect=0.9),
}
CAST = persona_list(load_personas(), NOTES)


class Page(Screen):
    """Has a chorus over it, and keeps what is asked of the commands."""

    def __init__(self, names=NAMES):
        super().__init__()
        self.chorus, self.said = ChorusScreen(names, self), []

    def on_mount(self):
        self.app.push_screen(self.chorus)

    def take(self, voice, *, sentence):
        self.said.append((voice, sentence))

    def undo(self):
        self.said.append("back")

    def again(self):
        self.said.append("again")

    def before(self):
        self.said.append("before")

    def stop(self):
        self.said.append("stop")

    def choose_voices(self):
        self.said.append("choose")

    def turn_blind(self):
        self.said.append("blind")


def grown(*texts, taken=0):
    """Return a step that has the voices have written these."""

    def step(pilot):
        for voice, text in enumerate(texts):
            pilot.app.screen.show_voice(voice, text, taken)

    return step


def test_every_voice_is_headed_by_its_name():
    pictures = []
    shown(Page(), grown("One.", "Two.", "Three."), seen(pictures), size=(160, 50))
    for words in ["» Noir", "Half Gothic, half Noir", "the model alone", "One.", "Two.", "Three."]:
        assert words in pictures[0]


@pytest.mark.parametrize(
    ("size", "voices", "side"),
    [((80, 24), 2, True), ((80, 24), 3, False), ((160, 50), 3, True), ((160, 50), 6, False)],
)
def test_columns_stand_side_by_side_where_there_is_room(size, voices, side):
    page, tops = Page(NAMES[:1] * voices), []
    shown(
        page, lambda pilot: tops.extend(column.region.y for column in pilot.app.screen.query("ChorusColumn")), size=size
    )
    assert (len(set(tops)) == 1) is side


@pytest.mark.slow
def test_all_voices_can_be_reached_where_they_are_stacked():
    page, pictures = Page(NAMES * 2), []
    long = "\n".join(["A line."] * 30)
    shown(page, grown(*[long] * 5, "The last voice."), "shift+tab", seen(pictures), "tab", "pagedown", seen(pictures))
    assert "The last voice." in pictures[0]
    assert "» Noir" not in pictures[1]


def test_the_text_streams_and_nothing_in_it_is_obeyed():
    page, pictures = Page(), []
    shown(page, grown("[red]It \x1b"), grown("[red]It \x1b]0;HOSTILE"), seen(pictures), size=(160, 50))
    assert "[red]It ␛]0;HOSTILE" in pictures[0]
    assert [column.text for column in page.chorus._columns] == ["[red]It \x1b]0;HOSTILE", "", ""]


def test_the_end_of_the_manuscript_stands_above_the_voices():
    page, pictures = Page(), []
    long = lambda pilot: page.chorus.show_before("word " * 100 + "the\nend")  # noqa: E731
    shown(page, lambda pilot: page.chorus.show_before("It was\nnight."), seen(pictures), long, seen(pictures))
    assert "It was night." in pictures[0]
    assert "word the end" in pictures[1]
    assert "…" in pictures[1]


def test_enter_takes_the_voice_that_is_marked_and_ctrl_t_a_sentence_of_it():
    page = Page()
    shown(page, grown("One.", "Two."), "right", "enter", "left", "ctrl+t")
    assert page.said == [(1, False), (0, True)]


def test_what_is_taken_is_said():
    pictures = []
    shown(Page(), grown(SENTENCES, taken=23), seen(pictures), grown(SENTENCES, taken=27), seen(pictures))
    assert "✓ 4 words taken" in pictures[0]
    assert "✓ taken" in pictures[1]


@pytest.mark.slow
def test_where_there_is_nothing_yet_nothing_is_taken_and_that_is_said_until_the_next_key():
    page, pictures = Page(), []
    shown(page, "enter", seen(pictures), "ctrl+t", grown("One.", taken=4), "enter", "right", seen(pictures))
    assert page.said == []
    assert "This voice has nothing more" in pictures[0]
    assert "This voice has nothing more" not in pictures[1]


@pytest.mark.slow
def test_the_other_keys_ask_the_commands():
    page = Page()
    shown(page, "ctrl+g", "ctrl+n", "ctrl+l", "ctrl+z", "ctrl+x", "f2", "b")
    assert page.said == ["again", "again", "before", "back", "stop", "choose", "blind"]


def test_the_gauge_warns_in_words_before_text_frays():
    pictures = []

    def step(pilot):
        pilot.app.screen.coherence(0, 1.1)
        pilot.app.screen.coherence(1, 2.0)
        pilot.app.screen.show_voice(0, "One.", over=True)

    shown(Page(), step, seen(pictures), size=(160, 50))
    assert "done · holds together" in pictures[0]
    assert "! frays: lower the dose" in pictures[0]


@pytest.mark.slow
def test_a_chorus_begins_anew_with_other_voices():
    page, pictures = Page(), []
    begin = lambda pilot: pilot.app.screen.begin(("Lyrical", "the model alone"))  # noqa: E731
    shown(page, grown("One."), begin, grown("Two."), seen(pictures), "enter", size=(160, 50))
    assert "» Lyrical" in pictures[0]
    assert "One." not in pictures[0]
    assert page.said == [(0, False)]


def test_who_could_sing_is_the_blend_its_personas_saved_ones_and_the_model_alone():
    voices = candidates(
        blend("gothic:0.5+noir:0.5@1/paper"), {"dark": dials("noir:1@1/paper"), "Sea": dials("lyrical:1@0.5/layered")}
    )
    alone = (blend("gothic:1@1/paper"), blend("noir:1@1/paper"))
    assert voices == (blend("gothic:0.5+noir:0.5@1/paper"), *alone, blend("lyrical:1@0.5/layered"), ALONE)


def test_who_could_sing_is_shown_by_name():
    pictures, saved = [], {"Sea": dials("lyrical:1@0.5/layered")}
    shown(ChorusVoices(blend("gothic:0.5+noir:0.5@1/layered"), saved, CAST), seen(pictures))
    for name in ["Half Gothic, half Noir, as it is now", "Gothic", "Sea: Lyrical (gentle)", "the model alone"]:
        assert name in pictures[0]
    assert "@" not in pictures[0]


@pytest.mark.slow
def test_two_to_six_voices_are_chosen():
    host = shown(ChorusVoices(blend("gothic:0.5+noir:0.5@1"), {}, CAST), "space", "end", "space", "enter")
    assert host.given == [(blend("gothic:0.5+noir:0.5@1"), ALONE)]
    pictures = []
    host = shown(ChorusVoices(blend("noir:1@1"), {}, CAST, (blend("noir:1@1"),)), "enter", seen(pictures))
    assert host.given == []
    assert "Only one is marked; a chorus has 2 to 6 voices" in pictures[0]


def test_a_blend_that_sang_before_is_still_to_choose():
    chosen = (blend("lyrical:1@1"), ALONE)
    assert shown(ChorusVoices(ALONE, {}, CAST, chosen), "enter").given == [(ALONE, blend("lyrical:1@1"))]
    assert shown(ChorusVoices(ALONE, {}, CAST), "escape").given == [None]


@pytest.mark.slow
def test_any_persona_can_be_found_and_sings_with_the_dose_of_the_blend():
    asking = ChorusVoices(blend("noir:1@0.5/layered"), {}, CAST, (blend("noir:1@0.5/layered"),))
    pictures = []
    host = shown(asking, "a", *typed("lyrical"), "enter", seen(pictures), "enter")
    assert "[✓] Lyrical (gentle)" in pictures[0]
    assert host.given == [(blend("noir:1@0.5/layered"), blend("lyrical:1@0.5/layered"))]


@pytest.mark.slow
def test_who_is_in_the_list_already_is_marked_there():
    host = shown(ChorusVoices(blend("noir:1@1/layered"), {}, CAST, (ALONE,)), "a", *typed("noir"), "enter", "enter")
    assert host.given == [(blend("noir:1@1/layered"), ALONE)]


@pytest.mark.slow
def test_a_persona_without_a_vector_does_not_sing_and_that_is_said():
    pictures = []
    shown(ChorusVoices(ALONE, {}, CAST), "a", *typed("satirist"), "enter", seen(pictures))
    assert "Satirist is not prepared for this model yet" in pictures[0]
    assert "✓" not in pictures[0]


def test_those_who_show_best_sing_if_nobody_was_chosen():
    best = (blend("gothic:1@1/layered"), blend("noir:1@1/layered"))
    assert usual_voices(ALONE, CAST, 3) == (*best, ALONE)
    assert usual_voices(blend("lyrical:1@1/layered"), CAST, 3) == (blend("lyrical:1@1/layered"), best[0], ALONE)
    assert usual_voices(ALONE, CAST, 6) == (*best, blend("lyrical:1@1/layered"), blend("customer:1@1/layered"), ALONE)


def test_where_nobody_shows_the_best_sing_all_the_same():
    weak = persona_list(load_personas(), {name: NOTES[name] for name in ("comic", "minimalist")})
    assert usual_voices(ALONE, weak, 2) == (blend("minimalist:1@1/layered"), ALONE)


def test_the_personas_of_the_blend_sing_before_others_unless_they_do_not_show():
    assert usual_voices(blend("lyrical+noir"), CAST, 4) == (
        blend("lyrical+noir"),
        blend("noir:1@1/layered"),
        blend("lyrical:1@1/layered"),
        ALONE,
    )
    assert usual_voices(blend("comic+lyrical"), CAST, 3) == (
        blend("comic+lyrical"),
        blend("lyrical:1@1/layered"),
        ALONE,
    )
    assert usual_voices(blend("comic+minimalist"), CAST, 3) == (
        blend("comic+minimalist"),
        blend("gothic:1@1/layered"),
        ALONE,
    )


def test_where_nobody_could_sing_that_is_said():
    with pytest.raises(ManuscriptError, match="no voice is prepared for this model yet"):
        usual_voices(ALONE, persona_list(load_personas(), {}), 3)
