"""Extraction: a planted direction is found again, the neutral pole is written once, nothing is kept half done."""

from dataclasses import replace

import numpy as np
import pytest
from safetensors import safe_open

from billy_mlx import paths
from billy_mlx.cli.extract import command
from billy_mlx.errors import UsageError, VectorError
from billy_mlx.extraction import extract as module
from billy_mlx.extraction import rollouts as rollouts_module
from billy_mlx.extraction.card import load_personas
from billy_mlx.extraction.extract import Extracted, extract, mean_difference, question_means
from billy_mlx.extraction.library import find_all, load_vectors, store_vector
from billy_mlx.extraction.rollouts import Progress, Rollout, RolloutSettings, roll_out
from billy_mlx.measure.averages import Average, ResponseAverages
from billy_mlx.model.sample import MAX_SEED

FEW = RolloutSettings(questions=3, rollouts=2, max_tokens=5, batch=4)


@pytest.fixture
def personas():
    return list(load_personas().personas.values())[:2]


def finish(steps):
    """Run a generator to its end and return what it returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def vectors_of(steps):
    return {step.vector.persona_id: step.vector for step in steps if isinstance(step, Extracted)}


def test_a_planted_direction_is_found_again():
    random = np.random.default_rng(0)
    planted = random.normal(size=(2, 8)).astype(np.float32)
    neutral = random.normal(size=(400, 2, 8)).astype(np.float32)
    positive = random.normal(size=(400, 2, 8)).astype(np.float32) + planted
    assert np.allclose(mean_difference(positive, neutral), planted, atol=0.3)


def test_every_question_weighs_the_same_however_many_answers_are_left():
    def rollout(question, value):
        return Rollout(question, "", Average(np.full((1, 2), value, np.float32), np.ones(1, np.float32), 3))

    means = question_means([rollout(0, 1.0), rollout(0, 3.0), rollout(1, 10.0)], "noir")
    assert {question: mean[0, 0] for question, mean in means.items()} == {0: 2.0, 1: 10.0}


def test_an_answer_without_a_token_is_left_out_and_none_at_all_is_an_error():
    empty = Rollout(0, "", Average(np.zeros((1, 2), np.float32), np.zeros(1, np.float32), 0))
    with pytest.raises(VectorError, match="gave no answer for noir"):
        question_means([empty], "noir")


def test_the_vector_is_the_difference_of_the_poles_at_every_layer(tiny, personas):
    steps = list(extract(tiny, personas[:1], settings=FEW))
    (done,) = [step for step in steps if isinstance(step, Extracted)]
    neutral = finish(roll_out(tiny, "neutral", *neutral_pole(), FEW))
    positive_mean = np.mean(list(question_means(done.rollouts, "").values()), axis=0)
    neutral_mean = np.mean(list(question_means(neutral, "").values()), axis=0)
    assert done.vector.directions.shape == (4, 32)
    assert np.allclose(done.vector.directions, positive_mean - neutral_mean, atol=1e-5)
    assert np.allclose(done.vector.neutral_mean, neutral_mean, atol=1e-5)
    assert done.vector.origin.rollouts == "6/6"


def neutral_pole():
    questions = module.load_questions()
    return questions.neutral_prompts, questions.questions


def test_the_norm_is_the_mean_over_neutral_response_tokens(tiny, personas):
    vector = vectors_of(extract(tiny, personas[:1], settings=FEW))[personas[0].id]
    neutral = finish(roll_out(tiny, "neutral", *neutral_pole(), FEW))
    tokens = np.array([rollout.average.tokens for rollout in neutral])
    norms = np.stack([rollout.average.norm for rollout in neutral])
    assert np.allclose(vector.residual_norm, (norms * tokens[:, None]).sum(0) / tokens.sum(), rtol=1e-5)


def test_the_neutral_pole_is_written_once_per_model(tiny, personas):
    poles = [step.pole for step in extract(tiny, personas, settings=FEW) if isinstance(step, Progress)]
    assert list(dict.fromkeys(poles)) == ["neutral", personas[0].name, personas[1].name]
    again = [step.pole for step in extract(tiny, personas[:1], settings=FEW) if isinstance(step, Progress)]
    assert set(again) == {personas[0].name}


def test_a_kept_neutral_pole_gives_the_same_vector(tiny, personas):
    first, second = (vectors_of(extract(tiny, personas[:1], settings=FEW)) for _ in range(2))
    assert np.array_equal(first[personas[0].id].directions, second[personas[0].id].directions)


def test_a_damaged_neutral_pole_is_written_again(tiny, personas):
    first = vectors_of(extract(tiny, personas[:1], settings=FEW))
    (kept,) = (paths.cache_folder() / "neutral").iterdir()
    kept.write_bytes(kept.read_bytes()[:50])
    second = vectors_of(extract(tiny, personas[:1], settings=FEW))
    assert np.array_equal(first[personas[0].id].directions, second[personas[0].id].directions)
    assert safe_open(kept, framework="np").keys()


def test_a_neutral_pole_that_cannot_be_kept_costs_no_vector(tiny, personas, billy_home):
    billy_home.mkdir()
    (billy_home / "cache").write_text("no folder")
    assert vectors_of(extract(tiny, personas[:1], settings=FEW))


def test_the_batch_does_not_change_the_answers(tiny, personas):
    def answers(batch):
        settings = RolloutSettings(questions=3, rollouts=2, max_tokens=5, batch=batch)
        return [r.answer for r in finish(roll_out(tiny, "noir", personas[0].prompts, neutral_pole()[1], settings))]

    assert answers(1) == answers(4) == answers(6)


def test_progress_only_grows_and_ends_at_its_total(tiny, personas):
    steps = [step for step in extract(tiny, personas[:1], settings=FEW) if isinstance(step, Progress)]
    for pole in ("neutral", personas[0].name):
        own = [step for step in steps if step.pole == pole]
        assert own == sorted(own, key=lambda step: step.tokens)
        assert own[-1].tokens == own[0].total


def test_a_hybrid_model_is_extracted_too(hybrid, personas):
    (vector,) = vectors_of(extract(hybrid, personas[:1], settings=FEW)).values()
    assert np.isfinite(vector.directions).all()
    assert vector.directions.any()


@pytest.mark.parametrize("settings", [{"questions": 0}, {"rollouts": -1}, {"batch": 0}, {"max_tokens": 10**6}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(UsageError, match=f"{next(iter(settings))} is .* it goes from 1"):
        RolloutSettings(**settings)


def test_every_answer_has_a_seed_that_samplers_take():
    few = {"questions": 3, "rollouts": 2}
    RolloutSettings(**few, seed=MAX_SEED - 6)
    for seed in (-1, MAX_SEED - 5, 2**64):
        with pytest.raises(UsageError, match=f"seed is {seed}; for so many answers it goes from 0 to {MAX_SEED - 6}"):
            RolloutSettings(**few, seed=seed)


def test_the_command_has_the_defaults_of_the_settings():
    defaults = {option.name: option.default for option in command.params}
    for name in ("questions", "rollouts", "max_tokens", "batch", "seed"):
        assert defaults[name] == getattr(RolloutSettings(), name)


def test_answers_longer_than_the_context_are_refused_before_any_is_written(tiny, personas):
    with pytest.raises(UsageError, match=r"600 more are asked for, but .* holds 512"):
        next(extract(tiny, personas[:1], settings=replace(FEW, max_tokens=600)))


def test_memory_is_asked_for_every_prompt_of_a_batch(tiny, personas, monkeypatch):
    asked = []
    monkeypatch.setattr(rollouts_module, "check_rows", lambda model, rows, tokens, **more: asked.append((rows, more)))
    next(extract(tiny, personas[:1], settings=replace(FEW, batch=5)))
    assert asked == [(5, {"prompts": 5})]


def test_a_row_that_never_came_to_a_token_has_an_empty_average(tiny, personas, monkeypatch):
    class Forgetful(ResponseAverages):
        def averages(self):
            return {row: average for row, average in super().averages().items() if row > 0}

    monkeypatch.setattr(rollouts_module, "ResponseAverages", Forgetful)
    (first, *_) = finish(roll_out(tiny, "noir", personas[0].prompts, neutral_pole()[1], FEW))
    assert (first.average.tokens, first.average.mean.shape, first.average.norm.shape) == (0, (4, 32), (4,))


@pytest.mark.parametrize(("value", "said"), [(np.nan, "not finite"), (np.inf, "not finite"), (3e38, "goes beyond")])
def test_a_model_that_overflows_gives_a_sentence_and_no_vector(tiny, personas, monkeypatch, value, said):
    class Overflowing(ResponseAverages):
        def averages(self):
            return {row: replace(average, norm=average.norm + value) for row, average in super().averages().items()}

    monkeypatch.setattr(rollouts_module, "ResponseAverages", Overflowing)
    with pytest.raises(VectorError, match=f"gives no vector for {personas[0].name}: residual_norm .*{said}"):
        list(extract(tiny, personas[:1], settings=FEW))


def test_a_stored_vector_is_found_for_its_model_and_no_other(tiny, hybrid, personas):
    (vector,) = vectors_of(extract(tiny, personas[:1], settings=FEW)).values()
    path = store_vector(vector)
    assert find_all(tiny.fingerprint) == {personas[0].id: path}
    assert load_vectors([personas[0].id], tiny.id, tiny.fingerprint)[personas[0].id].origin == vector.origin
    with pytest.raises(VectorError, match=f"run: billy extract {personas[0].id} --model"):
        load_vectors([personas[0].id], hybrid.id, hybrid.fingerprint)


def test_an_unknown_persona_is_another_mistake_than_a_missing_vector(tiny):
    with pytest.raises(UsageError, match="noirr"):
        load_vectors(["noirr"], tiny.id, tiny.fingerprint)
