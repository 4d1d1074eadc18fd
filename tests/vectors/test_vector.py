"""Vectors as values and as files: arithmetic, round trip, and every way a file can be wrong."""

import json
import math
from dataclasses import replace
from operator import add, mul, sub

import numpy as np
import pytest
import safetensors.numpy
from helpers.random_vectors import FINGERPRINT, persona_vector

from billy_mlx.blend.blend import Blend
from billy_mlx.blend.directions import directions
from billy_mlx.errors import BillyError, BlendError, VectorError, VectorMismatch
from billy_mlx.vectors.measurements import Calibration, Cell, Judgement, Quality
from billy_mlx.vectors.vector import PersonaVector
from billy_mlx.vectors.vector_file import load_vector, save_vector

FIELDS = ("directions", "neutral_mean", "residual_norm", "projection_scale")
NORMS = {"residual_norm": [4], "projection_scale": [4]}
EVIDENCE = {
    "judgement": Judgement("org/judge", auc=0.75, medians=(70.0, 30.5), filtered=True, judged=120),
    "quality": Quality(held_out_auc=(0.5, 0.75, 1.0, 0.9), split_half_cosine=(0.1, 0.5, 0.9, 0.8)),
    "calibration": Calibration(0.125, None, 3, Cell(2, 0.25, 1.5, 1.2, 1.0, 0.0, 0.9), 0.5, None, 16, "64 tokens"),
}


def test_vectors_are_values():
    a, b = persona_vector("a", seed=1), persona_vector("b", seed=2)
    assert np.allclose((a + b).directions, a.directions + b.directions)
    assert not (a - a).directions.any()
    assert np.allclose((2 * a).directions, (a * 2.0).directions)
    assert np.allclose((-a).projection_scale, a.projection_scale)
    assert np.allclose(sum([a, b]).directions, (a + b).directions)


@pytest.mark.parametrize(("operate", "other"), [(add, persona_vector("b")), (sub, persona_vector("b")), (mul, -2.0)])
def test_what_was_measured_of_a_vector_is_not_true_of_a_sum_or_a_multiple(operate, other):
    combined = operate(replace(persona_vector("a"), **EVIDENCE), other)
    assert [getattr(combined, name) for name in EVIDENCE] == [None] * 3
    assert np.array_equal(combined.residual_norm, persona_vector("a").residual_norm)


@pytest.mark.parametrize(
    ("aucs", "effect_low", "said"),
    [
        ((0.5, 0.5, 0.9), 1.0, "it can hardly be told from plain writing (0.50 of 1, and 0.5 is chance)"),
        ((0.5, 0.7, 0.9), 1.0, None),
        ((0.5, 0.8, 0.9), 0.0, "it does not show in what is written with it"),
        ((0.1, 0.1, 0.1), 0.0, "it can hardly be told from plain writing (0.10 of 1, and 0.5 is chance)"),
    ],
)
def test_a_vector_is_weak_where_something_measured_speaks_against_it(aucs, effect_low, said):
    calibration = replace(EVIDENCE["calibration"], effect_low=effect_low)
    vector = replace(persona_vector(), quality=Quality(aucs, (0.0, 0.0, 0.0)), calibration=calibration)
    assert vector.weakness == said


def test_a_vector_of_which_nothing_was_measured_is_not_weak():
    assert persona_vector().weakness is None


@pytest.mark.parametrize(("operate", "other"), [(add, 1), (add, None), (sub, 1), (mul, "2"), (mul, persona_vector())])
def test_vectors_combine_with_vectors_and_numbers_only(operate, other):
    for operands in ((persona_vector(), other), (other, persona_vector())):
        with pytest.raises(TypeError):
            operate(*operands)


@pytest.mark.parametrize("persona_id", ["a + b", "../../evil", "Noir", "", "evil\x1b[2J"])
def test_only_the_vector_of_a_persona_becomes_a_file(tmp_path, persona_id):
    with pytest.raises(VectorError, match="was not saved: its id is") as caught:
        save_vector(persona_vector(persona_id), tmp_path / "noir.safetensors")
    assert "\x1b" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("combine", [add, sub])
def test_a_sum_is_nobodys_vector_until_it_has_an_id_of_its_own(tmp_path, combine):
    both = combine(persona_vector("a"), persona_vector("b", seed=1))
    with pytest.raises(VectorError, match="give a sum an id of its own"):
        save_vector(both, tmp_path / "ab.safetensors")
    save_vector(replace(both, persona_id="ab"), tmp_path / "ab.safetensors")
    assert load_vector(tmp_path / "ab.safetensors").persona_id == "ab"


def test_vectors_of_different_models_do_not_add_up():
    other = replace(FINGERPRINT, base="c" * 16)
    with pytest.raises(VectorMismatch, match="cannot be combined"):
        persona_vector() + persona_vector(fingerprint=other)


