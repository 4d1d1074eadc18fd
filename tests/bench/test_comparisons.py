"""What is told of hand-made scores: planted effects are found, chance is not, and no rival is chosen unfairly."""

from dataclasses import dataclass

import numpy as np
import pytest

from billy_mlx.bench import comparisons
from billy_mlx.bench.comparisons import BEST_PERSONA, OTHER_PERSONA, RANDOM, agreement, best_of, compare
from billy_mlx.bench.metrics import metric, sentences
from billy_mlx.bench.result import ScoredAnswer
from billy_mlx.measure.statistics import stretch


@dataclass(frozen=True)
class Named:
    name: str
    group: str = ""


def scored(arm, values, name="rarity", task="uses", seed=0):
    """Return scores of an arm, one for each of `values`, which are the items'."""
    return [
        ScoredAnswer(arm, task, f"{task}-{item:02}", seed, {name: value}, {name: None})
        for item, value in enumerate(values)
    ]


def found(scores, arm="billy-balanced"):
    """Return the comparisons of an arm over all tasks, by rival."""
    names = dict.fromkeys(score.arm for score in scores)
    _, comparisons = compare(scores, [Named(name) for name in names], "billy-balanced")
    return {each.against: each.estimate for each in comparisons if each.arm == arm and each.task is None}


def test_a_planted_effect_is_found_with_its_sign_and_size():
    noise = np.random.default_rng(0).normal(size=(2, 30))
    scores = [*scored("billy-balanced", 2 + noise[0], "words"), *scored("dose-0", noise[1], "words")]
    estimate = found(scores)["dose-0"]
    assert estimate.low > 1
    assert estimate.low < estimate.mean < estimate.high
    assert estimate.mean == pytest.approx(2 + noise[0].mean() - noise[1].mean())
    assert estimate.items == 30


def test_without_an_effect_the_interval_is_over_zero():
    noise = np.random.default_rng(1).normal(size=(2, 30))
    estimate = found([*scored("billy-balanced", noise[0]), *scored("dose-0", noise[1])])["dose-0"]
    assert estimate.low < 0 < estimate.high


def test_items_that_differ_much_do_not_blur_a_difference_on_the_same_items():
    levels = np.linspace(0, 1000, 12)
    estimate = found([*scored("billy-balanced", levels + 1), *scored("dose-0", levels)])["dose-0"]
    assert (estimate.mean, estimate.low, estimate.high) == pytest.approx((1, 1, 1))


def test_the_seeds_of_an_item_are_one_witness():
    scores = [
        each for seed in range(9) for arm in ("billy-balanced", "dose-0") for each in scored(arm, [1, 3], seed=seed)
    ]
    means, _ = compare(scores, [Named("dose-0")], "")
    assert {(mean.estimate.items, mean.estimate.mean) for mean in means} == {(2, 2.0)}


def test_only_seeds_and_items_that_both_have_are_compared():
    scores = [*scored("billy-balanced", [5, 7, 100]), *scored("billy-balanced", [50, 70], seed=1)]
    estimate = found([*scores, *scored("dose-0", [4, 6, None])])["dose-0"]
    assert (estimate.mean, estimate.items) == (1, 2)


def test_a_value_that_is_missing_is_no_zero():
    means, _ = compare(scored("dose-0", [4, None, 6]), [Named("dose-0")], "")
    assert {(mean.task, mean.estimate.mean, mean.estimate.items) for mean in means} == {(None, 5, 2), ("uses", 5, 2)}


def test_there_is_a_mean_for_every_task_and_for_all():
    scores = [*scored("dose-0", [1, 1]), *scored("dose-0", [4, 4], task="writing")]
    means, _ = compare(scores, [Named("dose-0")], "")
    assert {mean.task: mean.estimate.mean for mean in means} == {None: 2.5, "uses": 1, "writing": 4}


# One item on which noir is far ahead, two on which gothic is a little: by the mean of all three noir is best.
NOIR, GOTHIC = [10, 1, 1], [2, 2, 2]


def test_the_best_persona_of_an_item_is_chosen_on_the_other_items():
    scores = [*scored("billy-balanced", [0, 0, 0]), *scored("persona:noir", NOIR), *scored("persona:gothic", GOTHIC)]
    # On the items 1 and 2 gothic is best, so item 0 is held against its 2; the others see noir's 10, and take noir.
    assert found(scores)[BEST_PERSONA].mean == pytest.approx(-(2 + 1 + 1) / 3)


