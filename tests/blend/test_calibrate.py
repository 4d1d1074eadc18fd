"""Calibration: the layer and doses that the cells of a sweep say, and a whole sweep of a tiny model."""

from dataclasses import replace

import numpy as np
import pytest
from vectors import persona_vector

from billy_mlx.blend import calibrate as module
from billy_mlx.blend import sweep as sweep_module
from billy_mlx.blend.blend import Blend
from billy_mlx.blend.calibrate import (
    Calibrated,
    CalibrationSettings,
    Subject,
    best_layer,
    calibrate,
    find_full,
    gentle_dose,
)
from billy_mlx.blend.directions import directions
from billy_mlx.blend.sweep import Sweep, Trial
from billy_mlx.errors import UsageError, VectorError
from billy_mlx.extraction.card import get_persona, load_held_out_prompts, load_questions
from billy_mlx.extraction.evidence import Cell, Judgement
from billy_mlx.extraction.extract import Progress
from billy_mlx.model.sample import Sampling
from billy_mlx.steps import finish

FEW = CalibrationSettings(layers=(1, 2), prompts=4, max_tokens=8, batch=16)
TRIAL = Trial(load_held_out_prompts()[:3], read_layer=3, max_tokens=6, batch=8, seed=0, sampling=Sampling())


def cell(dose, effect=0.0, perplexity=1.0, *, layer=1, distinct=1.0, repetition=0.0, length=1.0):
    return Cell(layer, dose, effect, perplexity, distinct, repetition, length)


def vector_of(model, seed=0):
    vector = persona_vector(seed=seed, fingerprint=model.fingerprint, norm=5.0)
    return replace(vector, calibration=None)


def calibrated(model, subject, **more):
    steps = calibrate(model, [subject], settings=FEW, **more)
    return next(step.vector for step in steps if isinstance(step, Calibrated))


def test_full_is_where_the_effect_is_enough_if_the_text_holds_there():
    full, too_much = find_full([cell(0.1, 0.5), cell(0.2, 1.5), cell(0.3, 2.0, 3.0)])
    assert full == pytest.approx(0.15)
    assert 0.2 < too_much < 0.3


def test_full_is_the_edge_of_what_the_text_bears_if_that_comes_first():
    full, too_much = find_full([cell(0.1, 0.2, 1.5**0.5), cell(0.3, 0.4, 1.5**1.5)])
    assert (full, too_much) == (pytest.approx(0.2), pytest.approx(0.2))


def test_a_text_that_always_holds_and_never_has_enough_gets_the_highest_dose():
    assert find_full([cell(0.1, 0.1), cell(0.2, 0.2)]) == (0.2, None)


def test_a_text_that_never_holds_gets_less_than_the_lowest_dose():
    full, too_much = find_full([cell(0.1, 0.1, 4.0), cell(0.2, 0.2, 5.0)])
    assert 0 < full == too_much < 0.1


@pytest.mark.parametrize("fault", [{"distinct": 0.7}, {"repetition": 0.2}, {"length": 0.3}, {"perplexity": 1.6}])
def test_every_bound_ends_what_holds(fault):
    assert not cell(0.1, **fault).holds
    assert find_full([cell(0.1, 0.1, **fault)])[0] < 0.1
    assert cell(0.1, distinct=0.9, repetition=0.05, length=0.6, perplexity=1.4).holds


def test_the_layer_is_the_one_that_gives_most_for_what_it_costs():
    cheap = [cell(0.1, 0.5, 1.1, layer=3), cell(0.2, 1.0, 1.2, layer=3)]
    strong = [cell(0.1, 0.8, 1.5, layer=5), cell(0.2, 1.6, 2.25, layer=5)]
    assert best_layer([*strong, *cheap]) == 3


def test_a_layer_at_which_no_text_holds_is_not_chosen():
    looping = [cell(0.1, 9.0, distinct=0.5, layer=2)]
    assert best_layer([*looping, cell(0.1, 0.1, 1.4, layer=4)]) == 4
    assert best_layer(looping) == 2


def test_gentle_has_half_the_effect_of_full():
    row = [cell(0.1, 0.2), cell(0.2, 0.4), cell(0.3, 1.0)]
    assert gentle_dose(row, 0.3) == pytest.approx(0.2 + 0.1 * 0.1 / 0.6)
    assert gentle_dose([cell(0.1, -0.5), cell(0.2, -1.0)], 0.2) == pytest.approx(0.1)


def test_a_calibration_is_used_for_the_layer_and_for_dose_1(tiny):
    vector = calibrated(tiny, Subject(vector_of(tiny)))
    found = vector.calibration
    assert found.layer in (1, 2)
    assert found.read_layer == 3
    assert len(found.cells) == 2 * 2 + 6
    [(layer, direction)] = directions(Blend(((vector.persona_id, 1.0),)), {vector.persona_id: vector}).by_layer.items()
    assert layer == found.layer
    assert np.linalg.norm(direction) == pytest.approx(found.full * 5.0, rel=1e-4)


