"""Sentences read in small steps, against each read at once."""

import numpy as np
import pytest

from billy_mlx.measure import sentence_scores
from billy_mlx.measure.activations import read
from billy_mlx.measure.sentence_scores import Scale, SentenceReader
from billy_mlx.model.prompt import going_on_prompt

TEXT = "It was Hé 日本 night. The rain 🙂 fell. On and on."


@pytest.fixture(params=["tiny", "hybrid"])
def model(request):
    return request.getfixturevalue(request.param)


def scores(model, scale):
    return list(SentenceReader(model, {"noir": scale}).read(TEXT))[-1]


def test_sentences_are_scored_as_each_is_after_all_before_it(model, monkeypatch):
    monkeypatch.setattr(sentence_scores, "_STEP", 7)
    direction, neutral = np.random.default_rng(0).normal(size=(2, 32)).astype(np.float32)
    found = scores(model, Scale(2, direction, neutral, 3.0))
    assert [TEXT[each.start : each.end] for each in found] == [
        "It was Hé 日本 night.",
        "The rain 🙂 fell.",
        "On and on.",
    ]
    before, whole = (
        going_on_prompt(model.tokenizer, TEXT[:end], user="Write a passage of a story.")
        for end in (found[1].end, len(TEXT))
    )
    mean = read(model, before, whole[len(before) :]).mean[2]
    expected = (mean - neutral) @ direction / np.linalg.norm(direction) / 3.0
    assert found[2].scores["noir"] == pytest.approx(float(expected), abs=1e-4)
