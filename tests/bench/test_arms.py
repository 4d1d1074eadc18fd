import numpy as np
import pytest
from benching import ITEMS, plant, small
from vectors import persona_vector

from billy_mlx.bench.arms import comparison_arms, left_out, main_arm, random_directions
from billy_mlx.bench.play import AsItStands
from billy_mlx.bench.roles import seats
from billy_mlx.bench.verbalized import Stated, choose, stated
from billy_mlx.blend.blend import Blend, Dose, Unit
from billy_mlx.errors import BlendError, UsageError, VectorError
from billy_mlx.model.layers import Directions
from billy_mlx.vectors.library import store_vector

NAMES = [
    *("single-0.7", "single-1.0", "multi-role", "discussion", "verbalized"),
    *("persona:creative-professional", "persona:environmentalist", "persona:futurist"),
    *("billy-layered", "billy-paper", "billy-balanced", "billy-orthogonal", "dose-0"),
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
    same = [first(arm) for name, arm in arms.items() if name not in ("multi-role", "discussion", "verbalized")]
    assert {(turn.prompt, turn.system, turn.max_tokens) for turn in same} == {(ITEMS[0].prompt, None, 6)}
    assert len({first(arm).seed for arm in arms.values()}) == 1


def test_sampling_is_the_same_but_for_the_hot_single_agent(arms):
    assert {name for name, arm in arms.items() if first(arm).sampling != small().sampling} == {"single-1.0"}


def test_items_and_seeds_have_seeds_of_their_own(arms):
    turns = [first(arms["dose-0"], item, seed) for item in ITEMS for seed in range(2)]
    assert len({turn.seed for turn in turns}) == 4


@pytest.mark.parametrize(("mode", "layers"), [("layered", {1, 2}), ("balanced", {2})])
def test_random_directions_have_exactly_the_blends_norms_at_its_layers(tiny, mode, layers):
    plant(tiny)
    arms = {arm.name: arm for arm in comparison_arms(tiny, small(blend=f"futurist+environmentalist/{mode}"))}
    blend = first(arms[f"billy-{mode}"]).directions.by_layer
    for n in range(1, 6):
        random = first(arms[f"random-{n}"]).directions.by_layer
        assert random.keys() == blend.keys() == layers
        for layer in layers:
            assert np.linalg.norm(random[layer]) == pytest.approx(np.linalg.norm(blend[layer]), rel=1e-5)


def test_random_directions_add_up_over_the_layers_to_as_much_as_the_blend(arms):
    blend, random = (first(arms[name]).directions.by_layer for name in ("billy-layered", "random-4"))
    assert np.linalg.norm(random[1] + random[2]) == pytest.approx(np.linalg.norm(blend[1] + blend[2]), rel=1e-5)
    assert abs(np.sum(random[1] * blend[1])) < 0.9 * np.sum(blend[1] ** 2)


def test_a_random_direction_of_one_layer_is_the_one_that_former_runs_had():
    like = Directions({2: np.full(4, 1.5, np.float32)}, everywhere=True)
    drawn = np.random.default_rng([7, 3, 2]).normal(size=4)
    random = random_directions(like, seed=7, number=3)
    assert np.allclose(random.by_layer[2], 3 * drawn / np.linalg.norm(drawn), atol=1e-6)
    assert random.everywhere


def test_random_directions_differ_and_come_again(tiny, arms):
    again = {arm.name: arm for arm in comparison_arms(tiny, small())}
    keys = [first(arms[f"random-{n}"]).directions.key for n in range(1, 6)]
    assert len(set(keys)) == 5
    assert keys == [first(again[f"random-{n}"]).directions.key for n in range(1, 6)]


def test_each_mode_has_its_own_dose_and_the_same_weights(arms):
    blends = [Blend.parse(arms[name].blend) for name in NAMES[8:13]]
    assert [blend.mode for blend in blends] == ["layered", "paper", "balanced", "orthogonal", "layered"]
    assert [str(blend.dose) for blend in blends] == ["1", "2a", "1", "1", "0"]
    assert len({blend.weights for blend in blends}) == 1
    assert first(arms["dose-0"]).directions.key == ""


def test_the_papers_protocol_steers_at_its_layer(tiny):
    plant(tiny)
    arms = comparison_arms(
        tiny, small(protocol="paper", arms=("billy-layered", "billy-balanced", "personas", "random-1"))
    )
    assert {layer for arm in arms for layer in first(arm).directions.by_layer} == {int(4 * 0.625)}


def test_personas_alone_and_random_directions_are_like_the_papers_blend_in_its_protocol(tiny):
    plant(tiny)
    arms = {arm.name: arm for arm in comparison_arms(tiny, small(protocol="paper"))}
    assert arms["persona:futurist"].blend == "futurist:1@2a/paper/L2"
    [blend], [random] = (first(arms[name]).directions.by_layer.values() for name in ("billy-paper", "random-3"))
    assert np.linalg.norm(random) == pytest.approx(np.linalg.norm(blend), rel=1e-6)


def test_a_dose_that_is_given_holds_for_all_that_are_dosed_alike(tiny):
    plant(tiny)
    arms = {arm.name: arm for arm in comparison_arms(tiny, small(blend="futurist+environmentalist@0.5"))}
    alike = ("billy-layered", "billy-balanced", "billy-orthogonal", "persona:futurist")
    assert [Blend.parse(arms[name].blend).dose for name in alike] == [Dose(0.5)] * 4
    assert Blend.parse(arms["billy-paper"].blend).dose == Dose(2.0, Unit.COEFFICIENT)


def test_a_dose_in_residual_norms_is_none_of_a_layered_blend(tiny):
    plant(tiny)
    blend = "futurist+environmentalist@0.3r/balanced"
    arms = {arm.name: arm for arm in comparison_arms(tiny, small(blend=blend))}
    doses = [str(Blend.parse(arms[f"billy-{mode}"].blend).dose) for mode in ("balanced", "orthogonal", "layered")]
    assert doses == ["0.3r", "0.3r", "1"]


def test_a_blend_of_another_mode_is_the_one_that_all_is_about(tiny):
    assert main_arm(small(blend="noir+gothic")) == main_arm(small()) == "billy-layered"
    assert main_arm(small(blend="noir+gothic/orthogonal")) == "billy-orthogonal"
    assert main_arm(small(blend="noir+gothic/raw")) == "billy-balanced"
    assert main_arm(small(protocol="paper")) == "billy-paper"


def test_personas_that_are_too_alike_leave_orthogonal_out_and_say_so(tiny):
    plant(tiny)
    store_vector(persona_vector("environmentalist", seed=0, fingerprint=tiny.fingerprint))  # as creative-professional's
    assert "billy-orthogonal" not in [arm.name for arm in comparison_arms(tiny, small())]
    [told] = left_out(tiny, small())
    assert told.startswith("The arm billy-orthogonal is left out: creative-professional, environmentalist")


def test_orthogonal_that_is_named_and_cannot_be_had_is_refused_in_its_own_words(tiny):
    plant(tiny)
    store_vector(persona_vector("environmentalist", seed=0, fingerprint=tiny.fingerprint))  # as creative-professional's
    with pytest.raises(BlendError, match=r"creative-professional, environmentalist .* are too alike"):
        comparison_arms(tiny, small(arms=("billy-orthogonal",)))


def test_multi_role_asks_for_each_persona_by_name_and_description(arms):
    prompt = first(arms["multi-role"]).prompt
    assert prompt.count("- Futurist: Someone who looks decades ahead") == 1
    assert prompt.endswith(ITEMS[0].prompt)


@pytest.mark.parametrize(
    ("blend", "names"),
    [
        ("creative-professional:0.25+environmentalist:0.25+futurist:0.5", "Creative, Environ, Futurist, Futurist"),
        ("noir", "Noir, Noir, Noir, Noir"),
        ("noir:3+gothic:2+comic:-1", "Gothic, Gothic, Noir, Noir"),
        ("a:1+b:1+c:1+d:1+e:2", "A, B, C, E"),
    ],
)
def test_personas_take_four_seats_by_weight(blend, names):
    found = [role.name for role in seats(Blend.parse(blend), 4)]
    assert all(name.startswith(start) for name, start in zip(found, names.split(", "), strict=True)), found


def test_verbalized_answers_are_read_with_their_probabilities():
    text = "Sure!\nAnswer 1, probability 0.07:\n1. A hat\n2. A boat\n\n**Answer 2 (probability: 30%)**\nA drum"
    assert stated(text) == [Stated("1. A hat\n2. A boat", 0.07), Stated("A drum", 0.3)]


def test_an_unlikely_verbalized_answer_is_taken_as_likely_as_it_says():
    answers = [Stated("likely", 0.8), Stated("rare", 0.01), Stated("less rare", 0.09)]
    taken = [choose(answers, seed) for seed in range(1000)]
    assert taken.count("likely") == 0
    assert taken.count("rare") == pytest.approx(100, abs=30)
    assert choose(answers, 3) == choose(answers, 3)


def test_a_verbalized_text_that_cannot_be_parsed_is_the_answer(arms):
    play = arms["verbalized"].play(ITEMS[0], 0)
    next(play)
    with pytest.raises(StopIteration) as end:
        play.send(["1. A hat with a probability"])
    assert end.value.value == AsItStands("1. A hat with a probability")


def test_a_verbalized_turn_may_be_five_answers_long_but_not_longer_than_the_context(tiny, arms):
    assert first(arms["verbalized"]).max_tokens == 5 * 6
    [long] = comparison_arms(tiny, small(max_tokens=100, arms=("verbalized",)))
    assert 100 <= first(long).max_tokens < 500
