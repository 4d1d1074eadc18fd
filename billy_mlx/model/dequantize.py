"""Dense weights for the CPU, where a quantised matmul is slow: 9 tokens/s against 17 for the starter model."""

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_unflatten
from mlx_lm.models.switch_layers import QuantizedSwitchLinear, SwitchLinear

_QUANTISED = (nn.QuantizedLinear, nn.QuantizedEmbedding, QuantizedSwitchLinear)


def dequantize(model: nn.Module) -> None:
    """Replace every quantised linear, expert and embedding layer of `model` by its float32 equal, in place.

    Weights are evaluated one by one and the packed ones let go, so that memory peaks little above the dense model.
    Whatever else the model holds keeps its dtype, and kinds of layers not named here stay quantised.
    Bits 2, 4 and 8 are unpacked as bytes, which takes half the time of `mx.dequantize` (starter model: 0.35 s
    against 0.8 s, first touch of the memory included) and gives the same bits.
    """
    dense_by_id: dict[int, nn.Module] = {}  # a layer that two blocks share stays shared
    for name, layer in model.named_modules():
        # Not isinstance: a subclass computes something else and needs its packed weights.
        if type(layer) not in _QUANTISED or getattr(layer, "global_scale", None) is not None:
            continue
        if id(layer) not in dense_by_id:
            dense_by_id[id(layer)] = _dense(layer)
            layer.clear()  # the list of modules holds the layer; its arrays go now
        model.update_modules(tree_unflatten([(name, dense_by_id[id(layer)])]))


def dense_weight(
    weight: mx.array, scales: mx.array, biases: mx.array | None, *, group_size: int, bits: int, mode: str = "affine"
) -> mx.array:
    """Return the float32 weight (..., out, in) that the packed `weight` (..., out, in * bits / 32) stands for.

    Args:
        scales: (..., out, in / group_size), of any float type; the arithmetic is float32.
        biases: the same shape; None in the modes that have none.

    With float16 or bfloat16 scales `q * scale` is exact in float32, so each weight is the correctly rounded
    `q * scale + bias`. float32 scales may differ from a fused multiply-add by one unit in the last place.
    """
    if mode != "affine" or biases is None:
        return mx.dequantize(weight, scales, biases, group_size, bits, mode, dtype=mx.float32)
    scales, biases = scales.astype(mx.float32), biases.astype(mx.float32)
    if bits not in (2, 4, 8):
        return mx.dequantize(weight, scales, biases, group_size, bits, mode)
    values = _unpack(weight.view(mx.uint8), bits).reshape(*scales.shape, group_size)
    dense = values.astype(mx.float32) * scales[..., None] + biases[..., None]
    return dense.reshape(*scales.shape[:-1], -1)


def _unpack(packed: mx.array, bits: int) -> mx.array:
    """Return the numbers in the bytes of `packed`, uint8; the lowest bits of a byte come first."""
    if bits == 8:
        return packed
    numbers = [(packed >> shift) & (2**bits - 1) for shift in range(0, 8, bits)]
    return mx.stack(numbers, axis=-1)


def _dense(layer: nn.Module) -> nn.Module:
    """Return the plain layer with the weights of the quantised `layer`, evaluated."""
    weight = dense_weight(
        layer.weight, layer.scales, layer.get("biases"), group_size=layer.group_size, bits=layer.bits, mode=layer.mode
    )
    mx.eval(weight)
    if isinstance(layer, nn.QuantizedEmbedding):
        dense: nn.Module = nn.Embedding(1, 1)
    elif isinstance(layer, nn.QuantizedLinear):
        dense = nn.Linear(1, 1, bias=False)
    else:
        dense = SwitchLinear(1, 1, 1, bias=False)
    dense.weight = weight
    if "bias" in layer:
        dense.bias = layer.bias.astype(mx.float32)
    return dense
