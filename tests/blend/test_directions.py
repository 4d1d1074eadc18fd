"""What a blend adds: the modes against their formulas, and what cannot be added."""

import numpy as np
import pytest
from helpers.known_vectors import CALIBRATED, IDS, RAW, VECTORS, residual_changes, shaped
from helpers.random_vectors import persona_vector
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.blend.blend import Blend, Mode
from billy_mlx.blend.directions import FULL_DOSE_RESIDUAL_NORMS, directions, full_dose, steered_layers
from billy_mlx.errors import BlendError

UNIT = {persona_id: raw / np.linalg.norm(raw, axis=1, keepdims=True) for persona_id, raw in RAW.items()}


def at(text, layer=2, vectors=VECTORS):
    return directions(Blend.parse(text), vectors).by_layer[layer]


def unit(vector):
    return vector / np.linalg.norm(vector)


def test_balanced_adds_unit_vectors_and_doses_in_residual_norms():
    expected = 0.3 * 2.0 * unit(0.6 * UNIT["noir"][2] + 0.4 * UNIT["gothic"][2])
    assert np.allclose(at("noir:0.6+gothic:0.4@0.3r/balanced"), expected, atol=1e-6)


def test_weights_are_amounts_alone_and_share_the_whole_together():
    assert np.isclose(np.linalg.norm(at("noir:0.25@1r/balanced")), 0.25 * 2.0)
    assert np.isclose(np.linalg.norm(at("noir:1+gothic:1@1r/balanced")), 2.0)
    assert np.isclose(np.linalg.norm(at("noir:3@1r/balanced")), 2.0)


def test_a_dose_of_one_is_full():
    assert np.allclose(at("noir@1/balanced"), at(f"noir@{FULL_DOSE_RESIDUAL_NORMS}r/balanced"))


def test_a_dose_of_one_is_full_as_calibrated_at_the_layer_that_was_calibrated():
    added = directions(Blend.parse("noir/balanced"), CALIBRATED)
    assert list(added.by_layer) == [2]
    assert np.linalg.norm(added.by_layer[2]) == pytest.approx(0.3 * 2.0)
    assert np.linalg.norm(at("gothic@0.5/balanced", 1, CALIBRATED)) == pytest.approx(0.5 * 0.4 * 2.0)
    assert np.allclose(at("noir@0.3r/balanced/L3", 3, CALIBRATED), at("noir@1/balanced/L3", 3, CALIBRATED))


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("gothic+noir", (0.4 + 0.3) / 2),
        ("gothic:3+noir:1", (3 * 0.4 + 0.3) / 4),
        ("gothic:-3+noir:1", (3 * 0.4 + 0.3) / 4),
        ("gothic:0+noir:0.5", 0.3),
        ("comic+gothic+noir", (0.1 + 0.4 + 0.3) / 3),
    ],
)
def test_full_of_a_blend_is_the_mean_of_its_personas_own_by_weight(text, full):
    blend = Blend.parse(f"{text}/balanced")
    used = [CALIBRATED[persona_id] for persona_id in blend.persona_ids]
    weights = [weight for _, weight in blend.weights]
    assert full_dose(weights, used) == pytest.approx(full)
    (added,) = directions(blend, CALIBRATED).by_layer.values()
    assert np.linalg.norm(added) == pytest.approx(full * 2.0 * min(1, np.abs(weights).sum()), rel=1e-5)


def test_what_is_not_calibrated_yet_counts_with_the_usual_full_dose():
    mixed = CALIBRATED | {"comic": VECTORS["comic"]}
    assert full_dose([1.0, 1.0], [mixed["comic"], mixed["gothic"]]) == pytest.approx(
        (FULL_DOSE_RESIDUAL_NORMS + 0.4) / 2
    )
    assert full_dose([2.0], [mixed["comic"]]) == FULL_DOSE_RESIDUAL_NORMS


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        ("comic+gothic+noir", 2),
        ("comic:0+gothic:9+noir:0.1", 2),
        ("comic:-1+gothic:0+noir:0", 2),
        ("comic+noir", 2),  # of an even number the lower of the two in the middle
        ("comic+gothic", 1),
        ("comic:0.01+gothic:0", 1),
        ("comic", 3),
    ],
)
def test_a_balanced_blend_is_steered_at_the_median_of_its_personas_layers_whatever_their_weights(text, layer):
    blend = Blend.parse(f"{text}/balanced")
    assert steered_layers(blend, [CALIBRATED[persona_id] for persona_id in blend.persona_ids]) == (layer,)


