"""What lies between two poles, however many answers they have."""

import tracemalloc
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.random_vectors import FINGERPRINT

from billy_mlx.errors import VectorError
from billy_mlx.extraction.difference import vector_between
from billy_mlx.extraction.filtering import keep_all
from billy_mlx.extraction.pole import Pole, Rollout
from billy_mlx.measure.activations import Average
from billy_mlx.vectors.vector import Origin

MODEL = SimpleNamespace(id="tiny", fingerprint=replace(FINGERPRINT, layers=8, width=256))


def write_pole(name, turns, questions=4, offset=0.0):
    """A pole of random answers in batches of one turn each."""
    asked = [question for _ in range(turns) for question in range(questions)]
    pole = Pole(name, f"{name}-{turns}", asked, MODEL.fingerprint)
    random = np.random.default_rng(0)
    for _ in range(turns):
        means = [random.normal(size=(8, 256)).astype(np.float32) + offset for _ in range(questions)]
        averages = [Average(mean, np.ones(8, np.float32), 3, mean) for mean in means]
        pole.add([Rollout(question, "", (), average) for question, average in enumerate(averages)])
    return pole


def between(positive, neutral):
    return vector_between(MODEL, "noir", positive, neutral, keep_all(positive, neutral), Origin("tiny"))


def peak_of(turns):
    """Bytes that are taken at most while a vector is made of answers that are on disk already."""
    poles = write_pole("Noir", turns, offset=1.0), write_pole("neutral", turns)
    tracemalloc.start()
    between(*poles)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_answers():
    peak_of(2)  # what is imported on the way
    activations = 2 * 36 * 4 * 8 * 256 * 4  # bytes that 36 more turns bring, in two poles
    assert peak_of(40) - peak_of(4) < 0.05 * activations  # a few numbers for each answer, not its activations


def test_a_shift_of_all_answers_is_the_vector_and_separates_them():
    vector = between(write_pole("Noir", 3, offset=0.5), write_pole("neutral", 3))
    assert np.allclose(vector.directions, 0.5, atol=1e-5)
    assert vector.quality.held_out_auc == (1.0,) * 8


def test_a_single_question_cannot_be_held_out_from_itself():
    assert (
        between(write_pole("Noir", 3, questions=1, offset=1.0), write_pole("neutral", 3, questions=1)).quality is None
    )


def test_poles_without_a_question_in_common_give_no_vector():
    neutral = Pole("neutral", "other", [9], MODEL.fingerprint)
    neutral.add(
        [
            Rollout(
                9,
                "",
                (),
                Average(np.ones((8, 256), np.float32), np.ones(8, np.float32), 3, np.ones((8, 256), np.float32)),
            )
        ]
    )
    with pytest.raises(VectorError, match="no question was answered both with and without Noir"):
        between(write_pole("Noir", 1), neutral)