def test_choosing_by_all_items_would_have_given_another_rival():
    assert np.mean(NOIR) > np.mean(GOTHIC)  # so that it would have been noir everywhere, and -4
    assert np.mean(NOIR) == 4


def test_where_less_is_better_the_best_persona_has_the_least():
    scores = [
        *scored("billy-balanced", [0, 0, 0], "repetition"),
        *scored("persona:noir", [3, 3, 3], "repetition"),
        *scored("persona:gothic", [2, 2, 2], "repetition"),
    ]
    assert found(scores)[BEST_PERSONA].mean == -2


def test_a_persona_with_the_easy_items_only_is_not_the_best_for_that():
    easy, hard = ("uses", "easy"), ("uses", "hard")
    able = {easy: {0: 11.0}, hard: {0: 3.0}, ("uses", "other"): {0: 4.0}}
    lucky = {easy: {0: 10.0}, ("uses", "other"): {0: 1.0}}
    assert best_of([lucky, able], 1)[("uses", "other")] == {0: 4.0}


def test_with_one_item_there_is_no_best_persona():
    scores = [*scored("billy-balanced", [1]), *scored("persona:noir", [1]), *scored("persona:gothic", [2])]
    assert found(scores) == {}


def test_a_metric_that_is_better_neither_way_has_every_persona_as_rival():
    scores = [each for arm in ("billy-paper", "persona:noir", "persona:b") for each in scored(arm, [1, 2], "words")]
    assert found(scores, "billy-paper").keys() == {"persona:noir", "persona:b"}


def test_random_directions_are_compared_with_each_and_with_their_mean():
    scores = scored("billy-balanced", [9, 9])
    for number in range(1, 6):
        scores += scored(f"random-{number}", [number, number])
    estimates = found(scores)
    assert estimates[RANDOM].mean == 9 - 3
    assert [estimates[f"random-{number}"].mean for number in range(1, 6)] == [8, 7, 6, 5, 4]


def test_only_the_blend_that_random_directions_are_as_long_as_is_held_against_them():
    scores = [each for arm in ("billy-balanced", "billy-paper", "random-1") for each in scored(arm, [1, 2])]
    assert RANDOM in found(scores, "billy-balanced")
    assert not {RANDOM, "random-1"} & found(scores, "billy-paper").keys()


def test_a_cell_of_a_sweep_is_held_against_the_control_alone():
    arms = ("personas=2", "dose-0", "multi-role", "billy-paper")
    scores = [each for arm in arms for each in scored(arm, [1, 2])]
    _, comparisons = compare(scores, [Named(arm, "sweep personas" * ("=" in arm)) for arm in arms], "")
    assert {each.against for each in comparisons if each.arm == "personas=2"} == {"dose-0"}


def test_only_blends_are_compared():
    scores = [each for arm in ("dose-0", "multi-role", "persona:noir") for each in scored(arm, [1, 2])]
    assert compare(scores, [Named(score.arm) for score in scores[::2]], "")[1] == []


def test_no_interval_reaches_beyond_what_its_metric_can_be():
    scores = [*scored("billy-balanced", [1, 0.9]), *scored("dose-0", [0, 0.2])]
    means, _ = compare(scores, [Named("billy-balanced"), Named("dose-0")], "")
    assert {(mean.estimate.low >= 0, mean.estimate.high <= 1) for mean in means} == {(True, True)}
    assert found(scores)["dose-0"].high == 1


@pytest.mark.parametrize("name", ["words", "adherence", "persona: noir"])
def test_where_a_metric_has_no_end_nothing_is_cut_off(name):
    scores = [*scored("billy-balanced", [900, 0], name), *scored("dose-0", [0, 0], name)]
    assert found(scores)["dose-0"].high > 900


def test_matched_length_is_kept_apart():
    scores = [
        ScoredAnswer(arm, "uses", f"uses-{item}", 0, {"rarity": 1.0}, {"rarity": value})
        for arm, value in (("billy-paper", 0.5), ("dose-0", 0.25))
        for item in range(3)
    ]
    _, comparisons = compare(scores, [Named("billy-paper"), Named("dose-0")], "")
    assert {(each.matched, each.estimate.mean) for each in comparisons} == {(False, 0), (True, 0.25)}


