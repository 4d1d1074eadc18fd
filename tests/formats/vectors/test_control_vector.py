"""Control vectors in GGUF: llama.cpp's rule, both ways, and what it and we refuse."""

import os
import struct
from contextlib import suppress

import mlx.core as mx
import numpy as np
import pytest
from helpers.foreign_files import write_control_vector, write_gguf
from helpers.random_vectors import FINGERPRINT, persona_vector
from hypothesis import given, settings
from hypothesis import strategies as st
from mlx_lm.models.cache import make_prompt_cache

from billy_mlx.blend.blend import Blend
from billy_mlx.blend.directions import directions
from billy_mlx.errors import VectorError, VectorMismatch
from billy_mlx.formats.vectors.control_vector import (
    MAX_FILE_BYTES,
    control_vector_bytes,
    read_control_vector,
)
from billy_mlx.model.layers import Steering, record, stack, steer
from billy_mlx.vectors.vector_import import doubt_about, to_vector

LAYERS, WIDTH = FINGERPRINT.layers, FINGERPRINT.width


def random_directions(seed, layers=(1, 2, 3)):
    random = np.random.default_rng(seed)
    return {layer: random.normal(size=WIDTH).astype(np.float32) for layer in layers}


X, Y = random_directions(1), random_directions(2, (2, 3))


def llama_cpp(files):
    """What llama.cpp adds to each block's output, from files as (strength, {N: direction}): its two steps by hand."""
    buffer = np.zeros(WIDTH * LAYERS, np.float32)
    for strength, file in files:
        for n, direction in file.items():
            buffer[WIDTH * (n - 1) : WIDTH * n] += direction * np.float32(strength)  # direction.1 comes first
    tensors = [None]  # there is never one for block 0
    for il in range(1, LAYERS):
        tensors.append(buffer[WIDTH * (il - 1) : WIDTH * il])
    return tensors


@pytest.fixture
def imported(tmp_path):
    files = {"x": write_control_vector(tmp_path / "x.gguf", X), "y": write_control_vector(tmp_path / "y.gguf", Y)}
    return {name: to_vector(read_control_vector(path), name, "tiny", FINGERPRINT, None) for name, path in files.items()}


@pytest.mark.parametrize(("x", "y"), [(1, 1), (0.5, 0.25), (0.5, -2)])
def test_a_blend_of_files_is_what_llama_cpp_makes_of_them(imported, x, y):
    added = directions(Blend.parse(f"x:{x}+y:{y}/raw/all"), imported)
    expected = llama_cpp([(x, X), (y, Y)])
    assert added.everywhere
    assert sorted(added.by_layer) == [1, 2, 3]
    assert all(np.array_equal(direction, expected[layer]) for layer, direction in added.by_layer.items())


def test_strengths_that_float32_rounds_differ_in_the_last_place_only(imported):
    added = directions(Blend.parse("x:0.7+y:0.3/raw/all"), imported)
    expected = llama_cpp([(0.7, X), (0.3, Y)])
    for layer, direction in added.by_layer.items():
        assert np.allclose(direction, expected[layer], rtol=0, atol=4e-7)


def test_that_is_what_reaches_every_block_at_every_token(imported, tiny):
    added = directions(Blend.parse("x:0.5+y:0.25/raw/all"), imported)
    steering = Steering(stack([added]), start=0)
    with record(tiny.blocks) as before, steer(tiny.blocks, steering), record(tiny.blocks) as after:
        tiny.model(mx.array([[3, 7, 11, 2]]), cache=make_prompt_cache(tiny.model))
    expected = [0, *llama_cpp([(0.5, X), (0.25, Y)])[1:]]
    for layer in range(LAYERS):
        difference = np.array(after.latest[layer] - before.latest[layer])
        assert np.allclose(difference, np.broadcast_to(expected[layer], difference.shape), atol=1e-5)


