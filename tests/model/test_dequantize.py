import mlx.core as mx
import mlx.nn as nn
import pytest
from mlx.utils import tree_flatten
from mlx_lm.models import llama
from mlx_lm.models.switch_layers import SwitchLinear

from billy_mlx.model.load import dense_weight, dequantize

AFFINE = [
    (bits, group, dtype) for bits in (2, 3, 4, 5, 6, 8) for group in (32, 64, 128) for dtype in ("float16", "bfloat16")
]


def as_float32(array):
    return array if array is None or array.dtype == mx.uint8 else array.astype(mx.float32)


@pytest.mark.parametrize(("bits", "group", "dtype"), AFFINE)
def test_weights_equal_those_of_mlx_bit_for_bit(bits, group, dtype):
    weight, scales, biases = mx.quantize(mx.random.normal((3, 64, 256)).astype(getattr(mx, dtype)), group, bits)
    dense = dense_weight(weight, scales, biases, group_size=group, bits=bits)
    assert dense.dtype == mx.float32
    assert mx.array_equal(dense, mx.dequantize(weight, as_float32(scales), as_float32(biases), group, bits))


@pytest.mark.parametrize(("mode", "bits", "group"), [("mxfp4", 4, 32), ("mxfp8", 8, 32), ("nvfp4", 4, 16)])
def test_modes_without_biases_become_float32_as_well(mode, bits, group):
    weight, scales = mx.quantize(mx.random.normal((64, 256)), group, bits, mode)
    dense = dense_weight(weight, scales, None, group_size=group, bits=bits, mode=mode)
    assert dense.dtype == mx.float32
    assert mx.array_equal(dense, mx.dequantize(weight, scales, None, group, bits, mode).astype(mx.float32))


class Mixed(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Linear(64, 64)
        self.blocks = [self.shared, nn.Linear(64, 64, bias=False), self.shared]
        self.experts = SwitchLinear(64, 32, 4)
        self.embedding = nn.Embedding(10, 64)
        self.norm = nn.RMSNorm(64)


def outputs(model):
    x, chosen = mx.ones((2, 64)), mx.array([[0, 3], [1, 2]])
    return [*(block(x) for block in model.blocks), model.experts(x[:, None, None], chosen), model.embedding(chosen)]


def test_every_kind_of_layer_computes_the_same_after():
    model = Mixed()
    nn.quantize(model, group_size=32, bits=4)
    before = outputs(model)
    dequantize(model)
    assert [type(layer) for layer in (model.blocks[1], model.experts, model.embedding)] == [
        nn.Linear,
        SwitchLinear,
        nn.Embedding,
    ]
    assert all(mx.allclose(old, new, atol=1e-4) for old, new in zip(before, outputs(model), strict=True))


def test_a_shared_layer_stays_shared():
    model = Mixed()
    model.shared = nn.QuantizedLinear(64, 64)
    model.blocks = [model.shared, nn.Linear(64, 64), model.shared]
    dequantize(model)
    assert type(model.shared) is nn.Linear
    assert model.blocks[0] is model.blocks[2]
    assert model.blocks[0] is model.shared


def test_a_subclass_of_a_quantised_layer_stays_as_it_is():
    class Fused(nn.QuantizedLinear):
        pass

    model = Mixed()
    model.blocks[1] = Fused(64, 64)
    dequantize(model)
    assert type(model.blocks[1]) is Fused


def test_a_whole_model_gives_its_logits_in_float32():
    args = llama.ModelArgs("llama", 64, 2, 128, 4, 1e-5, 100, num_key_value_heads=2)
    model, ids = llama.Model(args), mx.array([[1, 2, 3]])
    nn.quantize(model, group_size=32, bits=4)
    before = model(ids)
    dequantize(model)
    assert mx.allclose(model(ids), before, atol=1e-4)
    assert not [name for name, _ in tree_flatten(model.parameters()) if name.endswith(("scales", "biases"))]
