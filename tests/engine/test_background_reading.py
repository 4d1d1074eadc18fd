"""Paragraphs scored in the background, and known again."""

import pytest
from helpers.random_vectors import persona_vector

from billy_mlx.engine.jobs import JobContext
from billy_mlx.engine.messages import Job, Read
from billy_mlx.engine.reading import reading
from billy_mlx.errors import VectorError
from billy_mlx.vectors.library import store_vector

TEXT = "It was night. The rain fell."


@pytest.fixture
def shared(tiny):
    return JobContext(tiny, lambda name: None)


def steps(shared):
    return list(reading(shared, Read(Job(1), (TEXT,))))


def test_a_paragraph_is_read_once(shared, tiny):
    store_vector(persona_vector("noir", fingerprint=tiny.fingerprint))
    first, second = steps(shared), steps(shared)
    assert first[-1] == second[-1]
    assert [list(each.scores) for each in first[-1].sentences] == [["noir"], ["noir"]]
    assert len(second) < len(first)


def test_without_vectors_a_paragraph_has_no_scores(shared):
    assert steps(shared)[-1].sentences == ()


def test_a_vector_that_vanishes_while_it_is_looked_at_is_told_and_the_next_reading_goes_on(shared, tiny, monkeypatch):
    path = store_vector(persona_vector("noir", fingerprint=tiny.fingerprint))
    found = {"noir": path.with_name("gothic.safetensors")}
    with monkeypatch.context() as patch:
        patch.setattr("billy_mlx.engine.reading.find_all", lambda fingerprint: found)
        with pytest.raises(VectorError, match=r"gothic.safetensors cannot be read any more"):
            steps(shared)
    assert steps(shared)[-1].sentences
