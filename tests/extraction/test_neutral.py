"""The kept neutral pole: the same answers again, or none where anything about the file is odd."""

import json

import numpy as np
import pytest
import safetensors.numpy
from vectors import FINGERPRINT

from billy_mlx import paths
from billy_mlx.extraction.card import load_questions
from billy_mlx.extraction.neutral import load_neutral, save_neutral
from billy_mlx.extraction.rollouts import Rollout, RolloutSettings
from billy_mlx.measure.averages import Average

FEW = RolloutSettings(questions=3, rollouts=2, max_tokens=5)
ANSWERS = [[question, f"answer {turn}"] for turn in range(2) for question in range(3)]
ARRAYS = {
    "mean": np.random.default_rng(0).normal(size=(6, 4, 32)).astype(np.float32),
    "norm": np.full((6, 4), 2.0, np.float32),
    "tokens": np.array([5, 0, 1, 2, 3, 5], np.int64),
}


def load():
    return load_neutral(FINGERPRINT, load_questions(), FEW)


def rollouts():
    rows = zip(ARRAYS["mean"], ARRAYS["norm"], ARRAYS["tokens"], strict=True)
    return [Rollout(question, text, Average(*row)) for (question, text), row in zip(ANSWERS, rows, strict=True)]


@pytest.fixture
def kept():
    """The file of an answered neutral pole."""
    save_neutral(rollouts(), FINGERPRINT, load_questions(), FEW)
    (path,) = (paths.cache_folder() / "neutral").iterdir()
    return path


def changed(name, place, value):
    array = ARRAYS[name].copy()
    array[place] = value
    return {name: array}


def test_kept_answers_come_back_as_they_were(kept):
    for loaded, saved in zip(load(), rollouts(), strict=True):
        assert (loaded.question, loaded.answer, loaded.average.tokens) == (
            saved.question,
            saved.answer,
            saved.average.tokens,
        )
        assert np.array_equal(loaded.average.mean, saved.average.mean)
        assert np.array_equal(loaded.average.norm, saved.average.norm)


def test_without_a_file_there_are_no_answers():
    assert load() is None


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "5",
        "null",
        "{}",
        "[" * 100_000,
        "9" * 5000,
        json.dumps(ANSWERS[:5]),
        json.dumps([[*pair, 1] for pair in ANSWERS]),
        json.dumps([None] * 6),
        json.dumps([[[0], "answer"]] * 6),
        json.dumps([[question + 22, text] for question, text in ANSWERS]),
        json.dumps([[question, 5] for question, _ in ANSWERS]),
    ],
    ids=lambda text: text[:40],
)
def test_answers_that_make_no_sense_are_written_again(kept, text):
    kept.write_bytes(safetensors.numpy.save(ARRAYS, {"answers": text}))
    assert load() is None


@pytest.mark.parametrize(
    "odd",
    [
        changed("mean", (1, 2, 3), np.nan),
        changed("mean", (1, 2, 3), -3e38),
        changed("norm", (1, 2), np.inf),
        changed("norm", (1, 2), -1),
        changed("tokens", 1, -1),
        {"mean": ARRAYS["mean"][:, :, :31]},
        {"mean": ARRAYS["mean"][:, :3], "norm": ARRAYS["norm"][:, :3]},
        {name: array[:5] for name, array in ARRAYS.items()},
        {"mean": ARRAYS["mean"].astype(np.float64)},
        {"tokens": ARRAYS["tokens"].astype(np.float32)},
    ],
)
def test_numbers_that_make_no_sense_are_written_again(kept, odd):
    kept.write_bytes(safetensors.numpy.save(ARRAYS | odd, {"answers": json.dumps(ANSWERS)}))
    assert load() is None


@pytest.mark.parametrize("tensors", [{}, {"mean": ARRAYS["mean"]}])
def test_a_file_that_lacks_something_is_written_again(kept, tensors):
    kept.write_bytes(safetensors.numpy.save(tensors, {"answers": json.dumps(ANSWERS)}))
    assert load() is None
    kept.write_bytes(safetensors.numpy.save(ARRAYS))
    assert load() is None