def test_half_of_the_depth_counts_for_what_is_not_calibrated_yet():
    vectors = [CALIBRATED["comic"], VECTORS["gothic"], VECTORS["noir"]]  # at 3, 2 and 2
    assert steered_layers(Blend.parse("comic+gothic+noir/balanced"), vectors) == (2,)


@pytest.mark.parametrize("mode", list(Mode))
def test_a_negative_weight_and_a_negative_dose_turn_round(mode):
    assert np.allclose(at(f"noir:-1/{mode}"), -at(f"noir:1/{mode}"))
    assert np.allclose(at(f"noir@-1/{mode}"), -at(f"noir@1/{mode}"))


def test_paper_is_the_mean_of_the_raw_vectors_times_the_coefficient():
    assert np.allclose(
        at("noir+gothic+comic/paper"), 2.0 * np.mean([raw[2] for raw in RAW.values()], axis=0), atol=1e-5
    )
    twice = at("comic+gothic+noir+noir@1.5a/paper")
    assert np.allclose(twice, 1.5 * (RAW["comic"][2] + RAW["gothic"][2] + 2 * RAW["noir"][2]) / 4, atol=1e-5)


@pytest.mark.parametrize(("layers", "layer"), [(4, 2), (16, 10), (19, 11), (20, 19), (28, 19), (32, 19)])
def test_paper_steers_the_papers_layer_or_as_deep_in_a_model_that_has_none(layers, layer):
    (at_layer,) = directions(Blend.parse("noir/paper"), {"noir": shaped(layers)}).by_layer
    assert at_layer == layer


def test_no_calibration_moves_the_papers_layer_or_its_coefficient():
    assert np.array_equal(at("noir+comic/paper", 2, CALIBRATED), at("noir+comic/paper"))


@pytest.mark.parametrize("text", ["noir+gothic@0.3r/paper", "noir:0.5+gothic:0.5@0.3r/raw"])
def test_paper_and_raw_take_a_dose_in_residual_norms_as_well(text):
    for direction in directions(Blend.parse(text), VECTORS).by_layer.values():
        assert np.linalg.norm(direction) == pytest.approx(0.3 * 2.0)


def test_a_hand_computed_merge():
    vectors = {"a": persona_vector("a", np.tile([3.0, 0.0] + [0.0] * 30, (4, 1))),
               "b": persona_vector("b", np.tile([0.0, 4.0] + [0.0] * 30, (4, 1)))}  # fmt: skip
    assert at("a+b@2a/paper", vectors=vectors)[:3].tolist() == [3.0, 4.0, 0.0]
    assert np.allclose(at("a+b@1r/balanced", vectors=vectors)[:3], [2**0.5, 2**0.5, 0.0])


def test_raw_is_undivided_and_at_every_layer():
    added = directions(Blend.parse("noir:0.5+gothic:-2/raw"), VECTORS)
    assert sorted(added.by_layer) == [0, 1, 2, 3]
    assert np.allclose(added.by_layer[3], 0.5 * RAW["noir"][3] - 2 * RAW["gothic"][3], atol=1e-5)


def test_raw_leaves_out_layers_where_a_vector_has_nothing():
    partial = {
        "a": persona_vector("a", RAW["comic"] * np.array([[0], [1], [1], [0]])),
        "b": persona_vector("b", RAW["noir"] * np.array([[0], [0], [1], [0]])),
    }
    both = directions(Blend.parse("a:2+b/raw"), partial).by_layer
    assert list(both) == [1, 2]
    assert np.allclose(both[1], 2 * partial["a"].directions[1])
    assert np.allclose(both[2], 2 * partial["a"].directions[2] + partial["b"].directions[2])
    assert list(directions(Blend.parse("a:0+b/raw"), partial).by_layer) == [2]


def test_a_vector_of_another_tool_is_used_as_that_tool_does():
    unknown = {"noir": shaped(4, norm=None)}
    added = directions(Blend.parse("noir@1a/raw"), unknown).by_layer
    assert all(np.allclose(added[layer], unknown["noir"].directions[layer]) for layer in range(4))
    assert np.allclose(at("noir@2a/paper", vectors=unknown), 2 * unknown["noir"].directions[2])


@pytest.mark.parametrize("text", ["noir/balanced", "noir@0.3r/raw", "noir@1/paper", "noir/orthogonal"])
def test_a_dose_in_residual_norms_that_nobody_knows_is_a_sentence(text):
    with pytest.raises(BlendError, match=r"nothing says what residual norms .* for noir, .*; use it .* with /raw"):
        at(text, vectors={"noir": shaped(4, norm=None)})


