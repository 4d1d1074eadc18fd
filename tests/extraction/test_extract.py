"""Extraction: a planted direction is found again, the neutral pole is written once, nothing is kept half done."""

import os
import shutil
from dataclasses import replace

import mlx.core as mx
import numpy as np
import pytest
from helpers.random_vectors import FINGERPRINT
from mlx_lm.models.cache import make_prompt_cache
from safetensors import safe_open

from billy_mlx import paths
from billy_mlx.blend.writer import Writer, generate
from billy_mlx.cli.extract import command
from billy_mlx.errors import BillyError, UsageError, VectorError
from billy_mlx.extraction import extract as module
from billy_mlx.extraction import rollouts as rollouts_module
from billy_mlx.extraction.extract import doubts_of, extract
from billy_mlx.extraction.extraction import Extracted, ExtractionProgress
from billy_mlx.extraction.methods import mean_difference
from billy_mlx.extraction.pole import Pole, Rollout, question_means
from billy_mlx.extraction.rollouts import RolloutSettings, begin_pole, roll_out
from billy_mlx.measure.activations import Average, ResponseAverages
from billy_mlx.model.layers import record
from billy_mlx.model.load import load
from billy_mlx.model.prompt import chat_prompt
from billy_mlx.model.sampling import MAX_SEED
from billy_mlx.steps import finish
from billy_mlx.vectors.card import Persona, get_persona, load_personas
from billy_mlx.vectors.library import find_all, load_vectors, store_vector
from billy_mlx.vectors.measurements import Judgement

FEW = RolloutSettings(questions=3, rollouts=2, max_tokens=5, batch=4)


@pytest.fixture
def personas():
    return list(load_personas().personas.values())[:2]


def test_a_planted_direction_is_found_again():
    random = np.random.default_rng(0)
    planted = random.normal(size=(2, 8)).astype(np.float32)
    neutral = random.normal(size=(400, 2, 8)).astype(np.float32)
    positive = random.normal(size=(400, 2, 8)).astype(np.float32) + planted
    assert np.allclose(mean_difference(positive, neutral), planted, atol=0.3)


def pole_of(*answers):
    """A pole of answers (question, value, tokens): every number of the activations is the value."""
    pole = Pole("Noir", "key", [question for question, _, _ in answers], FINGERPRINT)
    means = [np.full((4, 32), value, np.float32) for _, value, _ in answers]
    norm = np.ones(4, np.float32)
    averages = [Average(mean, norm, tokens, mean) for mean, (_, _, tokens) in zip(means, answers, strict=True)]
    pole.add([Rollout(asked[0], "", (), average) for asked, average in zip(answers, averages, strict=True)])
    return pole


def test_every_question_weighs_the_same_however_many_answers_are_left():
    means = question_means(pole_of((0, 1.0, 3), (0, 3.0, 5), (1, 10.0, 1)), [True] * 3)
    assert {question: mean[0, 0] for question, mean in means.items()} == {0: 2.0, 1: 10.0}


def test_an_answer_that_does_not_count_is_left_out_of_the_mean():
    means = question_means(pole_of((0, 1.0, 3), (0, 3.0, 5), (1, 10.0, 1)), [True, False, False])
    assert {question: mean[0, 0] for question, mean in means.items()} == {0: 1.0}


def test_an_answer_without_a_token_is_left_out_and_none_at_all_is_an_error():
    with pytest.raises(VectorError, match="gave no answer for Noir"):
        question_means(pole_of((0, 1.0, 0)), [True])


