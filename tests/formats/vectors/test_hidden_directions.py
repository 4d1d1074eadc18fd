"""Vectors of hidden-directions, whose rows are blocks, and its tables of residual norms."""

import json

import numpy as np
import pytest
from helpers.foreign_files import write_json, write_torch
from helpers.random_vectors import FINGERPRINT

from billy_mlx.blend.blend import Blend
from billy_mlx.blend.directions import directions
from billy_mlx.errors import BlendError, VectorError
from billy_mlx.formats.vectors.torch_file import read_rows
from billy_mlx.vectors.vector_import import open_file, to_vector

LAYERS, WIDTH = FINGERPRINT.layers, FINGERPRINT.width
ROWS = np.random.default_rng(0).normal(size=(LAYERS, WIDTH)).astype(np.float32)
NORMS = [2.0, 3.0, 5.0, 7.0]
BY_LAYER = {str(layer): norm for layer, norm in enumerate(NORMS)}


def test_block_b_is_row_b(tmp_path):
    vector = to_vector(read_rows(write_torch(tmp_path / "v_pref.pt", ROWS)), "pref", "tiny", FINGERPRINT, None)
    assert np.array_equal(vector.directions, ROWS)
    assert vector.origin.source == "hidden-directions: v_pref.pt"


@pytest.mark.parametrize(
    "document", [NORMS, BY_LAYER, {"model": "org/m", "norms": BY_LAYER}, {"tokens": 512, "layers": NORMS}]
)
def test_norms_are_a_list_or_by_layer_alone_or_in_an_object(tmp_path, document):
    norms = open_file(write_json(tmp_path / "h_norms.json", document))
    assert norms.as_layers("tiny", LAYERS).tolist() == NORMS


def test_with_norms_a_dose_is_in_them_and_without_it_is_refused(tmp_path):
    rows = read_rows(write_torch(tmp_path / "v_pref.pt", ROWS))
    norms = open_file(write_json(tmp_path / "h_norms.json", NORMS)).as_layers("tiny", LAYERS)
    with_norms, without = (to_vector(rows, "pref", "tiny", FINGERPRINT, each) for each in (norms, None))
    added = directions(Blend.parse("pref@0.5r/balanced/L2"), {"pref": with_norms}).by_layer[2]
    assert np.isclose(np.linalg.norm(added), 0.5 * NORMS[2])
    with pytest.raises(BlendError, match="came from another tool's file"):
        directions(Blend.parse("pref@0.5r/balanced/L2"), {"pref": without})


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (NORMS[:2], "has norms for 2 layers, but tiny has 4"),
        ([1.0, *NORMS], "has norms for 5 layers, but tiny has 4"),
        ({"2": 5.0}, "has norms for 1 layers"),
        ({"0": 1, "1": 1, "2": 1, "7": 1}, "has norms for 4 layers, but tiny has 4"),
        ({}, "neither a trait nor a table"),
        ([], "neither a trait nor a table"),
        ({"a": 1.0}, "neither a trait nor a table"),
        ({"1": "x"}, "neither a trait nor a table"),
        ([True, 1.0], "neither a trait nor a table"),
        ({"1": 1.0, "01": 2.0}, "neither a trait nor a table"),
        ({"a": NORMS, "b": NORMS}, r"\(2 are in it\)"),
        ([1.0, 0, 1, 1], "for layer 1 is not the norm"),
        ([1.0, -3, 1, 1], "for layer 1 is not the norm"),
        ([1.0, 1, 1e9, 1], "for layer 2 is not the norm"),
        ([1.0, 1, float("nan"), 1], "for layer 2 is not the norm"),
        ([1.0, 1, float("inf"), 1], "for layer 2 is not the norm"),
        ([1.0, 1, 1, 10**400], "for layer 3 is not the norm"),
    ],
)
def test_a_table_that_cannot_be_the_models_is_refused(tmp_path, document, said):
    (tmp_path / "h_norms.json").write_text(json.dumps(document))
    with pytest.raises(VectorError, match=said):
        open_file(tmp_path / "h_norms.json").as_layers("tiny", LAYERS)
