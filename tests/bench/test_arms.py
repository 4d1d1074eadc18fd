"""Which arms and items a run has, and that all are asked alike."""

import pytest
from helpers.small_bench import ITEMS, plant, small

from billy_mlx.bench.arms import comparison_arms
from billy_mlx.blend.recipe import Prompt
from billy_mlx.errors import UsageError, VectorError

NAMES = [
    *("single-0.7", "single-1.0", "multi-role", "discussion", "verbalized"),
    *("persona:creative-professional", "persona:environmentalist", "persona:futurist"),
    *("billy-layered", "billy-paper", "billy-balanced", "billy-orthogonal", "dose-0"),
    *("prompt:creative-professional", "prompt:environmentalist", "prompt:futurist", "prompts", "prompt+billy"),
    *("random-1", "random-2", "random-3", "random-4", "random-5"),
]


@pytest.fixture
def arms(tiny):
    plant(tiny)
    return {arm.name: arm for arm in comparison_arms(tiny, small())}


def first(arm, item=ITEMS[0], seed=0):
    return next(arm.play(item, seed))[0]


def test_all_arms_are_there(arms):
    assert list(arms) == NAMES


def test_arms_can_be_chosen_by_name_or_group(tiny):
    plant(tiny)
    chosen = comparison_arms(tiny, small(arms=("random", "dose-0")))
    assert [arm.name for arm in chosen] == ["dose-0", *NAMES[-5:]]


def test_an_unknown_arm_is_refused_with_those_there_are(tiny):
    plant(tiny)
    with pytest.raises(UsageError, match=r"there is no arm 'dose0'; there are single-0\.7, "):
        comparison_arms(tiny, small(arms=("dose0",)))


def test_a_missing_vector_names_the_command(tiny):
    with pytest.raises(VectorError, match="run: billy extract creative-professional"):
        comparison_arms(tiny, small())


def test_seed_and_prompt_are_the_same_for_every_arm_but_for_prompting_ones(arms):
    prompting = ("multi-role", "discussion", "verbalized", "prompt")
    same = [first(arm) for name, arm in arms.items() if not name.startswith(prompting)]
    assert {(turn.prompt, turn.max_tokens) for turn in same} == {(Prompt.of(ITEMS[0].prompt), 6)}
    assert len({first(arm).seed for arm in arms.values()}) == 1


def test_sampling_is_the_same_but_for_the_hot_single_agent(arms):
    assert {name for name, arm in arms.items() if first(arm).sampling != small().sampling} == {"single-1.0"}


def test_items_and_seeds_have_seeds_of_their_own(arms):
    turns = [first(arms["dose-0"], item, seed) for item in ITEMS for seed in range(2)]
    assert len({turn.seed for turn in turns}) == 4