@pytest.mark.slow
@pytest.mark.parametrize("method", ["prompt-effect", "mean-difference"])
def test_texts_are_read_along_the_difference_of_their_words(tiny, personas, method):
    vector = extract(tiny, personas[:1], settings=FEW, method=method).vectors()[personas[0].id]
    questions = neutral_pole()[1]
    neutral = rollouts_of(tiny, "neutral", (None,) if method == "prompt-effect" else neutral_pole()[0], questions)
    own = rollouts_of(tiny, "Noir", personas[0].prompts, questions)
    poles = ([read_behind_plain(tiny, each, questions)[1:].mean(0) for each in pole] for pole in (own, neutral))
    means = [np.mean(pole, axis=0) for pole in poles]
    assert vector.reading.shape == vector.directions.shape == (4, 32)
    assert np.allclose(vector.reading, means[0] - means[1], atol=1e-4)
    assert np.allclose(vector.neutral_mean, means[1], atol=1e-4)
    assert np.allclose(vector.projection_scale, np.linalg.norm(vector.reading, axis=-1))
    assert (vector.origin.rollouts, vector.judgement, vector.origin.method) == ("6/6 of 6", Judgement(), method)


@pytest.mark.slow
def test_by_the_papers_method_the_poles_differ_as_they_were_written(tiny, personas):
    vector = extract(tiny, personas[:1], settings=FEW, method="mean-difference").vectors()[personas[0].id]
    answers = [average_answer(tiny, *pole) for pole in ((personas[0].prompts, neutral_pole()[1]), neutral_pole())]
    assert np.allclose(vector.directions, answers[0] - answers[1], atol=1e-5)


@pytest.mark.slow
def test_what_is_steered_with_is_what_the_system_prompt_adds_on_the_same_words(tiny, personas):
    """Against a computation by hand: each answer in one pass behind either prompt, from the prompt's last token on."""
    vector = extract(tiny, personas[:1], settings=FEW, common=()).vectors()[personas[0].id]
    assert vector.origin.common == ""
    questions, prompts = neutral_pole()[1], personas[0].prompts
    own = rollouts_of(tiny, "Noir", prompts, questions)
    turns = [(q, turn) for turn, q in FEW.order(len(questions))]
    systems = sorted((q + turn) % 5 for q, turn in turns)
    effects = []
    for rollout, system in zip(own, systems, strict=True):
        behind = chat_prompt(tiny.tokenizer, questions[rollout.question], system=prompts[system])
        with_persona = streams(tiny, behind, rollout.tokens).mean(0)
        effects.append(with_persona - read_behind_plain(tiny, rollout, questions).mean(0))
    assert np.allclose(vector.directions, np.mean(effects, axis=0), atol=1e-4)


@pytest.mark.slow
def test_what_all_personas_have_in_common_is_taken_out(tiny, personas):
    """Against a computation by hand: neutral answers behind each card's system prompts, in turn."""
    bare, less = (
        extract(tiny, personas[:1], settings=FEW, common=cards).vectors()[personas[0].id] for cards in ((), personas)
    )
    questions = neutral_pole()[1]
    neutral = rollouts_of(tiny, "neutral", (None,), questions)
    by_question = {0: [], 1: [], 2: []}
    prompts = [card.prompts[(at + step) % 5] for at, card in enumerate(personas) for step in (0, 2)]
    for number, prompt in enumerate(prompts):
        answer = neutral[number % len(neutral)]
        behind = chat_prompt(tiny.tokenizer, questions[answer.question], system=prompt)
        added = streams(tiny, behind, answer.tokens).mean(0) - read_behind_plain(tiny, answer, questions).mean(0)
        by_question[answer.question].append(added)
    common = np.mean([np.mean(own, axis=0) for own in by_question.values()], axis=0)
    assert np.allclose(bare.directions - less.directions, common, atol=1e-4)
    assert np.array_equal(bare.reading, less.reading)
    assert less.origin.common.startswith("2 cards ")


@pytest.mark.slow
def test_a_card_of_the_users_changes_nothing_of_what_all_have_in_common(tiny, personas):
    first = extract(tiny, personas[:1], settings=FEW).vectors()[personas[0].id]
    own = paths.personas_folder() / "noir.toml"
    own.parent.mkdir(parents=True)
    text = get_persona("noir").source.read_text().replace("rain", "snow")
    own.write_text(text)
    again = extract(tiny, personas[:1], settings=FEW).vectors()[personas[0].id]
    assert again.origin.common == first.origin.common
    assert np.array_equal(again.directions, first.directions)


