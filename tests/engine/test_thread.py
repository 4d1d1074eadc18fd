"""The thread that owns the model: what it is asked, what it posts, and what it survives."""

import queue
import weakref
from dataclasses import dataclass, replace

import pytest
from helpers.random_vectors import persona_vector
from helpers.tiny_models import tiny_folder

from billy_mlx.blend.blend import Blend
from billy_mlx.engine.messages import (
    Broken,
    Ended,
    Failed,
    Job,
    Load,
    Loaded,
    Loading,
    Steer,
    Stop,
    Unload,
    Unloaded,
    Unsteered,
)
from billy_mlx.engine.thread import Engine
from billy_mlx.errors import ModelError, UsageError
from billy_mlx.model.load import load
from billy_mlx.vectors.library import store_vector


@dataclass(frozen=True)
class Count:
    """Count up to a number, or for ever."""

    job: Job
    to: int | None = None
    error: Exception | None = None


@dataclass(frozen=True)
class Nameless:
    """A request that no engine knows."""

    job: Job


class Counting:
    urgent, rank = True, 0

    def __init__(self, shared, request):
        self.request, self.stopped, self.blend = request, False, None

    def __iter__(self):
        number = 0
        while not self.stopped and number != self.request.to:
            number += 1
            yield (self.request.job, number, self.blend)
        if self.request.error is not None:
            raise self.request.error

    def stop(self, voice=None):
        self.stopped = True

    def steer(self, voice, blend):
        if blend == Blend.parse("nobody"):
            raise UsageError("nobody is no persona")
        self.blend = blend


@dataclass(frozen=True)
class Need:
    """Say which model there is."""

    job: Job


class Needing:
    urgent, rank = True, 0

    def __init__(self, shared, request):
        self.shared, self.request = shared, request

    def __iter__(self):
        yield (self.request.job, self.shared.model.id, len(self.shared.store._entries))

    def stop(self, voice=None):
        """There is nothing to stop."""


class Asked:
    """An engine and what it has posted."""

    def __init__(self, load):
        self.events = queue.Queue()
        self.engine = Engine(self.events.put, lambda: {Count: Counting, Need: Needing}, load=load)
        self.engine.start("tiny")

    def until(self, wanted):
        """Return the next event for which `wanted` is true; those before it are dropped."""
        while True:
            event = self.events.get(timeout=30)
            if wanted(event):
                return event

    def of(self, kind):
        return self.until(lambda event: isinstance(event, kind))


@pytest.fixture
def asked(tiny):
    asked = Asked(lambda name: tiny)
    asked.of(Loaded)
    yield asked
    asked.engine.close(5)
    assert not asked.engine._thread.is_alive()


def test_a_model_is_loaded_and_described(tiny):
    asked = Asked(lambda name: tiny)
    assert asked.of(Loading).stage == "loading tiny ..."
    assert asked.of(Loaded).model.layers == 4
    asked.engine.close(5)


def test_the_users_vectors_of_the_version_before_are_marked_and_told_of(tiny):
    for persona_id, file_version in (("noir", "1"), ("gothic", "")):
        vector = persona_vector(persona_id, fingerprint=tiny.fingerprint)
        store_vector(replace(vector, origin=replace(vector.origin, file_version=file_version)))
    asked = Asked(lambda name: tiny)
    loaded = asked.of(Loaded)
    asked.engine.close(5)
    assert {each: note.former for each, note in loaded.voices.items()} == {"gothic": False, "noir": True}
    assert loaded.former.startswith("1 of your voices was prepared by an older version")
    assert loaded.former.endswith(f"run: billy extract noir --model {tiny.id}")


def test_a_job_ends_with_one_event(asked):
    asked.engine.ask(Count(Job(1), to=3))
    numbers = [asked.events.get(timeout=30) for _ in range(4)]
    assert numbers == [(1, 1, None), (1, 2, None), (1, 3, None), Ended(Job(1))]


def test_a_job_is_stopped_between_two_steps(asked):
    asked.engine.ask(Count(Job(1)))
    asked.until(lambda event: event == (1, 5, None))
    asked.engine.ask(Stop(Job(1)))
    assert asked.of(Ended) == Ended(Job(1), stopped=True)


def test_a_voice_is_steered_while_it_speaks(asked):
    asked.engine.ask(Count(Job(1)))
    asked.engine.ask(Steer(Job(1), 0, Blend.parse("noir")))
    assert asked.until(lambda event: isinstance(event, tuple) and event[2] == Blend.parse("noir"))


def test_a_blend_that_cannot_be_is_told_and_the_voice_goes_on(asked):
    asked.engine.ask(Count(Job(1)))
    asked.engine.ask(Steer(Job(1), 0, Blend.parse("nobody")))
    assert asked.of(Unsteered).reason == "nobody is no persona"
    assert asked.of(tuple)


@pytest.mark.parametrize(
    ("error", "reason"),
    [(ModelError("that is no model; take another"), "that is no model"), (MemoryError(), "out of memory")],
    ids=["said", "memory"],
)
def test_what_a_job_fails_of_is_said_in_words(asked, error, reason):
    asked.engine.ask(Count(Job(1), to=1, error=error))
    assert reason in asked.of(Failed).reason