def test_the_same_sweep_gives_the_same_calibration_whatever_the_batch(tiny):
    subject = Subject(vector_of(tiny))
    other = calibrate(tiny, [subject], settings=replace(FEW, batch=7))
    found = next(step.vector for step in other if isinstance(step, Calibrated)).calibration
    assert found.full == pytest.approx(calibrated(tiny, subject).calibration.full, rel=1e-3)


def test_progress_only_grows_over_several_vectors(tiny):
    subjects = [Subject(vector_of(tiny, seed)) for seed in (0, 1)]
    shares = [step.share for step in calibrate(tiny, subjects, settings=FEW) if isinstance(step, Progress)]
    assert shares == sorted(shares)
    assert 0.9 < shares[-1] <= 1


def test_adding_nothing_has_no_effect_and_costs_nothing(tiny):
    vector = replace(vector_of(tiny), directions=np.ones((4, 32), np.float32))
    [tried] = finish(Sweep(tiny).run(vector, TRIAL, [(1, 1e-6)]))
    assert tried.cell.effect == pytest.approx(0, abs=1e-3)
    assert (tried.cell.perplexity, tried.cell.distinct) == (pytest.approx(1, abs=1e-3), 1)


def test_a_large_dose_of_a_direction_moves_the_text_and_unsettles_the_model(tiny):
    sweep = Sweep(tiny)
    [tried] = finish(sweep.run(vector_of(tiny), TRIAL, [(1, 20.0)]))
    assert tried.effects.shape == (3,)
    assert tried.cell.perplexity > 1.2
    assert [each.text for each in tried.written] != [each.text for each in tried.control]


def test_the_control_of_a_trial_is_written_once(tiny, monkeypatch):
    rows = []
    sweep, write = Sweep(tiny), sweep_module.write_and_read

    def counted(model, trial, added):
        rows.append(len(added))
        return write(model, trial, added)

    monkeypatch.setattr(sweep_module, "write_and_read", counted)
    for _ in range(2):
        finish(sweep.run(vector_of(tiny), TRIAL, [(1, 0.1)]))
    assert rows == [2, 1]


def test_a_dose_that_does_not_hold_on_other_texts_is_lowered(tiny, monkeypatch):
    doses = []

    class Fraying:
        def run(self, vector, trial, grid):
            doses.append(grid[0][1])
            yield 1.0
            return [type("Tried", (), {"cell": cell(grid[0][1], 1.0, 2.0 if grid[0][1] > 0.3 else 1.0)})]

    tried = finish(module._measured(Fraying(), None, TRIAL, 1, 0.4))
    assert doses == [0.4, pytest.approx(0.32), pytest.approx(0.256)]
    assert tried.cell.holds


class Scripted:
    """A judge that gives the first half of what it is asked 80 points and the rest 30."""

    name = "judge"

    def score(self, criterion, answers):
        self.asked = answers
        yield len(answers)
        return [80.0] * (len(answers) // 2) + [30.0] * (len(answers) - len(answers) // 2)


@pytest.mark.parametrize(
    ("judgement", "judged"),
    [
        (Judgement("judge", 0.9, (80, 20), filtered=True), 50.0),
        (Judgement("judge", 0.9, (80, 70)), None),
        (Judgement("other", 0.9, (80, 20), filtered=True), None),
        (None, None),
    ],
)
def test_only_a_judge_that_could_tell_the_persona_is_asked(tiny, judgement, judged):
    vector = replace(vector_of(tiny), judgement=judgement)
    subject = Subject(vector, get_persona("noir"))
    assert calibrated(tiny, subject, judge=Scripted()).calibration.judged == judged


def test_a_vector_that_does_not_know_the_residual_norm_cannot_be_calibrated(tiny):
    with pytest.raises(VectorError, match="does not say how large the residual stream is"):
        next(calibrate(tiny, [Subject(replace(vector_of(tiny), residual_norm=None))], settings=FEW))


def test_a_layer_after_which_nothing_can_be_read_is_refused(tiny):
    with pytest.raises(UsageError, match=r"layer 3 cannot be calibrated: .* the last one is 3"):
        next(calibrate(tiny, [Subject(vector_of(tiny))], settings=replace(FEW, layers=(1, 3))))


@pytest.mark.parametrize("settings", [{"prompts": 3}, {"prompts": 17}, {"max_tokens": 2}, {"batch": 0}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(UsageError, match=f"{next(iter(settings))} is "):
        CalibrationSettings(**settings)


def test_no_prompt_of_the_calibration_is_a_question_of_the_extraction():
    assert not {*load_held_out_prompts()} & {*load_questions().questions}
