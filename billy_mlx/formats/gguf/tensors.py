"""The tensors of a GGUF file as MLX stores them: packed numbers with a scale and a bias per group, or plain floats.

In every kind a weight is `number * scale + bias`. Where 32 weights share scale and bias that is MLX's affine form, and
the numbers stay what they are. Q2_K and Q6_K have a scale for every 16 weights: they are quantised again, in 8 bits.
Block layouts: https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from billy_mlx.errors import ModelError
from billy_mlx.formats.gguf.header import GGUFTensor

GROUP_SIZE = 32
FLOAT_KINDS = ("F32", "F16", "BF16")
SCALES_ROUNDED = ("Q4_K", "Q5_K")  # a group's scale is a product that float16 cannot always hold
QUANTISED_AGAIN = ("Q2_K", "Q6_K")
BITS = {"Q4_0": 4, "Q4_1": 4, "Q5_0": 5, "Q5_1": 5, "Q8_0": 8, "Q4_K": 4, "Q5_K": 5, "Q2_K": 8, "Q6_K": 8}

Bytes = NDArray[Any]  # uint8, which numpy's types lose in a shift


class _Groups(NamedTuple):
    """`numbers` (blocks, groups, weights of a group) uint8; `scales` and `biases` (blocks, groups) float32."""

    numbers: Bytes
    scales: NDArray[np.float32]
    biases: NDArray[np.float32]


def float_dtype(tensors: Iterable[GGUFTensor]) -> mx.Dtype:
    """The one float type of the stored model, scales and norms included: a second type would widen every activation.

    float32 or bfloat16 when all matrices are stored so, else float16.
    """
    kinds = {tensor.kind for tensor in tensors if len(tensor.shape) > 1}
    if kinds <= {"F32"}:
        return mx.float32
    return mx.bfloat16 if kinds <= {"F32", "BF16"} else mx.float16


def stored_bytes(tensor: GGUFTensor, dtype: mx.Dtype) -> int:
    """How many bytes `read_tensor` will return."""
    weights = int(np.prod(tensor.shape, dtype=np.uint64))
    if tensor.kind in FLOAT_KINDS:
        return weights * dtype.size
    return weights * BITS[tensor.kind] // 8 + 2 * (weights // GROUP_SIZE) * dtype.size


def read_tensor(tensor: GGUFTensor, dtype: mx.Dtype) -> dict[str, mx.array]:
    """Return one tensor as `weight`, with `scales` and `biases` when it is quantised (affine, groups of 32).

    Raises:
        ModelError: a value is not finite in `dtype`.
    """
    raw = np.memmap(tensor.file, np.uint8, "r", tensor.start, (tensor.nbytes,))
    if tensor.kind in FLOAT_KINDS:
        arrays = {"weight": _floats(raw, tensor).astype(dtype)}
    else:
        arrays = _quantised(raw, tensor, dtype)
    for array in arrays.values():
        if array.dtype == dtype and not mx.isfinite(array).all().item():
            name = str(dtype).removeprefix("mlx.core.")
            raise ModelError(f"{tensor.name!r} in {tensor.file} holds values beyond {name}; get another file")
    return arrays


def changed_by(tensor: GGUFTensor, dtype: mx.Dtype) -> bool:
    """Whether a tensor of floats loses digits when stored as `dtype`."""
    raw = np.memmap(tensor.file, np.uint8, "r", tensor.start, (tensor.nbytes,))
    floats = _floats(raw, tensor).astype(mx.float32)
    return not bool(mx.array_equal(floats.astype(dtype).astype(mx.float32), floats))


def _floats(raw: Bytes, tensor: GGUFTensor) -> mx.array:
    if tensor.kind == "BF16":  # numpy has no such type
        return mx.array(raw.view(np.uint16)).view(mx.bfloat16).reshape(tensor.shape)
    return mx.array(raw.view(np.float32 if tensor.kind == "F32" else np.float16)).reshape(tensor.shape)


def _quantised(raw: Bytes, tensor: GGUFTensor, dtype: mx.Dtype) -> dict[str, mx.array]:
    groups = _READERS[tensor.kind](raw)
    rows = tensor.shape[:-1]
    if tensor.kind in QUANTISED_AGAIN:
        dense = groups.numbers * groups.scales[..., None] + groups.biases[..., None]
        again = mx.quantize(mx.array(dense.reshape(tensor.shape)).astype(dtype), GROUP_SIZE, BITS[tensor.kind])
        return dict(zip(("weight", "scales", "biases"), again, strict=True))
    packed = _pack(groups.numbers.reshape(-1, GROUP_SIZE), BITS[tensor.kind])
    return {
        "weight": mx.array(np.ascontiguousarray(packed).view(np.uint32).reshape(*rows, -1)),
        "scales": mx.array(groups.scales.reshape(*rows, -1)).astype(dtype),
        "biases": mx.array(groups.biases.reshape(*rows, -1)).astype(dtype),
    }


def _pack(numbers: Bytes, bits: int) -> Bytes:
    """Pack (N, 32) numbers into (N, 4 * bits) bytes, the lowest bits of the first byte first."""
    if bits == 8:
        return numbers
    if bits == 4:
        pairs: Bytes = numbers[:, 0::2] | numbers[:, 1::2] << 4
        return pairs
    words = np.zeros((len(numbers), 4), np.uint64)  # eight numbers of up to eight bits in each
    for place in range(8):
        words |= numbers[:, place::8].astype(np.uint64) << np.uint64(bits * place)
    return words.view(np.uint8).reshape(-1, 4, 8)[..., :bits].reshape(-1, 4 * bits)


def _halves(nibbles: Bytes) -> Bytes:
    """Unpack (..., n) bytes into (..., 2n) numbers: all low nibbles, then all high ones."""
    return np.concatenate([nibbles & 15, nibbles >> 4], axis=-1)


def _float16(blocks: Bytes, at: int) -> NDArray[np.float32]:
    """Read the float16 at byte `at` of every block, (blocks, 1)."""
    return np.ascontiguousarray(blocks[:, at : at + 2]).view(np.float16).astype(np.float32)


def _read_simple(raw: Bytes, *, block_bytes: int, has_bias: bool) -> _Groups:
    """Q4_0, Q4_1, Q5_0, Q5_1: scale, perhaps bias, perhaps 32 fifth bits, 16 bytes of nibbles."""
    blocks = raw.reshape(-1, block_bytes)
    numbers, middle = _halves(blocks[:, -16:]), 8
    if block_bytes >= 22:
        fifth = np.unpackbits(blocks[:, -20:-16], axis=1, bitorder="little")
        numbers, middle = numbers | fifth << 4, 16
    scales = _float16(blocks, 0)
    return _Groups(numbers[:, None], scales, _float16(blocks, 2) if has_bias else -middle * scales)


def _read_q8_0(raw: Bytes) -> _Groups:
    blocks = raw.reshape(-1, 34)
    scales = _float16(blocks, 0)
    return _Groups((blocks[:, 2:] ^ 128)[:, None], scales, -128 * scales)  # signed bytes, moved up by 128


def _read_q4_k(raw: Bytes) -> _Groups:
    blocks = raw.reshape(-1, 144)
    return _Groups(_halves(blocks[:, 16:].reshape(-1, 4, 32)).reshape(-1, 8, 32), *_k_scales(blocks))


def _read_q5_k(raw: Bytes) -> _Groups:
    blocks = raw.reshape(-1, 176)
    low = _halves(blocks[:, 48:].reshape(-1, 4, 32)).reshape(-1, 8, 32)
    # Bit g of byte i is the fifth bit of weight i in group g.
    fifth = np.unpackbits(blocks[:, 16:48, None], axis=2, bitorder="little").transpose(0, 2, 1)
    return _Groups(low | fifth << 4, *_k_scales(blocks))


def _k_scales(blocks: Bytes) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Eight scales and eight biases of six bits, times the block's two float16; the last four's top bits lie apart."""
    first, second, third = blocks[:, 4:8], blocks[:, 8:12], blocks[:, 12:16]
    scales = np.concatenate([first & 63, third & 15 | first >> 6 << 4], axis=1)
    minima = np.concatenate([second & 63, third >> 4 | second >> 6 << 4], axis=1)
    return _float16(blocks, 0) * scales, -_float16(blocks, 2) * minima