def test_every_system_prompt_is_used_however_few_answers_there_are(tiny, personas):
    settings = RolloutSettings(questions=10, rollouts=1, max_tokens=1)
    pole = finish(roll_out(tiny, "Noir", personas[0].prompts, neutral_pole()[1], settings))
    assert sorted(pole.systems) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert sorted(pole.asked) == list(range(10))


def read_behind_plain(model, rollout, questions):
    """The streams (1 + tokens, layers, D) from the last token of the plain prompt on, in one pass by hand."""
    return streams(model, chat_prompt(model.tokenizer, questions[rollout.question]), rollout.tokens)


def streams(model, prompt, answer):
    with record(model.layers) as recording:
        model.model(mx.array([[*prompt, *answer]]), cache=make_prompt_cache(model.model))
    return np.stack([np.array(h[0, len(prompt) - 1 :]) for h in recording.latest.values()], axis=1)


def average_answer(model, prompts, questions):
    return np.mean([rollout.average.mean for rollout in rollouts_of(model, "Noir", prompts, questions)], axis=0)


def rollouts_of(model, name, prompts, questions, settings=FEW):
    return [rollout for batch in finish(roll_out(model, name, prompts, questions, settings)) for rollout in batch]


def neutral_pole():
    questions = module.load_questions()
    return questions.neutral_prompts, questions.questions


def test_the_norm_is_the_mean_over_neutral_response_tokens(tiny, personas):
    vector = extract(tiny, personas[:1], settings=FEW).vectors()[personas[0].id]
    neutral = rollouts_of(tiny, "neutral", (None,), neutral_pole()[1])
    tokens = np.array([rollout.average.tokens for rollout in neutral])
    norms = np.stack([rollout.average.norm for rollout in neutral])
    assert np.allclose(vector.residual_norm, (norms * tokens[:, None]).sum(0) / tokens.sum(), rtol=1e-5)


@pytest.mark.slow
def test_the_neutral_pole_is_written_once_per_model(tiny, personas):
    stages = [step.stage for step in extract(tiny, personas, settings=FEW) if isinstance(step, ExtractionProgress)]
    assert list(dict.fromkeys(stages)) == [
        "what all voices share",
        "what all voices share, reading",
        f"{personas[0].name} (1 of 2)",
        f"{personas[1].name} (2 of 2)",
    ]
    again = [step.stage for step in extract(tiny, personas[:1], settings=FEW) if isinstance(step, ExtractionProgress)]
    assert set(again) == {personas[0].name}


@pytest.mark.slow
def test_a_kept_neutral_pole_gives_the_same_vector(tiny, personas):
    first, second = (extract(tiny, personas[:1], settings=FEW).vectors() for _ in range(2))
    assert np.array_equal(first[personas[0].id].directions, second[personas[0].id].directions)


@pytest.mark.slow
def test_answers_to_other_tokens_or_with_other_ends_are_never_taken_for_a_models_own(tiny, corrected, personas):
    stopped = extract(tiny, personas[:1], settings=FEW)
    next(step for step in stopped if isinstance(step, Extracted))
    kept = {folder: tree(folder) for folder in (paths.cache_folder() / "poles").iterdir()}
    assert len(kept) == 3  # neutral, the same behind other prompts, and the persona's
    stopped.close()
    poles = [begin_pole(corrected, *pole, neutral_pole()[1], FEW)[0] for pole in asked_of(personas)]
    assert {pole.folder for pole in poles}.isdisjoint(kept)
    stages = [
        step.stage for step in extract(corrected, personas[:1], settings=FEW) if isinstance(step, ExtractionProgress)
    ]
    assert {*stages} == {"what all voices share", "what all voices share, reading", personas[0].name}
    assert all(tree(folder) == files for folder, files in kept.items())


