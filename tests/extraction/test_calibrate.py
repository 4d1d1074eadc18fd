"""Calibration: the full strength that outcomes say, and a whole calibration of a tiny model."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.random_vectors import persona_vector

from billy_mlx.blend.blend import Blend
from billy_mlx.blend.directions import directions
from billy_mlx.errors import UsageError, VectorError
from billy_mlx.extraction import sweep as sweep_module
from billy_mlx.extraction.calibrate import (
    Calibrated,
    CalibrationSettings,
    Subject,
    calibrate,
    doses_of,
    find_full,
    most_perplexity,
)
from billy_mlx.extraction.extraction import ExtractionProgress
from billy_mlx.extraction.sweep import PLAINLY, Sweep, SweepWriting, Way, effects, outcome, write_and_read
from billy_mlx.model.layers import Directions
from billy_mlx.model.sampling import Sampling
from billy_mlx.steps import finish
from billy_mlx.vectors.card import get_persona, load_held_out_prompts, load_questions
from billy_mlx.vectors.measurements import Outcome, Strength, Tried

FEW = CalibrationSettings(strengths=(1.0, 2.0), prompts=4, max_tokens=8, batch=16)
TRIAL = SweepWriting(load_held_out_prompts()[:3], max_tokens=6, batch=8, seed=0, sampling=Sampling())
PLAIN = Outcome(effect=0.0, perplexity=1.0, distinct=1.0, repetition=0.0, length=1.0)


def tried(strength, effect=0.0, perplexity=1.0):
    return Tried(strength, replace(PLAIN, effect=effect, perplexity=perplexity))


def prompted(effect, perplexity):
    return replace(PLAIN, effect=effect, perplexity=perplexity)


def vector_of(model, seed=0):
    return persona_vector(seed=seed, fingerprint=model.fingerprint, norm=5.0)


def calibrated(model, subject, **more):
    steps = calibrate(model, [subject], settings=FEW, **more)
    return next(step.vector for step in steps if isinstance(step, Calibrated))


def test_full_is_where_the_texts_are_as_strange_as_those_behind_the_system_prompts():
    row = [tried(1.0, 0.1, 1.5**0.5), tried(3.0, 0.2, 1.5**1.5)]
    assert find_full(row, prompted(9.0, 1.5)) == (pytest.approx(2.0), "perplexity")


def test_full_is_where_the_texts_are_as_much_of_the_persona_if_that_comes_first():
    row = [tried(1.0, 0.5, 1.01), tried(2.0, 1.5, 1.02)]
    assert find_full(row, prompted(1.0, 1.5)) == (pytest.approx(1.5), "effect")


def test_a_persona_whose_prompts_do_little_may_still_be_a_fifth_stranger():
    assert most_perplexity(prompted(0.1, 0.9)) == most_perplexity(prompted(0.1, 1.2)) == 1.2
    row = [tried(1.0, -0.1, 1.2**0.5), tried(3.0, -0.1, 1.2**1.5)]
    assert find_full(row, prompted(-0.2, 0.9)) == (pytest.approx(2.0), "perplexity")


def test_a_voice_without_a_card_may_be_half_as_strange_again_and_reach_its_own_text():
    assert most_perplexity(None) == 1.5
    assert find_full([tried(1.0, 2.0, 1.1)], None) == (pytest.approx(0.5), "effect")


def test_an_effect_that_cannot_be_measured_limits_nothing():
    row = [tried(1.0, 0.5, 1.01), tried(2.0, 1.5, 1.02)]
    assert find_full(row, prompted(1.0, 1.5), measurable=False) == (2.0, "range")


def test_what_reaches_no_limit_gets_the_most_that_was_tried():
    assert find_full([tried(1.0, 0.1), tried(2.0, 0.2)], prompted(1.0, 1.5)) == (2.0, "range")


def test_noise_is_smoothed_away():
    row = [tried(1.0, 0.1, 1.5), tried(2.0, 0.2, 1.1), tried(3.0, 0.3, 1.6)]
    assert find_full(row, prompted(9.0, 1.4))[0] == pytest.approx(2.5, abs=0.4)


def test_a_strength_is_never_nothing():
    full, _ = find_full([tried(1.0, 0.1, 1e9)], prompted(1.0, 1.2))
    assert full == pytest.approx(0.05)


def found(*row, full=2.0, most=1.5):
    return Strength(full, "perplexity", most, PLAIN, (0.1, 0.2), None, 4, tried=row)


def test_half_of_the_effect_is_gentle_and_half_as_strange_again_is_too_much():
    row = (tried(1.0, 0.5, 1.5**0.5), tried(2.0, 1.0, 1.5), tried(4.0, 2.0, 1.5**2))
    assert doses_of(found(*row)) == (pytest.approx(0.5), pytest.approx(1.5))


def test_doses_that_nobody_knows_are_none():
    assert doses_of(found(tried(1.0, -0.5), tried(2.0, -1.0))) == (None, None)


@pytest.mark.slow
def test_a_calibration_is_what_dose_1_adds(tiny):
    vector = calibrated(tiny, Subject(vector_of(tiny), get_persona("noir")))
    strength = vector.strength
    assert (len(strength.tried), strength.prompts) == (2, 4)
    assert strength.prompted is not None
    by_layer = directions(Blend((("noir", 1.0),)), {"noir": vector}).by_layer
    assert sorted(by_layer) == [1, 2]
    assert np.allclose(by_layer[1], strength.full * vector.directions[1], rtol=1e-5)
    assert np.allclose(by_layer[1] + by_layer[2], strength.full * vector.directions[2], rtol=1e-4, atol=1e-5)


def test_without_a_card_there_is_nothing_to_be_held_against(tiny):
    strength = calibrated(tiny, Subject(vector_of(tiny))).strength
    assert (strength.prompted, strength.most_perplexity) == (None, 1.5)


def test_a_vector_is_calibrated_anew_from_the_vector_itself(tiny):
    subject = Subject(vector_of(tiny))
    again = replace(subject.vector, strength=replace(found(), full=7.0))
    assert calibrated(tiny, Subject(again)).strength == calibrated(tiny, subject).strength


def test_the_same_trial_gives_the_same_strength_whatever_the_batch(tiny):
    subject = Subject(vector_of(tiny))
    other = calibrate(tiny, [subject], settings=replace(FEW, batch=7))
    strength = next(step.vector for step in other if isinstance(step, Calibrated)).strength
    assert strength.full == pytest.approx(calibrated(tiny, subject).strength.full, rel=1e-3)


@pytest.mark.slow
def test_progress_only_grows_over_several_vectors(tiny):
    subjects = [Subject(vector_of(tiny, seed)) for seed in (0, 1)]
    shares = [step.share for step in calibrate(tiny, subjects, settings=FEW) if isinstance(step, ExtractionProgress)]
    assert shares == sorted(shares)
    assert 0.9 < shares[-1] <= 1


def test_no_prompt_is_both_chosen_and_measured_on(tiny, monkeypatch):
    seen = []

    def watched(model, trial, ways):
        seen.append(trial)
        return write_and_read(model, trial, ways)

    monkeypatch.setattr(sweep_module, "write_and_read", watched)
    calibrated(tiny, Subject(vector_of(tiny)))
    choosing, proving = seen
    assert not {*choosing.prompts} & {*proving.prompts}
    seeds = [range(trial.seed, trial.seed + 4) for trial in seen]
    assert not {*seeds[0]} & {*seeds[1]}


def test_writing_plainly_has_no_effect_and_costs_nothing(tiny):
    sweep = Sweep(tiny)
    [same] = finish(sweep.run(TRIAL, [PLAINLY]))
    assert outcome(vector_of(tiny), same, sweep.control(TRIAL)) == PLAIN


def test_a_large_direction_moves_the_text_and_unsettles_the_model(tiny):
    sweep, vector = Sweep(tiny), vector_of(tiny)
    [moved] = finish(sweep.run(TRIAL, [Way(Directions({1: 20.0 * vector.directions[1]}))]))
    control = sweep.control(TRIAL)
    assert effects(vector, moved, control).shape == (3,)
    assert outcome(vector, moved, control).perplexity > 1.2
    assert [each.text for each in moved] != [each.text for each in control]


def test_system_prompts_are_taken_in_turn_and_the_texts_read_without_them(tiny):
    system_prompts = ("Be a pirate.", "Be a monk.")
    [prompted_texts], [alone] = (
        finish(write_and_read(tiny, trial, [Way(system_prompts=own)]))
        for trial, own in ((TRIAL, system_prompts), (replace(TRIAL, prompts=TRIAL.prompts[:1]), system_prompts[:1]))
    )
    assert prompted_texts[0].text == alone[0].text
    [plain] = finish(write_and_read(tiny, TRIAL, [PLAINLY]))
    assert [each.text for each in prompted_texts] != [each.text for each in plain]


def test_what_is_written_plainly_is_written_once(tiny, monkeypatch):
    rows = []
    sweep, write = Sweep(tiny), sweep_module.write_and_read

    def counted(model, trial, ways):
        rows.append(len(ways))
        return write(model, trial, ways)

    monkeypatch.setattr(sweep_module, "write_and_read", counted)
    for _ in range(2):
        finish(sweep.run(TRIAL, [PLAINLY]))
    assert rows == [2, 1]


def test_another_tools_vector_is_not_calibrated(tiny):
    with pytest.raises(VectorError, match="came from another tool's file"):
        next(calibrate(tiny, [Subject(replace(vector_of(tiny), neutral_mean=None))], settings=FEW))


@pytest.mark.parametrize(
    "settings", [{"prompts": 3}, {"prompts": 25}, {"max_tokens": 2}, {"batch": 0}, {"strengths": (2.0, 1.0)}]
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(UsageError, match=next(iter(settings))):
        CalibrationSettings(**settings)


def test_no_prompt_of_the_calibration_is_a_question_of_the_extraction():
    assert not {*load_held_out_prompts()} & {*load_questions().questions}