def test_steered_minus_unsteered_is_the_direction_at_the_first_steered_layer(imported, tiny):
    streams = []
    for added in ({}, stack([directions(Blend.parse("x:0.5/raw/all"), imported)])):
        with steer(tiny.blocks, Steering(added)), record(tiny.blocks) as recording:
            tiny.model(mx.array([[3, 7, 11, 2]]), cache=make_prompt_cache(tiny.model))
        streams.append(np.array(recording.latest[1]))
    difference = streams[1] - streams[0]
    assert np.allclose(difference, np.broadcast_to(np.float32(0.5) * X[1], difference.shape), atol=1e-5)


def test_direction_n_is_for_block_n_and_the_others_are_zero(tmp_path):
    vector = to_vector(read_control_vector(write_control_vector(tmp_path / "y.gguf", Y)), "y", "m", FINGERPRINT, None)
    assert not vector.directions[:2].any()
    assert all(np.array_equal(vector.directions[layer], Y[layer]) for layer in (2, 3))
    assert (vector.neutral_mean, vector.residual_norm, vector.calibration) == (None, None, None)
    assert vector.origin.source == "control vector: y.gguf"


def test_float16_is_read_too(tmp_path):
    halves = {1: X[1].astype(np.float16)}
    read = read_control_vector(write_control_vector(tmp_path / "x.gguf", halves))
    assert np.array_equal(read.by_layer[1], halves[1].astype(np.float32))


@pytest.mark.parametrize(
    ("architecture", "hint", "contradicts"),
    [
        ("controlvector", "llama", False),
        ("steeringvector", "llama", False),
        ("controlvector", None, False),
        ("llama", None, False),
        ("controlvector", "Lla-ma", False),
        ("controlvector", "qwen2", True),
        ("steeringvector", "qwen2", True),
    ],
)
def test_a_file_may_say_what_it_is_for_and_is_doubted_if_it_is_for_something_else(
    tmp_path, architecture, hint, contradicts
):
    read = read_control_vector(write_control_vector(tmp_path / "x.gguf", X, hint=hint, architecture=architecture))
    doubt = doubt_about(read, "org/model", FINGERPRINT)
    assert doubt == ("x.gguf says it is for qwen2, but org/model is llama" if contradicts else None)


def test_a_hint_cannot_carry_an_escape(tmp_path):
    read = read_control_vector(write_control_vector(tmp_path / "x.gguf", X, hint="\x1b]0;evil\x07"))
    assert read.model_hint == "␛]0;evil"


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ({4: X[1]}, "x.gguf has a direction for layer 4, but tiny has 4 layers, from 0 to 3"),
        ({1: X[1][:-1]}, "has directions of width 31, but tiny has 32"),
    ],
)
def test_a_file_for_another_model_is_refused_with_both_numbers(tmp_path, added, said):
    read = read_control_vector(write_control_vector(tmp_path / "x.gguf", added))
    with pytest.raises(VectorMismatch, match=said):
        to_vector(read, "x", "tiny", FINGERPRINT, None)


ROW = X[1].tobytes()
NAN = np.full(WIDTH, np.nan, np.float32)


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        ({}, "it holds no direction"),
        ({"direction.0": X[1]}, "has direction.0, which no control vector can"),
        ({"direction.1": X[1], "output.weight": X[1]}, "holds 'output.weight', and a control vector has only"),
        ({"direction.-1": X[1]}, "holds 'direction.-1'"),
        ({"direction.01": X[1]}, "holds 'direction.01'"),
        ({"direction.99999999999": X[1]}, "holds 'direction.99999999999'"),
        ({"direction.1\x1b[2J": X[1]}, "direction.1␛"),
        ({"direction.1": X[1], "direction.2": X[1][:8]}, "not of one width"),
        ({"direction.1": ("F32", (2, 16), ROW)}, r"direction.1 has the shape \(2, 16\), not \(width,\)"),
        ({"direction.1": ("BF16", (WIDTH,), ROW[:64])}, "direction.1 is BF16, not F32 or F16"),
        ({"direction.1": ("Q8_0", (1, WIDTH), ROW[:34])}, "direction.1 is Q8_0, not F32 or F16"),
        ({"direction.1": ("F32", (2**40,), ROW)}, "is cut short"),
        ({"direction.1": NAN}, "holds values beyond float32"),
        ({"direction.1": NAN * 0 + np.inf}, "holds values beyond float32"),
    ],
)
def test_a_file_that_llama_cpp_or_sense_refuses_is_refused(tmp_path, tensors, said):
    path = write_gguf(tmp_path / "bad.gguf", {"general.architecture": "controlvector"}, tensors)
    with pytest.raises(VectorError, match=said) as caught:
        read_control_vector(path)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(("row", "said"), [(np.full(WIDTH, 1e9), "holds 1e.09"), (np.zeros(WIDTH), "but zeros")])