def asked_of(personas):
    return [("neutral", (None,)), *((persona.name, persona.prompts) for persona in personas)]


def tree(folder):
    return {path: path.read_bytes() for path in folder.iterdir()}


def test_what_decides_nothing_keeps_the_answers_and_what_decides_loses_them(tiny, personas):
    def folder(model=tiny, name="Noir", prompts=personas[0].prompts, **changes):
        return begin_pole(model, name, prompts, neutral_pole()[1], replace(FEW, **changes))[0].folder

    assert folder(load(tiny.path), batch=1) == folder()
    others = [folder(name="neutral"), folder(prompts=personas[0].prompts[::-1]), folder(seed=1), folder(max_tokens=6)]
    assert len({folder(), *others}) == 5


@pytest.mark.slow
def test_a_damaged_neutral_pole_is_written_again(tiny, personas):
    first = extract(tiny, personas[:1], settings=FEW).vectors()
    *_, kept = sorted((paths.cache_folder() / "poles").rglob("*.safetensors"))
    kept.write_bytes(kept.read_bytes()[:50])
    second = extract(tiny, personas[:1], settings=FEW).vectors()
    assert np.allclose(first[personas[0].id].directions, second[personas[0].id].directions, atol=1e-5)
    assert safe_open(kept, framework="np").keys()


def test_the_answers_of_a_persona_go_when_its_vector_has_been_taken(tiny, personas):
    for step in extract(tiny, personas[:1], settings=FEW):
        if isinstance(step, Extracted):
            assert step.pole.done == 6
    assert len(list((paths.cache_folder() / "poles").iterdir())) == 2  # the neutral ones, behind either prompt


@pytest.mark.slow
def test_fresh_writes_what_is_kept_anew_even_if_it_is_stopped_half_way(tiny, personas):
    stopped = extract(tiny, personas[1:], settings=FEW)
    next(step for step in stopped if isinstance(step, Extracted))
    stopped.close()  # neutral answers are kept, and the second persona's
    fresh = extract(tiny, personas, settings=FEW, fresh=True)
    assert next(fresh).stage == "what all voices share"
    assert list((paths.cache_folder() / "poles").iterdir()) == []
    fresh.close()
    assert {*stages_of(extract(tiny, personas[1:], settings=FEW))} == {
        "what all voices share",
        "what all voices share, reading",
        personas[1].name,
    }


def stages_of(steps):
    return [step.stage for step in steps if isinstance(step, ExtractionProgress)]


@pytest.mark.slow
def test_fresh_leaves_the_answers_of_others(tiny, personas):
    stopped = extract(tiny, personas[1:], settings=FEW)
    next(step for step in stopped if isinstance(step, Extracted))
    stopped.close()
    extract(tiny, personas[:1], settings=FEW, fresh=True).vectors()
    assert stages_of(extract(tiny, personas[1:], settings=FEW)) == []


def test_a_second_extraction_of_a_persona_is_told_which_process_is_at_it(tiny, personas):
    first = extract(tiny, personas, settings=FEW)
    next(first)
    second = extract(tiny, personas[1:], settings=replace(FEW, seed=5))
    with pytest.raises(
        BillyError, match=rf"^another billy \(process {os.getpid()}\) is extracting {personas[1].id} from "
    ):
        next(second)
    first.close()
    assert len(extract(tiny, personas[1:], settings=FEW).vectors()) == 1


@pytest.mark.slow
def test_neutral_answers_are_written_by_one_program_and_read_by_all(tiny, personas):
    first = extract(tiny, personas[:1], settings=FEW)
    next(first)
    with pytest.raises(
        BillyError, match=rf"process {os.getpid()}\) is writing the neutral answers of .* as well; wait"
    ):
        next(extract(tiny, personas[1:], settings=FEW))
    next(step for step in first if isinstance(step, ExtractionProgress) and step.stage == personas[0].name)
    assert len(extract(tiny, personas[1:], settings=FEW).vectors()) == 1