def test_one_vector_that_says_the_norms_is_enough_for_a_blend():
    vectors = {"noir": shaped(4, norm=None), "gothic": VECTORS["gothic"]}
    assert np.linalg.norm(at("noir+gothic@0.5r/balanced", vectors=vectors)) == pytest.approx(0.5 * 2.0)


@pytest.mark.parametrize("mode", list(Mode))
def test_a_layer_where_every_vector_is_zero_is_refused_as_that(mode):
    partial = {"noir": persona_vector("noir", RAW["noir"] * np.array([[0], [1], [1], [1]]))}
    with pytest.raises(BlendError, match="a vector of noir is zero at a steered layer; choose another layer"):
        directions(Blend.parse(f"noir/{mode}/L0"), partial)


def test_orthogonal_gives_each_persona_its_weight_on_its_own_axis():
    close = {
        "a": persona_vector("a", seed=1),
        "b": persona_vector("b", persona_vector("a", seed=1).directions + 0.3 * RAW["noir"]),
    }
    merged = at("a+b@1r/orthogonal", vectors=close)
    sharing = unit(close["a"].directions[2]), unit(close["b"].directions[2])
    assert sharing[0] @ sharing[1] > 0.8
    assert np.isclose(*(unit(merged) @ one for one in sharing), atol=1e-5)
    difference = at("a:1+b:-1@1r/orthogonal", vectors=close)
    assert np.isclose(np.linalg.norm(difference), 2.0)
    assert abs(unit(difference) @ unit(merged)) < 1e-3


@given(st.permutations(IDS), st.sampled_from(Mode))
def test_the_order_of_the_personas_does_not_matter(order, mode):
    weight = dict(zip(IDS, ("0.5", "1", "-0.2"), strict=True))
    text = "+".join(f"{persona_id}:{weight[persona_id]}" for persona_id in order)
    assert np.array_equal(at(f"{text}/{mode}"), at(f"comic:0.5+gothic:1+noir:-0.2/{mode}"))


def test_without_layers_balanced_steers_the_middle_one():
    assert list(directions(Blend.parse("noir/balanced"), VECTORS).by_layer) == [2]
    assert list(directions(Blend.parse("noir/balanced/L3,0"), VECTORS).by_layer) == [0, 3]


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("text", ["noir:0", "noir:0+gothic:0", "noir@0"])
def test_all_at_zero_is_the_unsteered_model(text, mode):
    assert directions(Blend.parse(f"{text}/{mode}"), VECTORS).key == ""


@pytest.mark.parametrize("mode", list(Mode))
def test_weights_that_cancel_are_an_error_that_names_the_personas(mode):
    twins = {"one": VECTORS["noir"], "two": VECTORS["noir"]}
    said = "one and two are too alike" if mode == "orthogonal" else "one and two cancel each other"
    for dose in ("", "@0.2" if mode == "layered" else "@0.2r"):
        with pytest.raises(BlendError, match=said):
            at(f"one:1+two:-1{dose}/{mode}", vectors=twins)


def test_a_small_weight_alone_is_no_cancellation():
    assert np.isclose(np.linalg.norm(at("noir:0.0001@1r/balanced")), 0.0002)
    assert np.isclose(np.linalg.norm(at("noir:1e-12@1r/balanced")), 2e-12, atol=0)


@pytest.mark.parametrize("mode", ["layered", "balanced", "orthogonal"])
def test_a_weight_on_its_way_through_zero_makes_no_jump(mode):
    below, at_zero, above = (at(f"noir:1+gothic:{weight}/{mode}") for weight in (-1e-4, 0, 1e-4))
    assert np.allclose(below, at_zero, atol=1e-3)
    assert np.allclose(above, at_zero, atol=1e-3)


def test_a_layer_the_model_does_not_have_is_refused():
    with pytest.raises(BlendError, match="there is no layer 4: the model's layers go from 0 to 3"):
        at("noir/L4")


@pytest.mark.parametrize(
    ("text", "layers"), [("noir+gothic+comic@2a/paper", (2,)), ("noir+gothic@1.5a/paper/L1,3", (1, 3))]
)
def test_the_merged_vector_is_what_reaches_the_model(tiny, text, layers):
    """The published code merged the vectors and then steered with the first of them."""
    blend = Blend.parse(text)
    added = residual_changes(tiny, directions(blend, VECTORS))
    merged = np.mean([RAW[persona_id] for persona_id in blend.persona_ids], axis=0)
    for layer in layers:
        assert np.allclose(added[layer], blend.dose.amount * merged[layer], atol=1e-5)