def test_a_fault_of_the_program_takes_nothing_else_with_it(asked):
    asked.engine.ask(Count(Job(1), to=1, error=KeyError("oops")))
    assert "fault in the program" in asked.of(Failed).reason
    assert "KeyError: 'oops'" in asked.of(Broken).report
    asked.engine.ask(Count(Job(2), to=1))
    assert asked.of(Ended) == Ended(Job(2))


def test_two_jobs_take_turns(asked):
    asked.engine.ask(Count(Job(1)))
    asked.engine.ask(Count(Job(2)))
    seen = {asked.of(tuple)[0] for _ in range(2000)}
    assert seen == {1, 2}


def test_a_model_that_is_not_there_is_told_and_jobs_fail():
    def load(name):
        raise ModelError("there is no such model; get one")

    asked = Asked(load)
    assert asked.of(Unloaded).reason == "there is no such model; get one"
    asked.engine.ask(Load("other"))
    assert asked.of(Unloaded)
    asked.engine.ask(Count(Job(1), to=1))  # one that needs no model, as looking for models to get
    assert asked.of(Ended)
    asked.engine.close(5)


@pytest.mark.parametrize("error", [RuntimeError("bad header"), MemoryError()], ids=["fault", "memory"])
def test_a_load_that_fails_does_not_end_the_engine(tiny, error):
    outcomes = iter([error, tiny])

    def load(name):
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    asked = Asked(load)
    assert "tiny" in asked.of(Unloaded).reason
    asked.engine.ask(Load("tiny"))
    assert asked.of(Loaded)
    asked.engine.close(5)


def test_a_job_that_cannot_be_begun_is_told(asked):
    asked.engine.ask(Nameless(Job(1)))
    assert "fault in the program" in asked.of(Failed).reason
    asked.engine.ask(Count(Job(2), to=1))
    assert asked.of(Ended) == Ended(Job(2))


def test_another_model_ends_what_was_begun(asked):
    asked.engine.ask(Count(Job(1)))
    asked.engine.ask(Load("tiny"))
    assert asked.of(Ended) == Ended(Job(1), stopped=True)
    assert asked.of(Loaded).model.layers == 4


def test_closing_does_not_wait_for_a_job(asked):
    asked.engine.ask(Count(Job(1)))
    asked.engine.close(5)
    assert not asked.engine._thread.is_alive()


def test_what_is_not_running_cannot_be_stopped(asked):
    asked.engine.ask(Stop(Job(7)))
    asked.engine.ask(Count(Job(1), to=1))
    assert asked.of(Ended) == Ended(Job(1))


def test_a_model_that_nobody_needs_is_put_away_and_comes_back_for_the_next_job(asked, tiny):
    asked.engine.ask(Unload())
    assert asked.of(Unloaded) == Unloaded(f"{tiny.id} is put away until you need it", until_needed=True)
    asked.engine.ask(Unload())  # which says nothing any more
    asked.engine.ask(Count(Job(1), to=1))  # which needs none
    assert asked.events.get(timeout=30) == (1, 1, None)
    asked.engine.ask(Need(Job(2)))
    assert asked.of(Loading).stage == f"loading {tiny.id} again ..."
    assert asked.of(Loaded).again
    assert asked.of(tuple) == (2, tiny.id, 0)


def test_a_model_at_work_is_not_put_away(asked):
    asked.engine.ask(Count(Job(1)))
    asked.engine.ask(Unload())
    asked.engine.ask(Stop(Job(1)))
    events = iter(lambda: asked.events.get(timeout=30), Ended(Job(1), stopped=True))
    assert not [event for event in events if isinstance(event, Unloaded)]


def test_what_is_done_without_a_model_goes_on_while_it_comes_back(asked):
    asked.engine.ask(Unload())
    asked.engine.ask(Count(Job(1)))
    asked.engine.ask(Need(Job(2)))
    assert asked.of(Ended) == Ended(Job(2))
    assert asked.of(tuple)[0] == 1


def test_the_memory_of_a_model_that_is_put_away_is_given_back(tmp_path):
    folder, held = tiny_folder(tmp_path), []

    def loaded(name):
        model = load(folder)
        held.append(weakref.ref(model.model))
        return model

    asked = Asked(loaded)
    asked.of(Loaded)
    asked.engine.ask(Need(Job(1)))
    asked.of(Ended)
    asked.engine.ask(Unload())
    asked.of(Unloaded)
    assert held[0]() is None
    asked.engine.close(5)


def test_a_model_that_does_not_come_back_is_told(tiny):
    outcomes = iter([tiny, ModelError("it is gone; get it again")])

    def load(name):
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    asked = Asked(load)
    asked.of(Loaded)
    for request in (Unload(), Need(Job(1))):
        asked.engine.ask(request)
    assert asked.until(lambda event: event == Unloaded("it is gone; get it again"))
    assert "could not be loaded again" in asked.of(Failed).reason
    asked.engine.close(5)
