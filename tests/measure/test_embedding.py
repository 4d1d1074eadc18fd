"""Texts as vectors, by the loaded model and by a sentence-embedding model that is there or not."""

import sys
from types import ModuleType

import numpy as np
import pytest

from billy_mlx.measure import embedding
from billy_mlx.measure.activations import read
from billy_mlx.measure.embedding import _ASKED, centred, own_embedder, sentence_embedder
from billy_mlx.model.prompt import going_on_prompt
from billy_mlx.steps import finish

TEXTS = ["A kite of brick.", "", "The sea sings.", "A kite of brick."]


@pytest.fixture
def sentences(monkeypatch):
    """A package that embeds a text as its length and 1, and remembers what it was asked to load."""

    class SentenceTransformer:
        asked = []  # noqa: RUF012

        def __init__(self, name, *, local_files_only):
            self.asked.append((name, local_files_only))
            if not name.endswith("whole"):
                raise OSError("no model.safetensors")

        def encode(self, texts, *, show_progress_bar, convert_to_numpy):
            assert (show_progress_bar, convert_to_numpy) == (False, True)
            return np.array([[len(text), 1] for text in texts], np.float32)

    package = ModuleType("sentence_transformers")
    package.SentenceTransformer = SentenceTransformer
    package.__spec__ = sys.__spec__
    monkeypatch.setitem(sys.modules, "sentence_transformers", package)
    return SentenceTransformer


def test_a_text_is_its_mean_residual_a_little_below_the_middle(tiny):
    rows = finish(own_embedder(tiny).embed(TEXTS))
    before = going_on_prompt(tiny.tokenizer, "", user=_ASKED)
    said = tiny.tokenizer.encode("The sea sings.", add_special_tokens=False)
    assert rows.shape == (4, 32)
    assert rows.dtype == np.float32
    assert np.allclose(rows[2], read(tiny, before, said).mean[1], atol=1e-4)


def test_copies_are_read_once_and_an_empty_text_is_zero(tiny):
    steps = own_embedder(tiny).embed(TEXTS)
    assert list(steps)[-1] == 3
    rows = finish(own_embedder(tiny).embed(TEXTS))
    assert rows[0].tolist() == rows[3].tolist()
    assert not rows[1].any()


def test_no_texts_have_no_rows(tiny):
    assert len(finish(own_embedder(tiny).embed([]))) == 0


def test_many_texts_are_read_some_at_a_time(tiny, monkeypatch):
    texts = [f"idea {number}" for number in range(7)]
    whole = finish(own_embedder(tiny).embed(texts))
    monkeypatch.setattr(embedding, "_AT_ONCE", 3)
    steps = list(own_embedder(tiny).embed(texts))
    assert steps == sorted(steps)
    assert steps[-1] == 7
    assert np.allclose(finish(own_embedder(tiny).embed(texts)), whole, atol=1e-4)


def test_a_text_does_not_depend_on_those_beside_it(tiny):
    alone, together = (finish(own_embedder(tiny).embed(texts))[0] for texts in (TEXTS[:1], TEXTS))
    assert np.allclose(alone, together, atol=1e-4)


def test_a_text_longer_than_the_context_is_cut_to_it(tiny):
    rows = finish(own_embedder(tiny).embed(["sea " * 600, "sea " * 900]))
    assert rows.any()
    assert np.allclose(rows[0], rows[1], atol=1e-4)


def test_an_embedder_says_which_layer_it_reads(tiny):
    assert own_embedder(tiny).name == f"{tiny.id}, layer 1"


def test_centred_rows_have_length_1_and_lose_what_they_share():
    rows = centred(np.array([[100, 1], [100, -1], [101, 0], [99, 0]], np.float32))
    assert np.allclose(rows, [[0, 1], [0, -1], [1, 0], [-1, 0]])
    assert rows.dtype == np.float32


def test_rows_without_a_text_stay_zero_and_move_no_mean():
    rows = centred(np.array([[5, 1], [0, 0], [5, -1]], np.float32))
    assert rows.tolist() == [[0, 1], [0, 0], [0, -1]]
    assert not centred(np.zeros((2, 3), np.float32)).any()


def test_centring_a_single_row_or_none_leaves_no_nan():
    assert centred(np.ones((1, 3), np.float32)).tolist() == [[0, 0, 0]]
    assert centred(np.ones((0, 3), np.float32)).shape == (0, 3)


def test_without_the_package_there_is_no_sentence_embedder(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    assert sentence_embedder(str(tmp_path)) is None


def test_a_model_that_is_not_on_this_machine_is_not_asked_for(sentences):
    assert sentence_embedder("nobody/has-this-model") is None
    assert sentence_embedder("not a name") is None
    assert sentences.asked == []


def test_a_model_of_which_a_part_is_missing_is_none(sentences, tmp_path):
    assert sentence_embedder(str(tmp_path)) is None


def test_sentences_are_embedded_from_local_files_only(sentences, tmp_path):
    folder = tmp_path / "whole"
    folder.mkdir()
    embedder = sentence_embedder(str(folder))
    assert sentences.asked == [(str(folder), True)]
    assert embedder.name == str(folder)
    assert finish(embedder.embed(["four", "", "three", "four"])).tolist() == [[4, 1], [0, 0], [5, 1], [4, 1]]
    assert list(embedder.embed([str(number) for number in range(200)])) == [128, 200]
    assert len(finish(embedder.embed([]))) == 0
