"""Personas made ready: extracted, calibrated, stored, as one job that can be stopped and goes on."""

import itertools

import pytest

from billy_mlx.engine import preparing as preparing_module
from billy_mlx.engine.eta import Eta, Stopwatch
from billy_mlx.engine.job_types import comparing
from billy_mlx.engine.jobs import JobContext
from billy_mlx.engine.messages import (
    Compare,
    Compared,
    Estimated,
    EstimateTime,
    Job,
    LearnVoice,
    Prepare,
    Progress,
    VoiceReady,
)
from billy_mlx.engine.preparing import PreparingTimes, Sizes, estimating, learning, plan_of, preparing
from billy_mlx.errors import BillyError, ModelError, UsageError
from billy_mlx.extraction.calibrate import CalibrationSettings
from billy_mlx.extraction.extract import extract
from billy_mlx.extraction.rollouts import RolloutSettings
from billy_mlx.vectors.card import get_persona
from billy_mlx.vectors.library import find_all

FEW = Sizes(
    RolloutSettings(questions=3, rollouts=2, max_tokens=5, batch=4),
    CalibrationSettings(strengths=(1.0, 2.0), prompts=4, max_tokens=8, batch=16),
)


@pytest.fixture
def shared(tiny):
    return JobContext(tiny, load=lambda name: None)


def prepare(shared, *personas, **how):
    return list(preparing(shared, Prepare(Job(1), personas, **how), FEW))


def ready(events):
    return [event.voice for event in events if isinstance(event, VoiceReady)]


@pytest.mark.slow
def test_a_persona_is_extracted_calibrated_and_stored(shared, tiny):
    events = prepare(shared, "noir")
    extracted, calibrated = ready(events)
    assert (extracted.persona_id, extracted.strength) == ("noir", None)
    assert calibrated.strength > 0
    assert calibrated.own
    assert list(find_all(tiny.fingerprint)) == ["noir"]


@pytest.mark.slow
def test_progress_is_of_the_whole_and_never_goes_back(shared):
    shares = [event.share for event in prepare(shared, "noir", "gothic") if isinstance(event, Progress)]
    assert shares == sorted(shares)
    assert 0 <= shares[0] < 0.2
    assert shares[-1] > 0.9


@pytest.mark.slow
def test_what_is_there_is_not_made_again(shared):
    prepare(shared, "noir")
    assert prepare(shared, "noir") == []
    assert len(ready(prepare(shared, "noir", again=True))) == 2


def test_what_is_stopped_lets_others_extract_at_once(shared, tiny):
    work = preparing(shared, Prepare(Job(1), ("noir",)), FEW)
    steps = iter(work)
    next(steps)
    with pytest.raises(BillyError, match="is extracting noir from"):
        next(extract(tiny, [get_persona("noir")], settings=FEW.rollouts))
    work.stop()
    assert list(steps) == []
    next(extract(tiny, [get_persona("noir")], settings=FEW.rollouts))


@pytest.mark.slow
def test_it_can_be_stopped_and_goes_on_from_there(shared, tiny):
    work = preparing(shared, Prepare(Job(1), ("noir",)), FEW)
    steps = iter(work)
    next(steps)
    work.stop()
    assert list(steps) == []
    assert not find_all(tiny.fingerprint)
    assert len(ready(prepare(shared, "noir"))) == 2


def test_an_unknown_persona_is_refused(shared):
    with pytest.raises(UsageError, match="no persona 'nobody'"):
        prepare(shared, "nobody")


@pytest.mark.slow
def test_a_voice_is_learnt_from_a_text(shared):
    text = " ".join(
        f"The {word} went over the hill and came back with the {word}s." for word in ("cat", "dog", "ox") * 60
    )
    events = list(learning(shared, LearnVoice(Job(1), "my-voice", text, "a text"), FEW))
    assert [voice.persona_id for voice in ready(events)] == ["my-voice"] * 2
    assert ready(events)[-1].source == "a text"


@pytest.mark.slow
def test_a_model_is_fetched_and_loaded_first(tiny, monkeypatch):
    loaded = []
    monkeypatch.setattr(preparing_module, "fetch", lambda repo, size: iter([0.5]))
    events = prepare(JobContext(tiny, load=loaded.append), "noir", model="org/model")
    assert loaded == ["org/model"]
    assert events[0].stage == "downloading org/model"


@pytest.mark.slow
def test_a_model_that_cannot_be_fetched_is_told(tiny):
    with pytest.raises(ModelError, match="org/model was not fetched: HF_HUB_OFFLINE is set"):
        prepare(JobContext(tiny, load=lambda name: None), "noir", model="org/model")


@pytest.mark.slow
def test_vectors_are_compared(shared):
    prepare(shared, "noir", "gothic")
    [compared] = comparing(shared, Compare(Job(2)))
    assert isinstance(compared, Compared)
    assert compared.persona_ids == ("gothic", "noir")
    assert [round(compared.cosines[at][at], 4) for at in (0, 1)] == [1, 1]


def test_the_time_left_is_told_once_it_can_be():
    times = iter([0.0, 1.0, 10.0])
    pace = Eta(lambda: next(times))
    assert pace.seconds_left(0.5) is None
    assert pace.seconds_left(0.51) is None
    assert pace.seconds_left(0.6) == pytest.approx(40)


def test_a_draft_in_between_does_not_change_the_time_left():
    time = [0.0]
    watch = Stopwatch(lambda: time[0])
    pace = Eta(lambda: watch.seconds)
    left = []

    def work():
        for step in range(1, 51):
            time[0] += 1.0
            left.append(pace.seconds_left(step / 100))
            yield step

    for _ in watch.timing(work()):
        time[0] += 20.0  # the draft has its turn
    assert left[-1] == pytest.approx(50, rel=0.05)
    assert max(each for each in left if each is not None) < 101


def test_what_is_thought_beforehand_gives_way_to_what_is_measured_without_a_jump():
    time = [0.0]
    pace = Eta(lambda: time[0], expected=100.0)
    told = []
    for step in range(1001):  # it is twice as slow as thought
        time[0] = step * 0.2
        told.append(pace.seconds_left(step / 1000))
    assert told[0] == 100
    assert told[900] == pytest.approx(20, rel=0.05)
    assert max(abs(a - b) for a, b in itertools.pairwise(told)) < 2


def test_how_long_it_takes_is_told_before_it_begins(shared):
    [estimated] = estimating(shared, EstimateTime(Job(4), ("noir",)))
    assert isinstance(estimated, Estimated)
    [more] = estimating(shared, EstimateTime(Job(4), ("noir", "gothic")))
    assert 0 < estimated.seconds < more.seconds
    assert list(shared.kept) == ["seconds for a step"]


@pytest.mark.slow
def test_what_is_there_already_takes_no_time(shared):
    before = plan_of(shared, 1, 1, FEW)
    prepare(shared, "noir")
    after = plan_of(shared, 1, 1, FEW)
    assert before.neutral > 0 == after.neutral
    assert plan_of(shared, 0, 0, FEW).seconds == 0


def test_a_plan_knows_which_part_a_share_is():
    plan = PreparingTimes(neutral=10.0, extraction=20.0, calibration=5.0, missing=2, uncalibrated=2)
    assert [plan.extracted(share) for share in (0, 1 / 3, 2 / 3, 1)] == pytest.approx([0, 10, 30, 50])
    assert plan.seconds == 60


@pytest.mark.slow
def test_progress_has_a_time_left_from_the_start(shared):
    first = next(event for event in prepare(shared, "noir") if isinstance(event, Progress))
    assert first.seconds_left is not None