def test_a_file_reads_back_to_the_same_vector(tmp_path):
    vector = persona_vector()
    save_vector(vector, tmp_path / "deep" / "noir.safetensors")
    read = load_vector(tmp_path / "deep" / "noir.safetensors")
    assert (read.persona_id, read.fingerprint, read.origin) == (vector.persona_id, vector.fingerprint, vector.origin)
    assert all(np.array_equal(getattr(read, name), getattr(vector, name)) for name in FIELDS)


@pytest.mark.parametrize("name", [*EVIDENCE, "all"])
def test_a_file_carries_what_was_measured_and_nothing_that_was_not(tmp_path, name):
    known = EVIDENCE if name == "all" else {name: EVIDENCE[name]}
    save_vector(replace(persona_vector(), **known), tmp_path / "noir.safetensors")
    read = load_vector(tmp_path / "noir.safetensors")
    assert {each: getattr(read, each) for each in EVIDENCE} == dict.fromkeys(EVIDENCE) | known


def test_what_another_tools_file_does_not_say_stays_unknown(tmp_path):
    vector = replace(persona_vector(), neutral_mean=None, residual_norm=None)
    save_vector(vector, tmp_path / "noir.safetensors")
    read = load_vector(tmp_path / "noir.safetensors")
    assert (read.neutral_mean, read.residual_norm) == (None, None)
    assert np.array_equal(read.directions, vector.directions)


def test_another_base_is_refused_with_the_command_that_extracts_it_again():
    with pytest.raises(VectorMismatch, match="run: billy extract noir --model org/other"):
        persona_vector().require_base("org/other", replace(FINGERPRINT, base="c" * 16))


def test_a_file_that_only_says_it_has_the_models_base_is_refused():
    for claimed in (replace(FINGERPRINT, width=1), replace(FINGERPRINT, layers=1)):
        vector = persona_vector(fingerprint=claimed)
        with pytest.raises(VectorMismatch, match=r"of 32; run: billy extract noir --model tiny"):
            vector.require_base("tiny", FINGERPRINT)
        with pytest.raises(VectorMismatch, match="cannot be combined"):
            persona_vector() + vector


def test_another_quantisation_of_the_base_is_transferred():
    quantised = replace(FINGERPRINT, weights="q" * 16)
    persona_vector().require_base("org/4bit", quantised)
    assert persona_vector().is_transferred_to(quantised)
    assert not persona_vector().is_transferred_to(FINGERPRINT)


def tensors(**changed):
    vector = persona_vector()
    names = ("persona_vector", "neutral_mean", "residual_norm", "projection_scale")
    arrays = {name: getattr(vector, field) for name, field in zip(names, FIELDS, strict=True)}
    return {name: array for name, array in (arrays | changed).items() if array is not None}


def metadata(tmp_path):
    save_vector(persona_vector(), tmp_path / "good.safetensors")
    with safetensors.safe_open(tmp_path / "good.safetensors", framework="np") as file:
        return file.metadata()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"persona_vector": np.full((4, 32), np.nan, np.float32)}, "persona_vector holds a number that is not finite"),
        ({"residual_norm": np.array([1, 2, np.inf, 4], np.float32)}, "residual_norm holds a number that is not finite"),
        ({"residual_norm": np.zeros(4, np.float32)}, "not positive"),
        ({"residual_norm": np.full(4, 3e38, np.float32)}, r"residual_norm holds 3e\+38"),
        ({"persona_vector": np.full((4, 32), -1e30, np.float32)}, r"persona_vector holds 1e\+30"),
        ({"neutral_mean": np.full((4, 32), 1e9, np.float32)}, r"neutral_mean holds 1e\+09"),
        ({"projection_scale": np.array([1, 0, -1, 1], np.float32)}, "projection_scale holds a negative number"),
        ({"neutral_mean": np.zeros((4, 31), np.float32)}, r"neutral_mean is \(4, 31\), not \(4, 32\)"),
        ({"persona_vector": np.zeros((4, 32), np.float16)}, "persona_vector is F16"),
        ({"persona_vector": np.zeros(4, np.float32)}, r"shape \(4,\)"),
        ({"persona_vector": np.zeros((0, 0), np.float32)}, r"shape \(0, 0\)"),
        ({"projection_scale": None}, "it holds neutral_mean, persona_vector"),
        ({"evil\x1b[2J": np.zeros(1, np.float32)}, "evil␛"),
    ],
)
def test_tensors_that_are_not_a_persona_vector_are_refused(tmp_path, changed, said):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(safetensors.numpy.save(tensors(**changed), metadata(tmp_path)))
    with pytest.raises(VectorError, match=said) as caught:
        load_vector(path)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(("dtype", "size"), [("BF16", 2), ("F8_E4M3", 1), ("F64", 8)])
