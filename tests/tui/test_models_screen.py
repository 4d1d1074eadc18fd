"""Models that fit this machine: one is chosen, then the voices to prepare for it."""

import pytest
from helpers.screen_host import seen, shown, told
from textual.screen import Screen

from billy_mlx.engine.messages import Ended, Failed, Job, ModelOffer, ModelsListed, Progress
from billy_mlx.tui.dates import time_left
from billy_mlx.tui.messages import VectorUnwanted
from billy_mlx.tui.screens.models import ModelsScreen
from billy_mlx.vectors.card import load_personas

SMALL = ModelOffer("org/small-4bit", "Small", 2.3, 3.1, "Apache-2.0", "Quick, and plain in style.", here=True)
LARGE = ModelOffer("org/large-4bit", "Large\x1b[2J", 8.4, 9.9, "MIT", "Writes [well].")
FOUR = ("noir", "gothic", "minimalist", "lyrical")
RUNNING = Progress(Job(7), "preparing noir", 0.25, 3900.0)


def screen(*offers, running=None):
    return ModelsScreen(ModelsListed(Job(1), 16.0, offers), load_personas(), running)


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
def test_each_model_says_what_it_takes_and_the_starter_is_called_what_it_is(size):
    pictures = []
    shown(screen(SMALL, LARGE), seen(pictures), size=size)
    for words in ["a demonstration", "16 GB", "✓ is on this machine", "↓ 8.4 GB to download", "9.9 GB of memory"]:
        assert words in pictures[0]
    for words in ["licence MIT", "Writes [well].", "Large␛[2J", "billy model get"]:
        assert words in pictures[0]


def test_four_writing_voices_are_prepared_unless_the_writer_chooses():
    assert shown(screen(SMALL, LARGE), "down", "enter", "enter").given == [("org/large-4bit", FOUR)]


@pytest.mark.slow
def test_space_marks_voices():
    host = shown(screen(SMALL), "enter", "space", "down", "down", "down", "down", "space", "enter")
    ((_, personas),) = host.given
    assert "noir" not in personas
    assert len(personas) == 4


@pytest.mark.slow
def test_without_a_voice_nothing_begins():
    host = shown(screen(SMALL), "enter", *["space", "down"] * 4, "enter")
    assert host.given == []
    assert "at least one voice" in told(host)


def test_escape_goes_back_to_the_models_and_then_leaves():
    pictures = []
    host = shown(screen(SMALL), "enter", seen(pictures), "escape", seen(pictures), "escape")
    assert "Voices for Small" in pictures[0]
    assert "Models that fit this machine" in pictures[1]
    assert host.given == [None]


def test_where_nothing_fits_it_says_how_to_get_another():
    pictures = []
    assert shown(screen(), seen(pictures), "enter", "escape").given == [None]
    assert "No larger model fits" in pictures[0]


def test_a_running_job_shows_how_far_it_is_until_it_ends():
    pictures = []
    shown(
        screen(SMALL, running=RUNNING),
        seen(pictures),
        lambda pilot: pilot.app.screen.on_engine_event(Ended(Job(6))),
        seen(pictures),
        lambda pilot: pilot.app.screen.on_engine_event(Failed(Job(7), "no room")),
        seen(pictures),
    )
    assert ["preparing noir, 1 h 5 min left" in picture for picture in pictures] == [True, True, False]
    assert "25%" in pictures[0]


def test_a_second_job_is_not_begun_beside_one_that_runs():
    host = shown(screen(SMALL), lambda pilot: pilot.app.screen.on_engine_event(RUNNING), "enter", "enter")
    assert host.given == []
    assert "being prepared already" in told(host)


class Page(Screen):
    """Has the models over it, and keeps what it is told."""

    def on_mount(self):
        self.unwanted = 0
        self.app.push_screen(screen(SMALL, running=RUNNING))

    def on_vector_unwanted(self, _: VectorUnwanted):
        self.unwanted += 1


def test_c_tells_the_screen_below_to_cancel():
    page = Page()
    shown(page, "c")
    assert page.unwanted == 1


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (20, ", less than a minute left"), (600, ", 10 min left"), (7260, ", 2 h 1 min left")],
)
def test_time_left_is_said_as_people_say_it(seconds, words):
    assert time_left(seconds) == words
