"""A pole on disk: the same answers again, and written again from wherever anything about a file is odd."""

import json

import numpy as np
import pytest
import safetensors.numpy
from helpers.random_vectors import FINGERPRINT

from billy_mlx.errors import BillyError, VectorError
from billy_mlx.extraction.pole import Pole, Rollout
from billy_mlx.measure.activations import Average

ASKED = [question for _ in range(2) for question in range(3)]
ANSWERS = [[question, f"answer {turn}"] for turn in range(2) for question in range(3)]
LENGTHS = np.array([4, 0, 1, 2, 3, 4], np.int64)
ARRAYS = {
    "mean": np.random.default_rng(0).normal(size=(6, 4, 32)).astype(np.float32),
    "norm": np.full((6, 4), 2.0, np.float32),
    "start": np.random.default_rng(1).normal(size=(6, 4, 32)).astype(np.float32),
    "counted": LENGTHS + 1,
    "lengths": LENGTHS,
    "tokens": np.arange(LENGTHS.sum(), dtype=np.int64),
}


def new_pole():
    return Pole("neutral", "key", ASKED, FINGERPRINT)


def rollouts():
    tokens = np.split(ARRAYS["tokens"], np.cumsum(LENGTHS)[:-1])
    rows = zip(ARRAYS["mean"], ARRAYS["norm"], ARRAYS["counted"].tolist(), ARRAYS["start"], strict=True)
    return [
        Rollout(question, text, tuple(own.tolist()), Average(*row))
        for (question, text), own, row in zip(ANSWERS, tokens, rows, strict=True)
    ]


@pytest.fixture
def kept():
    """The only file of a pole whose answers are all there."""
    pole = new_pole()
    pole.add(rollouts())
    (path,) = pole.folder.iterdir()
    return path


def changed(name, place, value):
    array = ARRAYS[name].copy()
    array[place] = value
    return {name: array}


def parts_of(rollout):
    return rollout.question, rollout.answer, rollout.tokens, rollout.average.tokens, rollout.average.mean.tolist()


def test_kept_answers_come_back_as_they_were(kept):
    (batch,) = new_pole()
    assert list(map(parts_of, batch)) == list(map(parts_of, rollouts()))
    assert all((rollout.average.norm == 2).all() for rollout in batch)


def test_a_pole_goes_on_from_the_last_whole_batch():
    first = new_pole()
    first.add(rollouts()[:2])
    again = new_pole()
    assert (len(again), again.done) == (6, 2)
    again.add(rollouts()[2:])
    assert [len(batch) for batch in new_pole()] == [2, 4]


def test_what_comes_after_a_damaged_file_is_written_again():
    pole = new_pole()
    for start in range(0, 6, 2):
        pole.add(rollouts()[start : start + 2])
    middle = sorted(pole.folder.iterdir())[1]
    middle.write_bytes(middle.read_bytes()[:-5])
    assert new_pole().done == 2


def test_a_discarded_pole_is_empty_again_and_can_be_written_to(kept):
    pole = new_pole()
    pole.discard()
    assert (pole.done, list(pole), new_pole().done) == (0, [], 0)
    pole.add(rollouts())
    assert [len(batch) for batch in new_pole()] == [6]


def test_answers_that_go_while_they_are_used_are_said(kept):
    pole = new_pole()
    new_pole().discard()
    with pytest.raises(VectorError, match=r"safetensors is gone or damaged; run the same command again"):
        list(pole)


def test_a_pole_that_cannot_be_kept_is_said(billy_home):
    billy_home.mkdir()
    (billy_home / "cache").write_text("no folder")
    with pytest.raises(BillyError, match="was not saved"):
        new_pole().add(rollouts())


def test_scores_are_kept_for_one_judge_and_criterion(kept):
    new_pole().save_scores("judge", "gothic", [5, None, 100.0])
    assert new_pole().scores("judge", "gothic") == [5, None, 100.0]
    assert new_pole().scores("other", "gothic") == new_pole().scores("judge", "noir") == []


@pytest.mark.parametrize(
    "text", ["", "5", "[" * 100_000, "[101]", "[-1]", '["5"]', "[NaN]", "[1,2,3,4,5,6,7]", "[true"]
)
def test_scores_that_make_no_sense_are_asked_for_again(kept, text):
    new_pole().save_scores("judge", "gothic", [])
    next(kept.parent.glob("*.json")).write_text(text)
    assert new_pole().scores("judge", "gothic") == []


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
        json.dumps([*ANSWERS, [0, "one more"]]),
        json.dumps([[*pair, 1] for pair in ANSWERS]),
        json.dumps([None] * 6),
        json.dumps([[[0], "answer"]] * 6),
        json.dumps([[question + 22, text] for question, text in ANSWERS]),
        json.dumps([[question, 5] for question, _ in ANSWERS]),
    ],
    ids=range(13),
)
def test_answers_that_make_no_sense_are_written_again(kept, text):
    kept.write_bytes(safetensors.numpy.save(ARRAYS, {"answers": text}))
    assert new_pole().done == 0


@pytest.mark.parametrize(
    "odd",
    [
        changed("mean", (1, 2, 3), np.nan),
        changed("mean", (1, 2, 3), -3e38),
        changed("norm", (1, 2), np.inf),
        changed("norm", (1, 2), -1),
        changed("counted", 1, -1),
        changed("lengths", 0, 5),
        changed("lengths", 1, -1),
        changed("tokens", 1, -1),
        {"mean": ARRAYS["mean"][:, :, :31]},
        {"mean": ARRAYS["mean"][:, :3], "norm": ARRAYS["norm"][:, :3]},
        {name: array[:5] for name, array in ARRAYS.items()},
        {"mean": ARRAYS["mean"].astype(np.float64)},
        {"counted": ARRAYS["counted"].astype(np.float32)},
    ],
)
def test_numbers_that_make_no_sense_are_written_again(kept, odd):
    kept.write_bytes(safetensors.numpy.save(ARRAYS | odd, {"answers": json.dumps(ANSWERS)}))
    assert new_pole().done == 0


@pytest.mark.parametrize("tensors", [{}, {"mean": ARRAYS["mean"]}])
def test_a_file_that_lacks_something_is_written_again(kept, tensors):
    kept.write_bytes(safetensors.numpy.save(tensors, {"answers": json.dumps(ANSWERS)}))
    assert new_pole().done == 0
    kept.write_bytes(safetensors.numpy.save(ARRAYS))
    assert new_pole().done == 0