def test_a_type_that_is_not_float32_is_refused_before_it_is_read(tmp_path, dtype, size):
    header, place = {"__metadata__": metadata(tmp_path)}, 0
    for name, shape in {"persona_vector": [4, 32], "neutral_mean": [4, 32], **NORMS}.items():
        end = place + math.prod(shape) * size
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [place, end]}
        place = end
    text = json.dumps(header).encode()
    (tmp_path / "bad.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + bytes(place))
    with pytest.raises(VectorError, match=f"neutral_mean is {dtype}"):
        load_vector(tmp_path / "bad.safetensors")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"persona_id": "../../evil"}, "its id is '../../evil'"),
        ({"persona_id": "a + b"}, r"its id is 'a \+ b'"),
        ({"format": "something-else"}, "something-else"),
        ({"fingerprint.layers": "many"}, "lacks the fingerprint"),
        ({"fingerprint.layers": "5"}, "its model's fingerprint says 5 of 32"),
    ],
)
def test_metadata_that_does_not_fit_is_refused(tmp_path, changed, said):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(safetensors.numpy.save(tensors(), metadata(tmp_path) | changed))
    with pytest.raises(VectorError, match=said):
        load_vector(path)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"judgement": "{"}, "what it says of its judgement cannot be: Expecting property name"),
        ({"judgement": "[" * 100_000}, "what it says of its judgement cannot be: it is nested too deeply"),
        ({"judgement": '{"judge": 5}'}, "what it says of its judgement cannot be: judge is not a text"),
        ({"judgement": "\x1b]52;c;aGk=\x07"}, "what it says of its judgement cannot be"),
        ({"quality": "x" * 300_000}, "what it says of its quality cannot be: it is too long"),
        ({"quality": '{"held_out_auc": [1]}'}, "what it says of its quality cannot be: held_out_auc is not 4 numbers"),
        ({"calibration": "5"}, "what it says of its calibration cannot be: it is not a JSON object"),
        ({"calibration": '{"gentle": NaN}'}, "gentle is nan, and goes from 0 to 1000; extract it again or remove"),
    ],
    ids=range(8),
)
def test_evidence_that_cannot_be_is_refused_in_a_clean_sentence(tmp_path, changed, said):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(safetensors.numpy.save(tensors(), metadata(tmp_path) | changed))
    with pytest.raises(VectorError, match=said) as caught:
        load_vector(path)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_metadata_cannot_carry_an_escape(tmp_path):
    path = tmp_path / "evil.safetensors"
    path.write_bytes(safetensors.numpy.save(tensors(), metadata(tmp_path) | {"model_id": "\x1b]52;c;aGk=\x07"}))
    assert "\x1b" not in load_vector(path).origin.model_id


@pytest.mark.parametrize("kept", [0, 4, 8, 100, -1])
def test_a_truncated_file_is_an_error_of_ours(tmp_path, kept):
    path = tmp_path / "noir.safetensors"
    save_vector(persona_vector(), path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(VectorError, match="cannot be used as a persona vector"):
        load_vector(path)


def test_a_missing_file_and_a_folder_are_errors_of_ours(tmp_path):
    for path in (tmp_path / "none.safetensors", tmp_path):
        with pytest.raises(VectorError):
            load_vector(path)


def test_a_full_disk_is_said_and_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "noir.safetensors"
    save_vector(persona_vector(), path)
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(BillyError, match="was not saved: No space left on device"):
        save_vector(persona_vector(seed=5), path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["noir.safetensors"]


def test_directions_of_ones_own_are_written_with_as_they_are(tiny):
    mine = np.random.default_rng(0).normal(size=(4, 32)).astype(np.float32)
    vector = PersonaVector.of(tiny, "mine", mine)
    added = directions(Blend.parse("mine:0.5@2a/raw/L1,3"), {"mine": vector}).by_layer
    assert {layer: np.allclose(own, mine[layer], atol=1e-6) for layer, own in added.items()} == {1: True, 3: True}


@pytest.mark.parametrize("mode", ["raw", "paper", "layered", "balanced", "orthogonal"])
def test_directions_of_ones_own_say_enough_for_two_modes(tiny, mode):
    vectors = {"mine": PersonaVector.of(tiny, "mine", np.ones((4, 32)))}
    if mode in ("raw", "paper"):
        assert directions(f"mine/{mode}/L2", vectors).by_layer
    else:
        with pytest.raises(BlendError):
            directions(f"mine/{mode}/L2", vectors)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (np.zeros((3, 32)), "of shape"),
        (np.zeros(32), "of shape"),
        (np.full((4, 32), np.nan), "not finite"),
        (np.full((4, 32), 1e12), "nothing in a model goes beyond"),
    ],
    ids=["too few layers", "no layers", "not numbers", "too large"],
)
def test_directions_that_no_model_has_are_refused(tiny, wrong, said):
    with pytest.raises(VectorError, match=said):
        PersonaVector.of(tiny, "mine", wrong)


def test_directions_under_a_name_that_is_no_id_are_refused(tiny):
    with pytest.raises(VectorError, match="ids are lower-case"):
        PersonaVector.of(tiny, "My Voice", np.zeros((4, 32)))
