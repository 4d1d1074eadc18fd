"""What a blend adds: the four modes against their formulas, and what cannot be added."""

import mlx.core as mx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlx_lm.models.cache import make_prompt_cache
from vectors import persona_vector

from billy_mlx.blend.blend import Blend
from billy_mlx.blend.directions import FULL_DOSE_RESIDUAL_NORMS, directions
from billy_mlx.errors import BlendError
from billy_mlx.model.layers import Steering, record, stack, steer

IDS = ("comic", "gothic", "noir")
VECTORS = {persona_id: persona_vector(persona_id, seed=seed) for seed, persona_id in enumerate(IDS)}
RAW = {persona_id: vector.directions for persona_id, vector in VECTORS.items()}
UNIT = {persona_id: raw / np.linalg.norm(raw, axis=1, keepdims=True) for persona_id, raw in RAW.items()}


def at(text, layer=2, vectors=VECTORS):
    return directions(Blend.parse(text), vectors).by_layer[layer]


def unit(vector):
    return vector / np.linalg.norm(vector)


def test_balanced_adds_unit_vectors_and_doses_in_residual_norms():
    expected = 0.3 * 2.0 * unit(0.6 * UNIT["noir"][2] + 0.4 * UNIT["gothic"][2])
    assert np.allclose(at("noir:0.6+gothic:0.4@0.3r"), expected, atol=1e-6)


def test_weights_are_amounts_alone_and_share_the_whole_together():
    assert np.isclose(np.linalg.norm(at("noir:0.25@1r")), 0.25 * 2.0)
    assert np.isclose(np.linalg.norm(at("noir:1+gothic:1@1r")), 2.0)
    assert np.isclose(np.linalg.norm(at("noir:3@1r")), 2.0)


def test_a_dose_of_one_is_full():
    assert np.allclose(at("noir@1"), at(f"noir@{FULL_DOSE_RESIDUAL_NORMS}r"))


def test_a_negative_weight_and_a_negative_dose_turn_round():
    assert np.allclose(at("noir:-1"), -at("noir:1"))
    assert np.allclose(at("noir@-1"), -at("noir@1"))


def test_paper_is_the_mean_of_the_raw_vectors_times_the_coefficient():
    assert np.allclose(
        at("noir+gothic+comic/paper"), 2.0 * np.mean([raw[2] for raw in RAW.values()], axis=0), atol=1e-5
    )
    twice = at("comic+gothic+noir+noir@1.5a/paper")
    assert np.allclose(twice, 1.5 * (RAW["comic"][2] + RAW["gothic"][2] + 2 * RAW["noir"][2]) / 4, atol=1e-5)


def test_a_hand_computed_merge():
    vectors = {"a": persona_vector("a", np.tile([3.0, 0.0] + [0.0] * 30, (4, 1))),
               "b": persona_vector("b", np.tile([0.0, 4.0] + [0.0] * 30, (4, 1)))}  # fmt: skip
    assert at("a+b@2a/paper", vectors=vectors)[:3].tolist() == [3.0, 4.0, 0.0]
    assert np.allclose(at("a+b@1r", vectors=vectors)[:3], [2**0.5, 2**0.5, 0.0])


def test_raw_is_undivided_and_at_every_layer():
    added = directions(Blend.parse("noir:0.5+gothic:-2/raw"), VECTORS)
    assert sorted(added.by_layer) == [0, 1, 2, 3]
    assert np.allclose(added.by_layer[3], 0.5 * RAW["noir"][3] - 2 * RAW["gothic"][3], atol=1e-5)


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


@given(st.permutations(IDS), st.sampled_from(["balanced", "orthogonal", "paper", "raw"]))
def test_the_order_of_the_personas_does_not_matter(order, mode):
    weight = dict(zip(IDS, ("0.5", "1", "-0.2"), strict=True))
    text = "+".join(f"{persona_id}:{weight[persona_id]}" for persona_id in order)
    assert np.array_equal(at(f"{text}/{mode}"), at(f"comic:0.5+gothic:1+noir:-0.2/{mode}"))


def test_without_layers_the_middle_one_is_steered():
    assert list(directions(Blend.parse("noir"), VECTORS).by_layer) == [2]
    assert list(directions(Blend.parse("noir/L3,0"), VECTORS).by_layer) == [0, 3]


@pytest.mark.parametrize("text", ["noir:0", "noir:0+gothic:0", "noir@0", "noir@0a/paper"])
def test_all_at_zero_is_the_unsteered_model(text):
    assert directions(Blend.parse(text), VECTORS).key == ""


@pytest.mark.parametrize("mode", ["balanced", "orthogonal", "paper", "raw"])
def test_weights_that_cancel_are_an_error_that_names_the_personas(mode):
    twins = {"one": VECTORS["noir"], "two": VECTORS["noir"]}
    said = "one and two are too alike" if mode == "orthogonal" else "one and two cancel each other"
    for dose in ("", "@0.2r"):
        with pytest.raises(BlendError, match=said):
            at(f"one:1+two:-1{dose}/{mode}", vectors=twins)


def test_a_small_weight_alone_is_no_cancellation():
    assert np.isclose(np.linalg.norm(at("noir:0.0001@1r")), 0.0002)
    assert np.isclose(np.linalg.norm(at("noir:1e-12@1r")), 2e-12, atol=0)


@pytest.mark.parametrize("mode", ["balanced", "orthogonal"])
def test_a_weight_on_its_way_through_zero_makes_no_jump(mode):
    below, at_zero, above = (at(f"noir:1+gothic:{weight}/{mode}") for weight in (-1e-4, 0, 1e-4))
    assert np.allclose(below, at_zero, atol=1e-3)
    assert np.allclose(above, at_zero, atol=1e-3)


def test_a_layer_the_model_does_not_have_is_refused():
    with pytest.raises(BlendError, match="there is no layer 4: the model's layers go from 0 to 3"):
        at("noir/L4")


def test_a_vector_that_is_zero_at_a_layer_is_refused():
    with pytest.raises(BlendError, match="zero at a steered layer"):
        at("zero", vectors={"zero": persona_vector("zero", np.zeros((4, 32)))})


def test_the_merged_vector_is_what_reaches_the_model(tiny):
    """The published code merged the vectors and then steered with the first of them."""
    tokens = mx.array([[3, 7, 11, 2]])
    added = directions(Blend.parse("noir+gothic+comic@2a/paper/L1"), VECTORS)
    residuals = []
    for steering in (Steering({}), Steering(stack([added]))):
        with steer(tiny.layers, steering), record(tiny.layers) as recording:
            tiny.model(tokens, cache=make_prompt_cache(tiny.model))
        residuals.append(np.array(recording.latest[1]))
    merged = np.mean([raw[1] for raw in RAW.values()], axis=0)
    assert np.allclose(residuals[1] - residuals[0], np.broadcast_to(2.0 * merged, residuals[0].shape), atol=1e-5)