@pytest.mark.parametrize("name", ["ideas", "persona: noir", "judge: originality", "human Ann: b: elaboration"])
def test_every_kind_of_metric_is_told_in_sentences(name):
    assert sentences([name, name]).keys() == {name}
    assert metric(name).sentence.endswith((" better.", " in itself."))


def test_a_name_of_a_rater_with_a_colon_is_told_whole():
    assert metric("human Ann: b: elaboration").description.startswith("Ann: b's rating of elaboration")


def test_an_unknown_metric_is_a_mistake():
    with pytest.raises(KeyError):
        metric("charm")


def pairs(a, b, per_item=1):
    found = {}
    for place, pair in enumerate(zip(a, b, strict=True)):
        found.setdefault(f"item-{place // per_item}", []).append(pair)
    return found


def test_spearman_without_ties_is_what_the_distances_of_ranks_say():
    a, b = [10, 20, 30, 40, 50], [2, 1, 4, 3, 5]
    assert agreement(pairs(a, b)).mean == pytest.approx(1 - 6 * 4 / (5 * 24))  # four ranks are off by one


def test_equal_values_share_their_rank():
    a, b = [1, 1, 2, 3, 3, 4], [1, 2, 2, 3, 4, 4]
    ranks = [1.5, 1.5, 3, 4.5, 4.5, 6], [1, 2.5, 2.5, 4, 5.5, 5.5]
    assert agreement(pairs(a, b)).mean == pytest.approx(np.corrcoef(*ranks)[0, 1])


@pytest.mark.parametrize(("turn", "expected"), [(1, 1), (-1, -1)])
def test_a_rising_function_of_a_rater_agrees_with_it_wholly(turn, expected):
    a = np.linspace(-2, 2, 20)
    found = agreement(pairs(a, np.exp(turn * a)))
    assert (found.mean, found.low, found.high, found.items) == pytest.approx((expected, expected, expected, 20))


def test_chance_agrees_with_nothing():
    a, b = np.random.default_rng(0).normal(size=(2, 60))
    found = agreement(pairs(a, b))
    assert found.low < 0 < found.high


def test_an_interval_over_few_items_is_stretched_as_that_of_a_mean(monkeypatch):
    a, noise = np.random.default_rng(4).normal(size=(2, 6))
    found = agreement(pairs(a, a + noise))
    monkeypatch.setattr(comparisons, "stretch", lambda _: 1.0)
    plain = agreement(pairs(a, a + noise))
    assert found.mean - found.low == pytest.approx(stretch(6) * (plain.mean - plain.low))
    assert found.high == 1  # no correlation is above it


def test_texts_of_one_item_are_no_independent_witnesses():
    a, noise = np.random.default_rng(2).normal(size=(2, 20))
    b = a + noise
    alone, together = agreement(pairs(a, b)), agreement(pairs(np.repeat(a, 5), np.repeat(b, 5), per_item=5))
    assert together.items == 20
    assert together.high - together.low == pytest.approx(alone.high - alone.low, rel=0.1)


@pytest.mark.parametrize(("a", "b"), [([], []), ([1, 2, 3, 4], [1, 2, 3, 4]), ([1] * 6, [1, 2, 3, 4, 5, 6])])
def test_few_texts_or_no_order_have_no_correlation(a, b):
    assert agreement(pairs(a, b)) is None


def test_texts_of_a_single_item_have_no_interval():
    assert agreement(pairs([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6], per_item=6)) is None


def test_the_main_blend_alone_is_held_against_the_other_persona_and_every_blend_against_the_prompts():
    scores = [*scored("billy-balanced", [5, 7, 9]), *scored("billy-paper", [1, 1, 1]), *scored("prompts", [2, 2, 5])]
    scores += [*scored("other:noir", [4, 4, 4]), *scored("prompt+billy", [3, 3, 3])]
    main = found(scores)
    assert {against: each.mean for against, each in main.items()} == {"prompts": 4, OTHER_PERSONA: 3}
    assert {against: each.mean for against, each in found(scores, "billy-paper").items()} == {"prompts": -2}
    assert {against: each.mean for against, each in found(scores, "prompt+billy").items()} == {"prompts": 0}


def test_several_other_personas_are_one_rival_by_their_mean():
    scores = [*scored("billy-balanced", [5, 7]), *scored("other:noir", [1, 1]), *scored("other:comic", [3, 5])]
    assert {against: each.mean for against, each in found(scores).items()} == {OTHER_PERSONA: 3.5}
