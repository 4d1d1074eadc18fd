"""What stands beside the numbers: what they cannot support, and how a run differs from the paper's."""

from dataclasses import replace

import pytest
from helpers.invented_result import difference
from helpers.random_vectors import persona_vector
from helpers.small_bench import BRICKS, answer, answered, plant, small

from billy_mlx.bench.arms import plan
from billy_mlx.bench.caveats import deviations_of, find_limits
from billy_mlx.bench.result import Estimate, Reliability
from billy_mlx.bench.settings import BenchSettings
from billy_mlx.errors import VectorError
from billy_mlx.vectors.library import store_vector
from billy_mlx.vectors.vector import Origin

AUC = {"AUC": Estimate(0.5, 0.4, 0.6, 10)}
UNRELIABLE = Reliability("judge: tiny, originality", "originality", AUC, False, "it guesses")


@pytest.fixture
def store(tiny, tmp_path):
    return answered(tiny, tmp_path / "run")


def limits(tiny, store, *reliability, items=None, comparisons=()):
    planned = plan(tiny, store.settings)
    return " ".join(find_limits(tiny, planned.arms, items or planned.items, store, reliability, comparisons))


def test_a_small_model_is_said_to_be_no_judge(tiny, store):
    assert "million parameters: it is no judge" in limits(tiny, store)


def test_a_judge_that_guesses_is_not_reliable(tiny, store):
    assert "judge: tiny, originality is not reliable" in limits(tiny, store, UNRELIABLE)
    assert "not reliable" not in limits(tiny, store, replace(UNRELIABLE, usable=True))
    assert "Nobody has judged" in limits(tiny, store)


def test_few_items_are_a_limit_and_many_are_not(tiny, store):
    assert "as few as 2 items" in limits(tiny, store)
    assert "as few as" not in limits(tiny, store, items=BRICKS * 5)


def test_the_report_says_which_differences_its_items_could_have_told(tiny, store):
    told = limits(tiny, store, items=BRICKS * 3)
    assert "With 24 items, a true difference below 0.60 standard deviations" in told
    assert "no level is corrected for how many there are); 0.4 standard deviations take 52 items" in told
    assert "standard deviations" not in limits(tiny, store, items=BRICKS[:4])


def test_answers_cut_off_are_told_with_the_arm_that_has_most(tiny, store):
    assert "were cut off" not in limits(tiny, store)
    store.answers = [replace(each, finish_reason="length") for each in store.answers[:10]] + store.answers[10:]
    assert "25% of all answers were cut off at the most tokens they may have (persona:gothic: 100%)" in limits(
        tiny, store
    )


def test_texts_that_steering_left_as_they_were_are_told(tiny, store):
    assert "to the letter" not in limits(tiny, store)
    store.answers = [replace(each, text=each.item) for each in store.answers]
    assert "billy-balanced (100%)" in limits(tiny, store)
    assert "dose-0 (" not in limits(tiny, store)


def test_arms_that_are_the_same_to_the_letter_are_told(tiny, store):
    store.answers += [replace(each, arm="single-0.7") for each in store.answers if each.arm == "dose-0"]
    assert "All texts of dose-0 and single-0.7 are the same to the letter" in limits(tiny, store)
    store.answers[-1] = replace(store.answers[-1], text="Something else.")
    assert "All texts" not in limits(tiny, store)


def test_answers_that_are_not_what_their_arm_is_about_are_told(tiny, store):
    assert "taken as they are" not in limits(tiny, store)
    verbalized = [answer("verbalized", item, "1. A hat.") for item in BRICKS[:4]]
    store.answers += [*verbalized[:3], replace(verbalized[3], fallback=True)]
    assert "were taken as they are: verbalized (25%)." in limits(tiny, store)


def test_the_number_of_differences_is_told_with_how_many_chance_makes(tiny, store):
    few, one_task = difference("rarity", 0.3, items=4), replace(difference("rarity", 0.3), task="uses")
    said = limits(tiny, store, comparisons=[*[difference("rarity", 0.3)] * 2000, few, one_task])
    assert "2,000 differences over all tasks have a sign" in said
    assert "about 100 of them" in said


def test_rarity_is_said_to_depend_on_the_arms_there_are(tiny, store):
    assert "Rarity is among the ideas of the 4 arms" in limits(tiny, store, comparisons=[difference("rarity", 0.3)])
    assert "Rarity" not in limits(tiny, store, comparisons=[difference("words", 0.3)])


def test_where_vectors_came_from_is_what_their_files_say(tiny, store):
    assert "The vectors were made with tiny from its own answers (gothic, noir)." in limits(tiny, store)
    noir = persona_vector("noir", fingerprint=tiny.fingerprint)
    store_vector(replace(noir, origin=Origin("tiny", source="control vector: noir.gguf")))
    said = limits(tiny, store)
    assert "made with tiny from its own answers (gothic); taken from control vector: noir.gguf (noir)." in said
    store_vector(replace(noir, origin=Origin("tiny")))
    assert "made in an unknown way (noir)." in limits(tiny, store)


def test_a_person_who_was_held_against_nobody_is_said_to_be_unchecked(tiny, store):
    ann = Reliability("human: Ann, originality", "originality", {}, True, "Ann rated 3 ideas")
    assert "human: Ann, originality was not checked: Ann rated 3 ideas." in limits(tiny, store, ann)
    assert "not checked" not in limits(tiny, store, replace(ann, checks=AUC))


def test_of_very_few_items_no_side_is_claimed(tiny, store):
    assert "over fewer than 5 items no side is claimed" in limits(tiny, store)
    assert "no side is claimed" not in limits(tiny, store, items=BRICKS)


def test_deviations_name_model_blend_layer_and_sampling(tiny):
    plant(tiny, ["noir"])
    told = " ".join(deviations_of(small(blend="noir"), tiny))
    for part in (
        tiny.id,
        "noir:1@1/layered",
        "layer 2 of 4",
        "In layered mode it is layers 1, 2; in balanced",
        "min-p 0.05",
        "3/4 answers with",
        "up to 6 tokens",
    ):
        assert part in told


def test_the_papers_own_sampling_is_no_deviation(tiny):
    plant(tiny)
    told = " ".join(deviations_of(BenchSettings.paper("tiny"), tiny))
    assert "top-p" not in told.replace("top-p 1", "")
    assert "whole lists, as the paper does" in told


def test_deviations_need_the_vectors(tiny):
    with pytest.raises(VectorError, match="run: billy extract noir"):
        deviations_of(small(blend="noir"), tiny)
