"""Bundles: cards, vectors and a blend in one file, of which nothing is believed that cannot be true."""

import json
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from helpers.random_vectors import persona_vector
from hypothesis import given, settings
from hypothesis import strategies as st

from billy_mlx.blend.blend import Blend
from billy_mlx.blend.directions import directions
from billy_mlx.errors import CardError, VectorError
from billy_mlx.vectors.bundle import FORMAT, Bundle, bundle_bytes, read_bundle
from billy_mlx.vectors.card import get_persona
from billy_mlx.vectors.measurements import Calibration, Cell, Judgement, Quality
from billy_mlx.vectors.vector_file import save_vector, to_content
from billy_mlx.vectors.vector_import import open_file

CELL = Cell(layer=1, dose=0.3, effect=1.0, perplexity=1.1, distinct=0.9, repetition=0.01, length=1.0)
CALIBRATION = Calibration(
    gentle=0.1, too_much=None, read_layer=3, at_full=CELL, effect_low=0.5, judged=None, prompts=8, made_with="it",
    cells=(CELL,),
)  # fmt: skip
VECTORS = {
    "gothic": replace(persona_vector("gothic", seed=1), neutral_mean=None, residual_norm=None),
    "noir": replace(
        persona_vector("noir"),
        calibration=CALIBRATION,
        judgement=Judgement("none"),
        quality=Quality((0.9,) * 4, (0.8,) * 4),
    ),
}
CARDS = {"noir": get_persona("noir")}
BLEND = "gothic:0.4+noir:0.6@1"
MADE = {"model_id": "tiny", "versions": "mlx 1", "date": "2026-01-01"}


def written(path, **changes):
    parts = {"vectors": VECTORS, "cards": CARDS, "blend": BLEND, "made": MADE} | changes
    path.write_bytes(bundle_bytes(parts["vectors"], parts["cards"], parts["blend"], parts["made"]))
    return path


def content(path):
    with safetensors.safe_open(path, framework="np") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118


def test_a_bundle_reads_back_whole(tmp_path):
    bundle = read_bundle(written(tmp_path / "harbour.safetensors"))
    assert (bundle.blend, bundle.cards, bundle.made) == (BLEND, CARDS, MADE)
    assert list(bundle.vectors) == ["gothic", "noir"]
    for persona_id, vector in bundle.vectors.items():
        arrays, metadata = to_content(vector)
        expected, said = to_content(VECTORS[persona_id])
        assert metadata == said
        assert all(np.array_equal(arrays[name], expected[name]) for name in arrays.keys() | expected.keys())


def test_its_blend_gives_the_same_directions(tmp_path):
    bundle = read_bundle(written(tmp_path / "harbour.safetensors"))
    blend = Blend.stored(bundle.blend)
    assert directions(blend, bundle.vectors).key == directions(blend, VECTORS).key != ""


def test_a_vectors_own_file_is_a_bundle_of_one(tmp_path):
    save_vector(VECTORS["noir"], tmp_path / "noir.safetensors")
    bundle = read_bundle(tmp_path / "noir.safetensors")
    assert (list(bundle.vectors), bundle.cards, bundle.blend) == (["noir"], {}, "")


def said_of(vector, **changes):
    return json.dumps(to_content(vector)[1] | changes)


CARD = "card.noir"
ROW = np.ones((4, 32), np.float32)


