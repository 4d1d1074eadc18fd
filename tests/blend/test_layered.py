"""What a blend adds layer by layer: at each layer what the vectors there have over what was added below."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.known_vectors import CALIBRATED, IDS, RAW, VECTORS, residual_changes, shaped
from helpers.random_vectors import persona_vector
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.blend.blend import Blend
from billy_mlx.blend.directions import directions, full_strength, steered_layers
from billy_mlx.errors import BlendError
from billy_mlx.vectors.measurements import Outcome, Strength

DEEP = {persona_id: shaped(7, persona_id, seed) for seed, persona_id in enumerate(IDS)}
WEIGHTS = st.floats(-2, 2).map(lambda weight: round(weight, 2))


def added(text, vectors=DEEP):
    """Layer to what is added there."""
    return directions(Blend.parse(text), vectors).by_layer


def sums(by_layer):
    """Layer to all that has been added up to it."""
    return dict(zip(by_layer, np.cumsum(list(by_layer.values()), axis=0), strict=True))


def length(by_layer):
    """How long all of it is, laid end to end."""
    return float(np.linalg.norm(list(by_layer.values())))


def strong(persona_id, full):
    """The vector of a persona, with a strength of its own at a dose of 1."""
    outcome = Outcome(1.0, 1.2, 1.0, 0.0, 1.0)
    strength = Strength(full, "effect", 1.5, outcome, (0.5, 1.5), None, 16)
    return replace(DEEP[persona_id], strength=strength)


def planted(*layers):
    """A vector whose layers begin with these numbers, and are 0 in all else."""
    return persona_vector("noir", [[*layer, *[0.0] * (32 - len(layer))] for layer in layers])


HAND = {"a": planted([1, 0], [3, 0], [3, 4], [9, 9]), "b": planted([0, 2], [0, 2], [5, 2], [9, 9])}


def test_each_layer_adds_what_the_one_below_has_not_added_yet():
    one = added("a", HAND)
    assert {layer: direction[:2].tolist() for layer, direction in one.items()} == {1: [3.0, 0.0], 2: [0.0, 4.0]}
    half = added("a:0.25@-2/L0,1,3", HAND)
    assert [direction[:2].tolist() for direction in half.values()] == [[-0.5, 0.0], [-1.0, 0.0], [-3.0, -4.5]]


def test_a_hand_computed_merge_of_two():
    both = added("a:3+b:1@0.5", HAND)
    steps = {"a": np.array([[3, 0], [0, 4.0]]), "b": np.array([[0, 2], [5, 0.0]])}
    number = 4**2 / (3**2 + 1**2)
    expected = 0.5 * (3 * steps["a"] + steps["b"]) / 4 * number ** (1 / 6)
    assert np.allclose([both[1][:2], both[2][:2]], expected, atol=1e-6)


@pytest.mark.slow
@given(st.lists(WEIGHTS.filter(bool), min_size=3, max_size=3), st.sampled_from(["", "/L0,2,5", "/L4", "/L5,6"]))
def test_all_that_is_added_up_to_a_layer_is_the_merged_vector_there(weights, where):
    text = "+".join(f"{persona_id}:{weight}" for persona_id, weight in zip(IDS, weights, strict=True))
    reached = sums(added(f"{text}{where}"))
    merged = sum(weight * DEEP[persona_id].directions for persona_id, weight in zip(IDS, weights, strict=True))
    ratios = [np.linalg.norm(reached[layer]) / np.linalg.norm(merged[layer]) for layer in reached]
    for layer, ratio in zip(reached, ratios, strict=True):
        assert np.allclose(reached[layer], ratios[0] * merged[layer], atol=1e-4)
        assert ratio == pytest.approx(ratios[0], rel=1e-3)


def test_one_persona_adds_its_own_vector_at_its_own_strength():
    vectors = {"noir": strong("noir", 1.7)}
    for layer, reached in sums(added("noir:0.5@0.8", vectors)).items():
        assert np.allclose(reached, 0.5 * 0.8 * 1.7 * DEEP["noir"].directions[layer], atol=1e-5)
    assert full_strength(DEEP["noir"]) == 1.0
    assert full_strength(vectors["noir"]) == 1.7


def test_each_persona_of_a_blend_has_its_own_strength():
    vectors = {"noir": strong("noir", 2.0), "gothic": strong("gothic", 0.5)}
    twice = {"noir": DEEP["noir"] * 2.0, "gothic": DEEP["gothic"] * 0.5}
    for layer, direction in added("noir:0.7+gothic:0.3", vectors).items():
        assert np.allclose(direction, added("noir:0.7+gothic:0.3", twice)[layer], atol=1e-5)


@pytest.mark.parametrize(
    ("layers", "steered"), [(2, (1,)), (3, (1,)), (4, (1, 2)), (7, (1, 2, 3, 4, 5)), (32, tuple(range(1, 31)))]
)
def test_all_layers_but_the_first_and_the_last_are_steered_where_there_are_enough(layers, steered):
    assert steered_layers(Blend.parse("noir"), [shaped(layers)]) == steered
    by_layer = added("noir", {"noir": shaped(layers)})
    assert tuple(by_layer) == steered
    assert np.allclose(sums(by_layer)[steered[-1]], shaped(layers).directions[steered[-1]], atol=1e-5)


def test_what_was_calibrated_for_one_layer_moves_no_layer_of_it():
    assert directions(Blend.parse("noir+comic"), CALIBRATED).key == directions(Blend.parse("noir+comic"), VECTORS).key


@given(st.permutations(IDS))
def test_the_order_of_the_personas_does_not_matter(order):
    weight = dict(zip(IDS, ("0.5", "1", "-0.2"), strict=True))
    text = "+".join(f"{persona_id}:{weight[persona_id]}" for persona_id in order)
    assert directions(Blend.parse(text), DEEP).key == directions(Blend.parse("comic:.5+gothic+noir:-.2"), DEEP).key


@given(st.integers(0, 2), st.floats(-1, 1).map(lambda weight: round(weight, 2)))
def test_no_dial_on_its_way_makes_a_jump(which, weight):
    def at(weights):
        text = "+".join(f"{persona_id}:{each:.6f}" for persona_id, each in zip(IDS, weights, strict=True))
        return np.array(list(added(text).values()))

    weights = [0.6, 0.9, -0.4]
    before, after = (at([*weights[:which], weight + by, *weights[which + 1 :]]) for by in (-1e-4, 1e-4))
    assert np.linalg.norm(after - before) < 1e-3 * max(length(added(persona_id)) for persona_id in IDS)


def test_weights_are_amounts_alone_and_share_the_whole_together():
    alone = length(added("noir"))
    assert length(added("noir:0.25")) == pytest.approx(0.25 * alone)
    assert length(added("noir:3")) == pytest.approx(alone)
    assert length(added("noir:3+gothic:3")) == pytest.approx(length(added("noir:1+gothic:1")))
    assert length(added("noir:0.1+gothic:0.1")) == pytest.approx(0.2 * length(added("noir:0.5+gothic:0.5")))


def test_voices_with_nothing_in_common_are_each_more_than_their_share():
    """Two in equal parts: each has a half of the sixth root of 2, 0.56 and not 0.5."""
    apart = {"a": planted([0], [3], [3], [3]), "b": planted([0], [0, 2], [0, 2], [0, 2])}
    assert added("a:0.5+b:0.5", apart)[1][:2] == pytest.approx(
        [0.5 * 2 ** (1 / 6) * 3, 0.5 * 2 ** (1 / 6) * 2], rel=1e-6
    )


@pytest.mark.parametrize("weights", [(0.5, 0.5), (0.9, 0.1), (1, 1)])
def test_a_voice_under_two_names_is_no_louder_than_under_one(weights):
    twins = {"one": DEEP["noir"], "two": DEEP["noir"]}
    both = added(f"one:{weights[0]}+two:{weights[1]}", twins)
    assert length(both) == pytest.approx(length(added("one", twins)), rel=1e-6)


@pytest.mark.parametrize("weight", [-0.9, -0.99, -0.997])
def test_opposed_voices_stay_short(weight):
    twins = {"one": DEEP["noir"], "two": DEEP["noir"]}
    assert length(added(f"one:1+two:{weight}", twins)) < (1 + weight) * length(added("one", twins))


def test_weights_that_cancel_are_an_error_that_names_the_personas():
    twins = {"one": DEEP["noir"], "two": DEEP["noir"]}
    with pytest.raises(BlendError, match=r"one and two cancel each other.*change one of the weights"):
        added("one:1+two:-1", twins)
    with pytest.raises(BlendError, match="one and two cancel each other"):
        added("one:1+two:-0.9999", twins)


def test_a_small_weight_alone_is_no_cancellation():
    assert length(added("noir:1e-12")) == pytest.approx(1e-12 * length(added("noir")), rel=1e-5)


def test_a_vector_that_says_no_residual_norms_is_added_all_the_same():
    assert directions(Blend.parse("noir"), {"noir": shaped(7, norm=None)}).key == added_key("noir")


def added_key(text):
    return directions(Blend.parse(text), {"noir": shaped(7)}).key


def test_a_vector_of_another_tool_is_refused_by_its_name():
    foreign = DEEP | {"grim": replace(DEEP["noir"], persona_id="grim", neutral_mean=None)}
    with pytest.raises(BlendError, match=r"the vector of grim came from another tool's file.*use it .* with /raw"):
        added("noir+grim", foreign)
    assert added("noir+grim/raw", foreign)


def test_a_persona_that_has_nothing_at_the_steered_layers_is_refused():
    with pytest.raises(BlendError, match="a vector of noir is zero at a steered layer"):
        added("noir/L1,2", {"noir": persona_vector("noir", DEEP["noir"].directions[:4] * [[1], [0], [0], [1]])})


def test_what_is_added_is_float32_whatever_the_vectors_are_of():
    wide = {"noir": replace(DEEP["noir"], directions=DEEP["noir"].directions.astype(np.float64))}
    for vectors in (DEEP, wide):
        assert {direction.dtype for direction in added("noir", vectors).values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize(("text", "layers"), [("noir+gothic", (1, 2)), ("noir:0.5+comic:-0.5/L0,1,3", (0, 1, 3))])
def test_it_reaches_the_model_as_increments(tiny, text, layers):
    blend = Blend.parse(text)
    changes = residual_changes(tiny, directions(blend, VECTORS))
    merged = sum(weight * RAW[persona_id] for persona_id, weight in blend.weights)
    share = np.linalg.norm(changes[layers[0]][0]) / np.linalg.norm(merged[layers[0]])
    for layer, below in zip(layers, (None, *layers), strict=False):
        expected = merged[layer] - (0 if below is None else merged[below])
        assert np.allclose(changes[layer], share * expected, atol=1e-4)
