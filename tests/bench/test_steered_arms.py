"""Arms that are steered: blends in every mode, random directions, and the cells of sweeps."""

import numpy as np
import pytest
from helpers.random_vectors import persona_vector
from helpers.small_bench import ITEMS, plant, small

from billy_mlx.bench.arms import comparison_arms
from billy_mlx.bench.steered_arms import left_out, main_arm, paper_layers, random_directions, sweep_arms
from billy_mlx.blend.blend import Dose, Mode, Unit
from billy_mlx.errors import BlendError, UsageError
from billy_mlx.model.layers import Directions
from billy_mlx.vectors.card import bundled_ids
from billy_mlx.vectors.library import load_vectors, store_vector

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


@pytest.mark.parametrize(("mode", "layers"), [("layered", {1, 2}), ("balanced", {2})])
def test_random_directions_have_exactly_the_blends_norms_at_its_layers(tiny, mode, layers):
    plant(tiny)
    arms = {arm.name: arm for arm in comparison_arms(tiny, small(blend=f"futurist+environmentalist/{mode}"))}
    blend = arms[f"billy-{mode}"].directions.by_layer
    for n in range(1, 6):
        random = arms[f"random-{n}"].directions.by_layer
        assert random.keys() == blend.keys() == layers
        for layer in layers:
            assert np.linalg.norm(random[layer]) == pytest.approx(np.linalg.norm(blend[layer]), rel=1e-5)


def test_random_directions_add_up_over_the_layers_to_as_much_as_the_blend(arms):
    blend, random = (arms[name].directions.by_layer for name in ("billy-layered", "random-4"))
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
    keys = [arms[f"random-{n}"].directions.key for n in range(1, 6)]
    assert len(set(keys)) == 5
    assert keys == [again[f"random-{n}"].directions.key for n in range(1, 6)]


def test_each_mode_has_its_own_dose_and_the_same_weights(arms):
    blends = [arms[name].blend for name in NAMES[8:13]]
    assert [blend.mode for blend in blends] == ["layered", "paper", "balanced", "orthogonal", "layered"]
    assert [str(blend.dose) for blend in blends] == ["1", "2a", "1", "1", "0"]
    assert len({blend.weights for blend in blends}) == 1
    assert arms["dose-0"].directions.key == ""


def test_the_papers_protocol_steers_at_its_layer(tiny):
    plant(tiny)
    arms = comparison_arms(
        tiny, small(protocol="paper", arms=("billy-layered", "billy-balanced", "personas", "random-1"))
    )
    assert {layer for arm in arms for layer in arm.directions.by_layer} == {int(4 * 0.625)}


def test_personas_alone_and_random_directions_are_like_the_papers_blend_in_its_protocol(tiny):
    plant(tiny)
    arms = {arm.name: arm for arm in comparison_arms(tiny, small(protocol="paper"))}
    assert str(arms["persona:futurist"].blend) == "futurist:1@2a/paper/L2"
    [blend], [random] = (arms[name].directions.by_layer.values() for name in ("billy-paper", "random-3"))
    assert np.linalg.norm(random) == pytest.approx(np.linalg.norm(blend), rel=1e-6)


def test_a_dose_that_is_given_holds_for_all_that_are_dosed_alike(tiny):
    plant(tiny)
    arms = {arm.name: arm for arm in comparison_arms(tiny, small(blend="futurist+environmentalist@0.5"))}
    alike = ("billy-layered", "billy-balanced", "billy-orthogonal", "persona:futurist")
    assert [arms[name].blend.dose for name in alike] == [Dose(0.5)] * 4
    assert arms["billy-paper"].blend.dose == Dose(2.0, Unit.COEFFICIENT)


def test_a_dose_in_residual_norms_is_none_of_a_layered_blend(tiny):
    plant(tiny)
    blend = "futurist+environmentalist@0.3r/balanced"
    arms = {arm.name: arm for arm in comparison_arms(tiny, small(blend=blend))}
    doses = [str(arms[f"billy-{mode}"].blend.dose) for mode in ("balanced", "orthogonal", "layered")]
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


@pytest.fixture(autouse=True)
def vectors(tiny, billy_home):
    plant(tiny, bundled_ids("paper")[:6])


def sweep(tiny, kind, **changes):
    return {arm.name: arm for arm in sweep_arms(tiny, small(**changes), kind)}


def norms(arm):
    added = arm.directions.by_layer
    return {layer: float(np.linalg.norm(direction)) for layer, direction in added.items()}