@pytest.mark.parametrize(
    ("tensors", "metadata", "said"),
    [
        ({}, {"format": "billy-bundle-9"}, "it says it is 'billy-bundle-9'"),
        ({}, {"format": None}, "it says it is 'nothing known'"),
        ({}, {"vector.gothic": None, "vector.noir": None}, "it says it holds 0 vectors"),
        ({}, {f"vector.v{n}": "{}" for n in range(64)}, "it says it holds 66 vectors"),
        ({}, {"vector.../evil": "{}"}, "'../evil' in it cannot be a persona's id"),
        ({}, {"vector.evil\x1b[2J": "{}"}, "evil␛"),
        ({}, {"vector.lyrical": "{}"}, "the vector of lyrical in it has only no tensors"),
        ({}, {"vector.noir": None}, "holds 'noir/neutral_mean', which is no part of its vectors"),
        ({}, {"vector.noir": "[]"}, "is not an object of texts"),
        ({}, {"vector.noir": '{"persona_id": 3}'}, "is not an object of texts"),
        ({}, {"vector.noir": "{"}, "cannot be imported"),
        ({}, {"vector.noir": "[" * 100_000}, "cannot be imported"),
        ({}, {"vector.noir": json.dumps({"a": "x" * (1 << 20)})}, "is not an object of texts"),
        ({}, {"vector.noir": said_of(VECTORS["gothic"])}, "has as the vector of noir says it is that of gothic"),
        ({}, {"vector.noir": said_of(VECTORS["noir"], calibration="{}")}, "its calibration cannot be"),
        (
            {},
            {"vector.noir": said_of(VECTORS["noir"], **{"fingerprint.layers": "5"})},
            "its model's fingerprint says 5 of 32",
        ),
        ({}, {"vector.noir": said_of(VECTORS["noir"], **{"fingerprint.base": "../.."})}, r"'\.\./\.\.' and"),
        ({}, {"vector.noir": said_of(VECTORS["noir"], **{"fingerprint.weights": "/"})}, "cannot be the fingerprint"),
        ({}, {"vector.noir": said_of(VECTORS["noir"], **{"fingerprint.base": "c" * 16})}, "belong to different models"),
        ({}, {"card.lyrical": "x"}, "a card for 'lyrical', and no vector"),
        ({}, {"card.gothic": "x" * 70_000}, "its card of gothic is larger than 64 KiB"),
        ({"noir/persona_vector": ROW * np.nan}, {}, "persona_vector holds a number that is not finite"),
        ({"noir/persona_vector": ROW[:3]}, {}, r"is \(4, 32\), not \(3, 32\)"),
        ({"noir/persona_vector": ROW.astype(np.float16)}, {}, "noir/persona_vector is F16, not F32"),
        ({"noir/persona_vector": None}, {}, "the vector of noir in it has only neutral_mean"),
        ({"noir/evil\x1b[2J": ROW}, {}, "noir/evil␛"),
        ({"stray": ROW}, {}, "it holds 'stray', which is no part"),
        ({"noir/../persona_vector": ROW}, {}, "which is no part"),
    ],
)
def test_a_bundle_that_cannot_be_true_is_refused(tmp_path, tensors, metadata, said):
    path = written(tmp_path / "bad.safetensors")
    arrays, own = content(path)
    kept = {name: array for name, array in (arrays | tensors).items() if array is not None}
    texts = {key: text for key, text in (own | metadata).items() if text is not None}
    path.write_bytes(safetensors.numpy.save(kept, texts))
    with pytest.raises(VectorError, match=said) as caught:
        read_bundle(path)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("text", ["", 'id = "gothic"', "[" * 2000, 'id = "\\u001b"'])
def test_a_card_that_breaks_a_rule_is_refused(tmp_path, text):
    path = written(tmp_path / "bad.safetensors")
    arrays, own = content(path)
    path.write_bytes(safetensors.numpy.save(arrays, own | {CARD: text}))
    with pytest.raises(CardError, match=r"bad.safetensors has a card that cannot be used: noir.toml"):
        read_bundle(path)


def test_the_blend_cannot_carry_an_escape(tmp_path):
    assert "\x1b" not in read_bundle(written(tmp_path / "b.safetensors", blend="noir\x1b[2J")).blend


def raw_safetensors(path, names):
    """Write a file whose header names tensors as `names` does, one name perhaps twice."""
    metadata = json.dumps({"format": FORMAT, "vector.noir": said_of(VECTORS["noir"])})
    entry = '{"dtype":"F32","shape":[4,32],"data_offsets":[0,512]}'
    header = f'{{"__metadata__":{metadata},' + ",".join(f'"{name}":{entry}' for name in names) + "}"
    path.write_bytes(len(header).to_bytes(8, "little") + header.encode() + ROW.tobytes())
    return path


@pytest.mark.parametrize("names", [["noir/persona_vector"] * 2, ["noir/persona_vector", "noir/projection_scale"]])
def test_tensors_of_one_name_or_on_the_same_numbers_are_refused(tmp_path, names):
    with pytest.raises(VectorError, match="cannot be imported"):
        read_bundle(raw_safetensors(tmp_path / "bad.safetensors", names))


@pytest.mark.parametrize("kept", [0, 8, 100, 3000, -1])
def test_a_bundle_that_is_cut_short_is_refused(tmp_path, kept):
    path = written(tmp_path / "bad.safetensors")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(VectorError, match="cannot be imported"):
        read_bundle(path)


@settings(max_examples=100)
@given(st.data())
def test_a_damaged_bundle_is_an_error_of_ours_or_a_bundle(tmp_path_factory, data):
    path = written(tmp_path_factory.getbasetemp() / "fuzzed.safetensors")
    whole = bytearray(path.read_bytes())
    header = 8 + int.from_bytes(whole[:8], "little")
    for at in data.draw(st.lists(st.integers(0, header - 1), min_size=1, max_size=6)):
        whole[at] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(whole))
    with suppress(VectorError, CardError):
        assert read_bundle(path).vectors


@pytest.mark.parametrize("more", range(0, 256, 8))
def test_a_bundle_is_told_by_its_first_bytes_however_long_its_header_is(tmp_path, more):
    path = written(tmp_path / "voice.safetensors", made=MADE | {"date": "2" * (more + 1)})
    assert isinstance(open_file(path), Bundle)
