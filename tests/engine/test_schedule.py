"""Whose turn it is."""

from dataclasses import dataclass

import pytest

from billy_mlx.engine.thread import Schedule


@dataclass(frozen=True)
class Work:
    name: str
    urgent: bool = False
    rank: int = 0


WRITING, EXTRACTION, READING = Work("writing", urgent=True), Work("extraction", rank=2), Work("reading", rank=1)


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def turns(works, count, *, urgent_seconds=0.01, background_seconds=0.1):
    """Return the names of who gets `count` steps, and the seconds each had in all."""
    clock, names, seconds = Clock(), [], {work.name: 0.0 for work in works}
    schedule = Schedule(clock)
    for _ in range(count):
        work = schedule.next(works)
        took = urgent_seconds if work.urgent else background_seconds
        clock.now += took
        schedule.done(work)
        names.append(work.name)
        seconds[work.name] += took
    return names, seconds


def test_the_background_gets_a_fifth_of_the_time_while_text_streams():
    _, seconds = turns([WRITING, EXTRACTION], 1000)
    share = seconds["extraction"] / (seconds["extraction"] + seconds["writing"])
    assert 0.15 < share <= 0.21


def test_it_gets_all_of_it_otherwise():
    assert set(turns([EXTRACTION], 10)[0]) == {"extraction"}


def test_reading_goes_before_extraction():
    assert set(turns([EXTRACTION, READING], 10)[0]) == {"reading"}


def test_those_of_a_rank_take_turns():
    names, _ = turns([Work("one", urgent=True), Work("other", urgent=True)], 10)
    assert names.count("one") == 5


def test_no_job_in_the_background_starves():
    names, _ = turns([WRITING, Work("one"), Work("other")], 2000, urgent_seconds=0.04, background_seconds=0.03)
    assert names.count("one") == pytest.approx(names.count("other"), abs=1)