@pytest.mark.slow
def test_another_model_is_extracted_from_meanwhile(tiny, hybrid, personas):
    first = extract(tiny, personas[:1], settings=FEW)
    next(first)
    assert len(extract(hybrid, personas[:1], settings=FEW).vectors()) == 1


@pytest.mark.slow
def test_fresh_forgets_nothing_that_another_extraction_needs(tiny, personas):
    first = extract(tiny, personas[:1], settings=FEW)
    next(step for step in first if isinstance(step, ExtractionProgress) and step.stage == personas[0].name)
    with pytest.raises(
        BillyError, match=rf"^another billy \(process {os.getpid()}\) needs answers of .* would forget; wait"
    ):
        next(extract(tiny, personas[1:], settings=FEW, fresh=True))
    assert len(first.vectors()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("steps", [1, 7, 12, 20, 27])
def test_an_extraction_that_was_stopped_goes_on_to_the_same_vector(tiny, personas, steps, tmp_path, monkeypatch):
    whole = extract(tiny, personas[:1], settings=FEW).vectors()[personas[0].id]
    monkeypatch.setenv("BILLY_HOME", str(tmp_path / "another"))
    interrupted = extract(tiny, personas[:1], settings=FEW)
    for _ in range(steps):
        next(interrupted)
    interrupted.close()
    resumed = extract(tiny, personas[:1], settings=replace(FEW, batch=3)).vectors()[personas[0].id]
    assert np.allclose(resumed.directions, whole.directions, atol=1e-5)


def test_a_stopped_run_loses_at_most_a_batch(tiny, personas):
    interrupted = extract(tiny, personas[:1], settings=FEW)
    while not (folder := paths.cache_folder() / "poles").exists():
        next(interrupted)
    interrupted.close()
    first = next(
        step.share for step in extract(tiny, personas[:1], settings=FEW) if isinstance(step, ExtractionProgress)
    )
    assert len(list(folder.rglob("*.safetensors"))) == 1
    assert first > 4 / 6 / 4  # four of six answers of the first quarter are there


@pytest.mark.slow
def test_the_batch_does_not_change_the_answers(tiny, personas):
    def answers(batch):
        settings = RolloutSettings(questions=3, rollouts=2, max_tokens=5, batch=batch)
        found = rollouts_of(tiny, "Noir", personas[0].prompts, neutral_pole()[1], settings)
        shutil.rmtree(paths.cache_folder())
        return [(rollout.answer, rollout.tokens) for rollout in found]

    assert answers(1) == answers(4) == answers(6)


@pytest.mark.slow
def test_progress_only_grows_and_ends_with_the_whole(tiny, personas):
    shares = [step.share for step in extract(tiny, personas, settings=FEW) if isinstance(step, ExtractionProgress)]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)


@pytest.mark.slow
def test_a_hybrid_model_is_extracted_too(hybrid, personas):
    (vector,) = extract(hybrid, personas[:1], settings=FEW).vectors().values()
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
    assert asked == [(5, {"prompts": 5, "averaged": True})]


def test_a_row_that_never_came_to_a_token_has_an_empty_average(tiny, personas, monkeypatch):
    class Forgetful(ResponseAverages):
        def averages(self):
            return {row: average for row, average in super().averages().items() if row > 0}

    monkeypatch.setattr(rollouts_module, "ResponseAverages", Forgetful)
    (first, *_) = rollouts_of(tiny, "Noir", personas[0].prompts, neutral_pole()[1])
    assert (first.average.tokens, first.average.mean.shape, first.average.norm.shape) == (0, (4, 32), (4,))


def test_a_model_that_says_nothing_is_refused_and_its_answers_are_not_kept(tiny, personas):
    silent = load(tiny.path)
    silent.tokenizer.eos_token_ids = {*range(len(silent.tokenizer.get_vocab()))}
    with pytest.raises(
        VectorError, match=r"nothing but empty answers for neutral, .* correct the chat template or end tokens"
    ):
        list(extract(silent, personas[:1], settings=FEW))
    assert list((paths.cache_folder() / "poles").iterdir()) == []


