"""Several voices at once: side by side or stacked, taken whole or by the sentence."""

import pytest
from hosting import seen, shown, told
from textual.screen import Screen

from billy_mlx.tui.screens.chorus import ChorusScreen, ChorusVoices, candidates

VOICES = ("noir:1@1", "gothic:0.5+noir:0.5@1", None)
SENTENCES = "It rained. Nobody came. The"


class Page(Screen):
    """Has a chorus over it, and keeps what it is told."""

    def __init__(self, voices=VOICES):
        super().__init__()
        self.chorus, self.said = ChorusScreen(voices), []

    def on_mount(self):
        self.app.push_screen(self.chorus)

    def on_chorus_screen_taken(self, message):
        self.said.append((message.voice, message.length))

    def on_chorus_screen_again(self):
        self.said.append("again")

    def on_chorus_screen_stop_all(self):
        self.said.append("stop")

    def on_chorus_screen_choose_voices(self):
        self.said.append("choose")


def grown(*texts):
    """Return a step that has the voices write these."""

    def step(pilot):
        for voice, text in enumerate(texts):
            pilot.app.screen.grow(voice, text)

    return step


def test_every_voice_is_headed_by_its_blend_and_the_control_is_called_so():
    pictures = []
    shown(Page(), grown("One.", "Two.", "Three."), seen(pictures), size=(160, 50))
    for words in ["» noir:1@1", "gothic:0.5+noir:0.5@1", "unsteered, the control", "One.", "Two.", "Three."]:
        assert words in pictures[0]


@pytest.mark.parametrize(
    ("size", "voices", "side"),
    [((80, 24), 2, True), ((80, 24), 3, False), ((160, 50), 3, True), ((160, 50), 6, False)],
)
def test_columns_stand_side_by_side_where_there_is_room(size, voices, side):
    page, tops = Page(VOICES[:1] * voices), []
    shown(page, lambda pilot: tops.extend(column.region.y for column in pilot.app.screen.query("Column")), size=size)
    assert (len(set(tops)) == 1) is side


def test_all_voices_can_be_reached_where_they_are_stacked():
    page, pictures = Page(VOICES * 2), []
    long = "\n".join(["A line."] * 30)
    shown(page, grown(*[long] * 5, "The last voice."), "shift+tab", seen(pictures), "tab", "pagedown", seen(pictures))
    assert "The last voice." in pictures[0]
    assert "noir:1@1" not in pictures[1]


def test_the_text_streams_and_nothing_in_it_is_obeyed():
    page, pictures = Page(), []
    shown(page, grown("[red]It \x1b"), grown("]0;HOSTILE"), seen(pictures), size=(160, 50))
    assert "[red]It ␛]0;HOSTILE" in pictures[0]
    assert page.chorus.texts() == ("[red]It \x1b]0;HOSTILE", "", "")


def test_enter_takes_the_voice_that_is_marked():
    page = Page()
    shown(page, grown("One.", "Two."), "right", "enter")
    assert page.said == [(1, None)]


def test_sentences_are_taken_one_by_one_and_then_the_rest():
    page, pictures = Page(), []
    shown(page, grown(SENTENCES), "ctrl+t", "ctrl+t", seen(pictures), "enter", seen(pictures))
    (_, first), (_, second), rest = page.said
    assert SENTENCES[:first] == "It rained."
    assert SENTENCES[first:][:second] == " Nobody came."
    assert rest == (0, None)
    assert "✓ 4 words taken" in pictures[0]
    assert "✓ taken" in pictures[1]


def test_where_there_is_nothing_yet_nothing_is_taken():
    page = Page()
    host = shown(page, "enter", "ctrl+t", grown("One."), "enter", "enter")
    assert page.said == [(0, None)]
    assert "no more of this voice" in told(host)


def test_the_other_keys_tell_the_screen_below():
    page = Page()
    shown(page, "ctrl+n", "ctrl+x", "f2")
    assert page.said == ["again", "stop", "choose"]


def test_the_gauge_warns_in_words_before_text_frays():
    pictures = []

    def step(pilot):
        pilot.app.screen.coherence(0, 1.1)
        pilot.app.screen.coherence(1, 2.0)
        pilot.app.screen.ended(0)

    shown(Page(), step, seen(pictures), size=(160, 50))
    assert "done · holds (1.1×)" in pictures[0]
    assert "! frays (2.0×)" in pictures[0]


def test_a_chorus_begins_anew_with_other_voices():
    page, pictures = Page(), []
    begin = [grown("One."), lambda pilot: pilot.app.screen.begin(("lyrical:1@1", None)), grown("Two."), seen(pictures)]
    shown(page, *begin, "enter", size=(160, 50))
    assert "» lyrical:1@1" in pictures[0]
    assert "One." not in pictures[0]
    assert page.said == [(0, None)]


def test_who_could_sing_is_the_blend_its_personas_saved_ones_and_the_control():
    rows = candidates("gothic:0.5+noir:0.5@1/paper", {"dark": "noir:1@1/paper", "Sea": "lyrical:1@0.5/layered"})
    alone = ["gothic:1@1/paper", "noir:1@1/paper"]
    assert list(rows) == ["gothic:0.5+noir:0.5@1/paper", *alone, "lyrical:1@0.5/layered", None]
    assert rows["lyrical:1@0.5/layered"] == "Sea: lyrical:1@0.5/layered"


def test_two_to_six_voices_are_chosen():
    host = shown(ChorusVoices("gothic:0.5+noir:0.5@1", {}), "space", "end", "space", "enter")
    assert host.given == [("gothic:0.5+noir:0.5@1", None)]
    host = shown(ChorusVoices("noir:1@1", {}, chosen=("noir:1@1",)), "enter")
    assert host.given == []
    assert "2 to 6 voices" in told(host)


def test_a_blend_that_sang_before_is_still_to_choose():
    chosen = ("lyrical:1@1", None)
    assert shown(ChorusVoices(None, {}, chosen=chosen), "enter").given == [(None, "lyrical:1@1")]
    assert shown(ChorusVoices(None, {}), "escape").given == [None]
