"""Vectors handed over in memory: the same tokens as from disk, and what is refused before anything is written."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.random_vectors import persona_vector

from billy_mlx.blend.blend import Blend
from billy_mlx.blend.recipe import Recipe
from billy_mlx.blend.writer import Writer, generate
from billy_mlx.errors import UsageError, VectorError, VectorMismatch
from billy_mlx.vectors.library import load_vectors, store_vector
from billy_mlx.vectors.measurements import Calibration, Cell

RECIPE = Recipe.of("Write about the sea.", max_tokens=12, seed=3)
CALIBRATION = Calibration(0.1, None, 3, Cell(1, 1 / 3, 1.5, 1.2, 1.0, 0.0, 0.9), 0.5, None, 16, "64 tokens")


def vector(tiny, persona_id="noir", seed=0):
    return persona_vector(persona_id, seed=seed, fingerprint=tiny.fingerprint)


def combined(tiny):
    """Return a difference, whose persona_id is words."""
    return vector(tiny) - 0.5 * vector(tiny, "gothic", seed=1)


def tokens(model, *blends, vectors=None):
    writer = Writer(model, [in_voice(blend) for blend in blends], vectors=vectors)
    for _ in writer:
        pass
    return [take.tokens for take in writer.takes()]


def in_voice(blend):
    return replace(RECIPE, voice=Blend.parse(blend))


def test_a_blend_of_a_sum_in_memory_is_that_of_its_file_token_for_token(tiny):
    given = tokens(tiny, "mine@5", "mine:2@3/raw", vectors={"mine": combined(tiny)})
    store_vector(replace(combined(tiny), persona_id="mine"))
    assert given == tokens(tiny, "mine@5", "mine:2@3/raw")


def test_ids_that_are_not_given_come_from_disk(tiny):
    store_vector(vector(tiny, "noir", seed=2))
    given = tokens(tiny, "mine:0.6+noir:0.4@5", vectors={"mine": combined(tiny)})
    store_vector(replace(combined(tiny), persona_id="mine"))
    assert given == tokens(tiny, "mine:0.6+noir:0.4@5")


def test_one_in_memory_comes_before_the_file(tiny):
    store_vector(vector(tiny, seed=0))
    from_file = generate(tiny, RECIPE, "noir@5").text
    in_memory = generate(tiny, RECIPE, "noir@5", vectors={"noir": vector(tiny, seed=4)}).text
    store_vector(vector(tiny, seed=4))
    assert in_memory == generate(tiny, RECIPE, "noir@5").text != from_file


def test_a_voice_goes_on_in_a_vector_in_memory(tiny):
    def steered(vectors):
        writer = Writer(tiny, [RECIPE], vectors=vectors)
        next(iter(writer))
        writer.steer(0, Blend.parse("mine@5"))
        for _ in writer:
            pass
        return [writer.take(0).tokens]

    given = steered({"mine": combined(tiny)})
    store_vector(replace(combined(tiny), persona_id="mine"))
    assert given == steered(None) != tokens(tiny, "mine@0")


def test_what_is_said_of_the_vectors_is_by_id_and_only_of_those_used(tiny):
    given = {"mine": combined(tiny), "other": vector(tiny)}
    writer = Writer(tiny, [in_voice("mine")], vectors=given)
    assert {name: each.persona_id for name, each in writer.vectors.items()} == {"mine": "mine"}
    assert given["mine"].persona_id == "noir - gothic"


def test_a_given_vector_is_what_its_file_would_be_to_the_last_bit(tiny):
    given = replace(vector(tiny), calibration=CALIBRATION, directions=vector(tiny).directions.astype(np.float64) / 3)
    (used,) = Writer(tiny, [in_voice("noir")], vectors={"noir": given}).vectors.values()
    store_vector(given)
    read = load_vectors(tiny, ["noir"])["noir"]
    assert used.calibration == read.calibration is not None
    assert all(used.tensors[name].dtype == np.float32 for name in read.tensors)
    assert all(np.array_equal(used.tensors[name], array) for name, array in read.tensors.items())


def test_another_base_is_refused_in_the_words_for_a_file(tiny):
    foreign = replace(combined(tiny), fingerprint=replace(tiny.fingerprint, base="c" * 16))
    with pytest.raises(VectorMismatch) as of_a_file:
        replace(foreign, persona_id="mine").require_base(tiny.id, tiny.fingerprint)
    with pytest.raises(VectorMismatch) as given:
        generate(tiny, RECIPE, "mine", vectors={"mine": foreign})
    assert str(given.value) == str(of_a_file.value)


def test_another_quantisation_of_the_base_is_taken(tiny):
    transferred = replace(vector(tiny), fingerprint=replace(tiny.fingerprint, weights="q" * 16))
    assert generate(tiny, RECIPE, "mine", vectors={"mine": transferred}).ended


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"directions": np.full((4, 32), np.nan, np.float32)}, "persona_vector holds a number that is not finite"),
        ({"directions": np.full((4, 32), -1e30, np.float32)}, r"persona_vector holds 1e\+30"),
        ({"directions": np.full((4, 32), 1e300)}, "persona_vector holds a number that is not finite"),
        ({"directions": np.zeros(32, np.float32)}, r"shape \(32,\), not \(layers, width\)"),
        ({"directions": np.zeros((4, 31), np.float32)}, r"neutral_mean is \(4, 32\), not \(4, 31\)"),
        ({"directions": np.zeros((4, 31), np.float32), "neutral_mean": None}, "4 layers of 31, .* says 4 of 32"),
        ({"directions": np.zeros((4, 32), np.int64)}, "persona_vector is of int64, not of floats"),
        ({"directions": [[0.0] * 32] * 4}, "persona_vector is a list, not a NumPy array"),
        ({"directions": None}, "persona_vector is a NoneType"),
        ({"residual_norm": np.zeros(4, np.float32)}, "residual_norm holds a number that is not positive"),
        ({"residual_norm": np.ones(3, np.float32)}, r"residual_norm is \(3,\), not \(4,\)"),
        ({"projection_scale": np.full(4, -1, np.float32)}, "projection_scale holds a negative number"),
        ({"calibration": replace(CALIBRATION, at_full=replace(CALIBRATION.at_full, layer=9))}, "its calibration"),
    ],
    ids=range(13),
)
def test_what_cannot_be_a_vector_is_refused_before_anything_is_written(tiny, changed, said):
    wrong = replace(vector(tiny), **changed)
    with pytest.raises(VectorError, match=f"^the vector given as mine cannot be used: .*{said}") as caught:
        Writer(tiny, [RECIPE], vectors={"mine": wrong})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("persona_id", ["noir - gothic", "Mine", "", "../evil", "evil\x1b[2J", "a" * 65, 3, None])
def test_an_id_that_no_blend_could_name_is_refused(tiny, persona_id):
    with pytest.raises(UsageError, match="cannot be the id of a vector; ids are lower-case letters") as caught:
        Writer(tiny, [RECIPE], vectors={persona_id: vector(tiny)})
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("value", [None, "noir", np.zeros((4, 32), np.float32)])
def test_a_value_that_is_no_vector_is_refused(tiny, value):
    with pytest.raises(UsageError, match=f"mine is given a {type(value).__name__}; give it a PersonaVector"):
        Writer(tiny, [RECIPE], vectors={"mine": value})


def test_vectors_without_their_ids_are_refused(tiny):
    for given in ([vector(tiny)], vector(tiny)):
        with pytest.raises(UsageError, match=r"vectors is a \w+; give each vector under an id"):
            generate(tiny, RECIPE, vectors=given)


def test_an_id_that_is_neither_given_nor_known_is_a_mistake_as_before(tiny):
    with pytest.raises(UsageError, match="noirr"):
        generate(tiny, RECIPE, "noirr", vectors={"mine": vector(tiny)})