def test_numbers_that_cannot_be_a_direction_are_refused(tmp_path, row, said):
    read = read_control_vector(write_control_vector(tmp_path / "bad.gguf", {1: row.astype(np.float32)}))
    with pytest.raises(VectorError, match=said):
        to_vector(read, "x", "tiny", FINGERPRINT, None)


def test_two_directions_for_a_layer_are_refused(tmp_path):
    path = write_gguf(tmp_path / "bad.gguf", {}, {"direction.1": X[1], "direction.2": X[2]})
    path.write_bytes(path.read_bytes().replace(b"direction.2", b"direction.1"))
    with pytest.raises(VectorError, match="two tensors of the same name"):
        read_control_vector(path)


@pytest.mark.parametrize("place", [8, 16])
def test_a_count_that_the_file_has_no_room_for_is_refused(tmp_path, place):
    path = write_control_vector(tmp_path / "bad.gguf", X)
    data = bytearray(path.read_bytes())
    struct.pack_into("<Q", data, place, 1 << 60)
    path.write_bytes(bytes(data))
    with pytest.raises(VectorError, match="is damaged: its header has 1,152,921,504,606,846,976"):
        read_control_vector(path)


def test_a_model_is_refused_with_the_command_for_models(tmp_path):
    small = write_gguf(tmp_path / "model.gguf", {"general.architecture": "llama"}, {"token_embd.weight": X[1]})
    large = tmp_path / "large.gguf"
    large.write_bytes(b"GGUF")
    os.truncate(large, MAX_FILE_BYTES + 1)
    for path in (small, large):
        with pytest.raises(VectorError, match="billy model import"):
            read_control_vector(path)


def test_what_is_written_reads_back_to_the_bit(tmp_path):
    vector = persona_vector()
    path = tmp_path / "noir.gguf"
    path.write_bytes(control_vector_bytes(dict(enumerate(vector.directions)), "llama"))
    read = read_control_vector(path)
    assert (sorted(read.by_layer), read.model_hint) == ([1, 2, 3], "llama")
    again = to_vector(read, "noir", "tiny", FINGERPRINT, None)
    assert np.array_equal(again.directions[1:], vector.directions[1:])
    assert not again.directions[0].any()


def test_a_layer_of_zeros_is_left_out(tmp_path):
    path = tmp_path / "y.gguf"
    path.write_bytes(control_vector_bytes({1: X[1], 2: np.zeros(WIDTH, np.float32)}, "llama"))
    assert list(read_control_vector(path).by_layer) == [1]


@pytest.mark.slow
@settings(max_examples=150)
@given(st.data())
def test_a_damaged_file_is_an_error_of_ours_or_a_vector(tmp_path_factory, data):
    path = write_control_vector(tmp_path_factory.getbasetemp() / "fuzzed.gguf", X)
    whole = bytearray(path.read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=8)):
        whole[at] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(whole[: data.draw(st.integers(0, len(whole))) or None]))
    with suppress(VectorError):
        vector = to_vector(read_control_vector(path), "x", "tiny", FINGERPRINT, None)
        assert np.isfinite(vector.directions).all()