def _read_q2_k(raw: Bytes) -> _Groups:
    blocks = raw.reshape(-1, 84)
    quarters = [blocks[:, 16:80].reshape(-1, 2, 1, 32) >> shift & 3 for shift in (0, 2, 4, 6)]
    numbers = np.concatenate(quarters, axis=2).reshape(-1, 16, 16)
    scales, minima = blocks[:, :16] & 15, blocks[:, :16] >> 4
    return _Groups(numbers, _float16(blocks, 80) * scales, -_float16(blocks, 82) * minima)


def _read_q6_k(raw: Bytes) -> _Groups:
    blocks = raw.reshape(-1, 210)
    low = _halves(blocks[:, :128].reshape(-1, 2, 64))  # (blocks, halves, 128)
    high = np.concatenate([blocks[:, 128:192].reshape(-1, 2, 32) >> shift & 3 for shift in (0, 2, 4, 6)], axis=-1)
    scales = _float16(blocks, 208) * np.ascontiguousarray(blocks[:, 192:208]).view(np.int8)
    return _Groups((low | high << 4).reshape(-1, 16, 16), scales, -32 * scales)


_READERS: dict[str, Callable[[Any], _Groups]] = {
    "Q4_0": lambda raw: _read_simple(raw, block_bytes=18, has_bias=False),
    "Q4_1": lambda raw: _read_simple(raw, block_bytes=20, has_bias=True),
    "Q5_0": lambda raw: _read_simple(raw, block_bytes=22, has_bias=False),
    "Q5_1": lambda raw: _read_simple(raw, block_bytes=24, has_bias=True),
    "Q8_0": _read_q8_0,
    "Q2_K": _read_q2_k,
    "Q4_K": _read_q4_k,
    "Q5_K": _read_q5_k,
    "Q6_K": _read_q6_k,
}