def test_a_persona_that_is_answered_with_nothing_is_refused_and_the_neutral_answers_stay(tiny, personas, monkeypatch):
    rollouts_of(tiny, "neutral", (None,), neutral_pole()[1])
    monkeypatch.setattr(rollouts_module, "Writer", Silent)
    with pytest.raises(VectorError, match=f"nothing but empty answers for {personas[0].name}, "):
        list(extract(tiny, personas[:1], settings=FEW))
    assert len(list((paths.cache_folder() / "poles").iterdir())) == 2


class Silent(Writer):
    """Writes nothing but spaces."""

    def takes(self):
        return [replace(take, text=" \n") for take in super().takes()]


def test_many_empty_answers_are_counted(tiny, personas):
    pole, few = (Pole(name, name, range(3), tiny.fingerprint) for name in ("Noir", "neutral"))
    average = Average(np.zeros((4, 32), np.float32), np.ones(4, np.float32), 1, np.zeros((4, 32), np.float32))
    pole.add([Rollout(question, text, (), average) for question, text in enumerate(["", " \n", "rain"])])
    assert doubts_of(pole) == (
        "2 of 3 answers for Noir are empty; the model's chat template or its end tokens may be wrong",
    )
    few.add([Rollout(question, text, (), average) for question, text in enumerate(["rain", "", "rain"])])
    assert doubts_of(few) == ()
    assert Pole("neutral", "neutral", range(3), tiny.fingerprint).empty == 1


@pytest.mark.parametrize("value", [np.nan, np.inf, 3e38])
def test_a_model_that_overflows_gives_a_sentence_and_no_vector(tiny, personas, monkeypatch, value):
    class Overflowing(ResponseAverages):
        def averages(self):
            return {row: replace(average, norm=average.norm + value) for row, average in super().averages().items()}

    monkeypatch.setattr(rollouts_module, "ResponseAverages", Overflowing)
    with pytest.raises(
        VectorError, match=r"answers for neutral give numbers in the model that are not finite or go beyond"
    ):
        list(extract(tiny, personas[:1], settings=FEW))


def test_a_stored_vector_is_found_for_its_model_and_no_other(tiny, hybrid, personas):
    (vector,) = extract(tiny, personas[:1], settings=FEW).vectors().values()
    path = store_vector(vector)
    assert find_all(tiny.fingerprint) == {personas[0].id: path}
    assert load_vectors(tiny, [personas[0].id])[personas[0].id].origin == vector.origin
    with pytest.raises(VectorError, match=f"run: billy extract {personas[0].id} --model"):
        load_vectors(hybrid, [personas[0].id])


def test_an_unknown_persona_is_another_mistake_than_a_missing_vector(tiny):
    with pytest.raises(UsageError, match="noirr"):
        load_vectors(tiny, ["noirr"])


def test_a_persona_without_a_card_is_extracted_by_its_prompts(tiny):
    mine = Persona.of("sea-dog", ["You are an old sailor.", "Speak as a sailor would."])
    vector = extract(tiny, [mine], settings=FEW, common=()).vectors()["sea-dog"]
    assert vector.directions.shape == (4, 32)
    assert generate(tiny, "Hello.", "sea-dog@3", vectors={"sea-dog": vector}).tokens


@pytest.mark.parametrize(
    ("persona_id", "prompts", "said"),
    [
        ("Sea Dog", ["You are."], "cannot be a persona's id"),
        ("none", ["You are."], "cannot be a persona's id"),
        ("sea-dog", [], "one or more system prompts"),
        ("sea-dog", ["  "], "none of them empty"),
        ("sea-dog", "You are.", "give sea-dog a list"),
    ],
)
def test_what_is_no_persona_is_refused(persona_id, prompts, said):
    with pytest.raises(UsageError, match=said):
        Persona.of(persona_id, prompts)