@pytest.mark.parametrize("mode", ["layered", "balanced"])
def test_layers_are_a_grid_with_doses(tiny, mode):
    arms = sweep(tiny, "layers", blend=f"futurist+environmentalist/{mode}")
    assert {arm.blend.mode for arm in arms.values()} == {mode}
    assert list(arms)[:4] == ["layer=0,dose=0.25", "layer=0,dose=0.5", "layer=0,dose=1", "layer=0,dose=2"]
    assert len(arms) == 4 * 4
    [(layer, most)], [(_, least)] = norms(arms["layer=3,dose=2"]).items(), norms(arms["layer=3,dose=0.25"]).items()
    assert (layer, most) == (3, pytest.approx(8 * least))


def test_personas_begin_with_the_blends_own_and_go_on_with_those_that_have_vectors(tiny):
    arms = sweep(tiny, "personas", blend="futurist:0.2+analytical-thinker:0.8")
    assert list(arms) == [f"personas={count}" for count in range(1, 7)]
    assert arms["personas=2"].blend.persona_ids == ("analytical-thinker", "futurist")
    assert arms["personas=3"].blend.weights == (
        ("analytical-thinker", 1.0),
        ("creative-professional", 1.0),
        ("futurist", 1.0),
    )


@pytest.mark.parametrize(
    ("changes", "mode"),
    [({}, "layered"), ({"blend": "futurist/balanced"}, "balanced"), ({"blend": "futurist/orthogonal"}, "balanced"),
     ({"protocol": "paper"}, "balanced")],
)  # fmt: skip
def test_personas_are_blended_as_the_comparison_is_and_else_balanced(tiny, changes, mode):
    assert {arm.blend.mode for arm in sweep(tiny, "personas", **changes).values()} == {mode}


def test_personas_are_seven_at_most(tiny):
    plant(tiny, bundled_ids("paper"))
    assert len(sweep(tiny, "personas")) == 7


def test_modes_are_tried_at_their_own_dose_and_at_that_of_balanced(tiny):
    arms = sweep(tiny, "modes")
    assert [name for name in arms if "norm" not in name] == [f"mode={mode}" for mode in Mode]
    [full] = norms(arms["mode=balanced"]).values()
    assert list(norms(arms["mode=paper,norm=balanced"]).values()) == [pytest.approx(full)]
    assert sum(norms(arms["mode=raw,norm=balanced"]).values()) == pytest.approx(full)
    assert arms["mode=paper"].blend.dose.amount == 2


def test_under_the_papers_protocol_all_modes_steer_at_its_layer(tiny):
    arms = sweep(tiny, "modes", protocol="paper")
    assert [list(norms(arm)) for arm in arms.values()] == [[2]] * 7
    assert norms(arms["mode=raw,norm=balanced"])[2] == pytest.approx(norms(arms["mode=balanced"])[2])


@pytest.mark.parametrize(
    ("blocks", "layers"),
    [(32, (11, 15, 19, 23)), (28, (9, 13, 16, 20)), (30, (10, 14, 17, 21)), (64, (23, 31, 39, 47)), (4, (0, 1, 2)),
     (1, (0,))],
)  # fmt: skip
def test_the_papers_layers_are_at_the_same_depths_of_other_models(blocks, layers):
    assert paper_layers(blocks) == layers


def test_the_papers_ablation_is_its_mode_at_its_layers_with_its_coefficients(tiny):
    arms = sweep(tiny, "paper", blend="futurist+environmentalist@0.5")
    assert list(arms)[:3] == ["layer=0,alpha=0.1", "layer=0,alpha=0.5", "layer=0,alpha=1"]
    assert list(arms)[-1] == "layer=2,alpha=5"
    assert len(arms) == 3 * 7
    assert str(arms["layer=1,alpha=2.5"].blend) == "environmentalist:1+futurist:1@2.5a/paper/L1"
    vectors = load_vectors(tiny, ["futurist", "environmentalist"]).values()
    mean = np.mean([vector.directions[1] for vector in vectors], axis=0)
    assert arms["layer=1,alpha=2.5"].directions.by_layer[1] == pytest.approx(2.5 * mean, rel=1e-5)


def test_a_cell_that_cannot_be_had_is_left_out(tiny):
    plant(tiny, directions=np.ones((4, 32)))
    assert "mode=orthogonal" not in sweep(tiny, "modes")
    assert "mode=balanced" in sweep(tiny, "modes")


def test_all_cells_of_a_sweep_are_one_group(tiny):
    assert {arm.group for arm in sweep(tiny, "modes").values()} == {"sweep modes"}


def test_an_unknown_sweep_is_refused(tiny):
    with pytest.raises(UsageError, match="there is no sweep 'doses'; there are layers, personas, modes, paper"):
        sweep_arms(tiny, small(), "doses")
