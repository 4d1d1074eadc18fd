"""Vectors of persona_vectors, whose rows begin with the embedding, and its traits, which become cards."""

import json
import pickle

import numpy as np
import pytest
from helpers.foreign_files import tensor_pickle, write_json, write_torch, write_torch_zip
from helpers.random_vectors import FINGERPRINT

from billy_mlx.errors import BillyError, CardError, VectorError, VectorMismatch
from billy_mlx.formats.vectors.torch_file import read_rows
from billy_mlx.vectors.card import read_card
from billy_mlx.vectors.new_card import write_card
from billy_mlx.vectors.vector_import import open_file, to_vector

LAYERS, WIDTH = FINGERPRINT.layers, FINGERPRINT.width
ROWS = np.random.default_rng(0).normal(size=(LAYERS + 1, WIDTH)).astype(np.float32)
TRAIT = {
    "instruction": [{"pos": f"Be salty, way {n}.", "neg": f"Be fresh, way {n}."} for n in range(5)],
    "questions": [f"Question {n}?" for n in range(20)],
    "eval_prompt": "Judge how salty it is. Salt shows.\n\nQuestion:\n[{question}]\n\nAnswer:{answer}\n\nOne number.",
}


def test_block_b_is_row_b_plus_1_and_the_last_block_is_unknown(tmp_path):
    rows = read_rows(write_torch(tmp_path / "salty_response_avg_diff.pt", ROWS))
    vector = to_vector(rows, "salty", "tiny", FINGERPRINT, None)
    for block in range(LAYERS - 1):
        assert np.array_equal(vector.directions[block], ROWS[block + 1])
    assert not vector.directions[-1].any()
    assert vector.origin.source == "persona_vectors: salty_response_avg_diff.pt"


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((LAYERS + 1, WIDTH - 1), "has rows of width 31, but tiny has 32"),
        ((LAYERS + 2, WIDTH), "has 6 rows, but tiny has 4 layers, for which there are 4 or 5"),
        ((LAYERS - 1, WIDTH), "has 3 rows, but tiny has 4 layers"),
    ],
)
def test_rows_of_another_model_are_refused_with_both_numbers(tmp_path, shape, said):
    rows = read_rows(write_torch(tmp_path / "salty.pt", np.ones(shape)))
    with pytest.raises(VectorMismatch, match=said):
        to_vector(rows, "salty", "tiny", FINGERPRINT, None)


@pytest.mark.parametrize(("value", "said"), [(np.nan, "not finite"), (np.inf, "not finite"), (2e8, "holds 2e.08")])
def test_numbers_that_no_model_has_are_refused(tmp_path, value, said):
    rows = read_rows(write_torch(tmp_path / "salty.pt", np.full_like(ROWS, value)))
    with pytest.raises(VectorError, match=said):
        to_vector(rows, "salty", "tiny", FINGERPRINT, None)


def test_a_double_beyond_float32_is_refused(tmp_path):
    pickled = tensor_pickle(ROWS.shape, (WIDTH, 1), kind="Double")
    path = write_torch_zip(tmp_path / "salty.pt", pickled, {"data/0": np.full(ROWS.shape, 1e300).tobytes()})
    with pytest.raises(VectorError, match="persona_vector holds a number that is not finite"):
        to_vector(read_rows(path), "salty", "tiny", FINGERPRINT, None)


def trait(tmp_path, **changes):
    changed = {key: value for key, value in (TRAIT | changes).items() if value is not None}
    return open_file(write_json(tmp_path / "salty.json", changed))


def test_a_trait_becomes_a_card_with_its_prompts_and_what_shows_it(tmp_path):
    read = trait(tmp_path)
    persona = read.as_persona("salty", "Old Salt", tmp_path / "cards")
    write_card(persona.source, persona)
    card = read_card(tmp_path / "cards" / "salty.toml")
    assert card.prompts == tuple(pair["pos"] for pair in TRAIT["instruction"])
    assert (card.name, card.rubric, card.group) == ("Old Salt", "Judge how salty it is. Salt shows.", "imported")
    assert "Be fresh" not in (tmp_path / "cards" / "salty.toml").read_text()
    assert read.questions == 20


@pytest.mark.parametrize(
    ("told", "rubric"),
    [
        (None, None),
        ("", None),
        ("{question}", None),
        ("No place for an answer.", "No place for an answer."),
        ("Judge {answer} for salt.", "Judge"),
        ("salt " * 400 + "\n\n{answer}", ("salt " * 300)[:-1]),
        ("x" * 2000, "x" * 1500),
        ("Salt\x1b[2J shows.", "Salt␛[2J shows."),
    ],
)
def test_what_a_judge_is_told_is_cut_to_what_shows_the_trait(tmp_path, told, rubric):
    assert trait(tmp_path, eval_prompt=told).as_persona("salty", "Salty", tmp_path).rubric == rubric


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"instruction": TRAIT["instruction"][:4]}, "has 4 instructions, and a card has 5 prompts"),
        ({"instruction": TRAIT["instruction"] * 2}, "has 10 instructions"),
        ({"instruction": "be salty"}, "has 0 instructions"),
        ({"instruction": [{"pos": 1}] * 5}, "an instruction whose pos is not text"),
        ({"instruction": [["pos"]] * 5}, "an instruction whose pos is not text"),
        ({"instruction": [{"pos": "Be salty."}] * 5}, "cannot become a card: .*has the same entry twice"),
        ({"instruction": [{"pos": n * "x"} for n in range(1498, 1503)]}, "prompts, entry 4, must have 1 to 1500"),
        ({"eval_prompt": ["x"]}, "its eval_prompt is not text"),
    ],
)
def test_a_trait_that_cannot_be_a_card_is_refused(tmp_path, changes, said):
    with pytest.raises(BillyError, match=said) as caught:
        trait(tmp_path, **changes).as_persona("salty", "Salty", tmp_path)
    assert isinstance(caught.value, CardError | VectorError)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "is not JSON"),
        (b'{"instruction": NaN}', "has 0 instructions"),
        (b"[" * 100_000, "is nested too deeply"),
        (b'{"instruction": "\xff"}', "is not JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "is not JSON"),
        (b"{" + b" " * (1 << 20), "at most 1,048,576"),
        (b"hello", "it is none of: control vector"),
        (b"", "it is none of: control vector"),
        (pickle.dumps({}), "PyTorch before 1.6"),
    ],
)
def test_what_is_no_trait_is_refused(tmp_path, content, said):
    (tmp_path / "salty.json").write_bytes(content)
    with pytest.raises(BillyError, match=said):
        open_file(tmp_path / "salty.json")


def test_a_trait_may_begin_with_a_byte_order_mark(tmp_path):
    (tmp_path / "salty.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(TRAIT).encode())
    assert len(open_file(tmp_path / "salty.json").prompts) == 5
