"""Which mlx-lm model a GGUF file holds: its config.json, and what each tensor is called there."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten
from numpy.typing import NDArray

from billy_mlx.errors import ModelError
from billy_mlx.formats.gguf.header import GGUFHeader

ROPE_FACTORS = "rope_freqs.weight"


@dataclass(frozen=True)
class _Family:
    """How an architecture differs from the others."""

    model_class: str
    rope_traditional: bool  # llama.cpp stores q and k so that a rotated pair is adjacent; for the others it does not
    own_head_dim: bool


_FAMILIES = {
    "llama": _Family("LlamaForCausalLM", rope_traditional=True, own_head_dim=True),
    "qwen2": _Family("Qwen2ForCausalLM", rope_traditional=False, own_head_dim=False),
    "qwen3": _Family("Qwen3ForCausalLM", rope_traditional=False, own_head_dim=True),
}

# What mlx-lm's classes of these families do not do, and the value that asks for nothing.
_UNSUPPORTED: dict[str, object] = {
    "expert_count": 0,
    "attention.scale": 0.0,
    "attention.causal": True,
    "attention.clamp_kqv": 0.0,
    "attention.sliding_window": 0,
    "attn_logit_softcapping": 0.0,
    "final_logit_softcapping": 0.0,
    "logit_scale": 1.0,
    "embedding_scale": 1.0,
    "residual_scale": 1.0,
}

_OUTSIDE = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
_INSIDE = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def model_config(header: GGUFHeader, rope_factors: NDArray[np.float32] | None) -> dict[str, Any]:
    """Return the config.json of the model, without what only the tokenizer and the stored weights know.

    Args:
        rope_factors: (head_dim / 2,) the tensor ROPE_FACTORS, if the file has it.

    Raises:
        ModelError: an architecture, or a variant of one, that mlx-lm does not compute as the file wants it.
    """
    name = header.metadata.get("general.architecture")
    if not isinstance(name, str) or name not in _FAMILIES:
        known = ", ".join(_FAMILIES)
        raise ModelError(f"{header.path} holds a model of the architecture {name!r}; only {known} can be imported")
    family, keys = _FAMILIES[name], _Keys(header, name)
    keys.refuse_unsupported()
    heads = keys.count("attention.head_count", most=4096)
    width = keys.count("embedding_length", most=1 << 20)
    head_dim = keys.count("attention.key_length", most=4096, default=width // heads)
    keys.require("attention.value_length", head_dim)
    keys.require("rope.dimension_count", head_dim)
    if not family.own_head_dim:
        keys.require("attention.key_length", width // heads)
    kv_heads = keys.count("attention.head_count_kv", most=heads, default=heads)
    if heads % kv_heads or head_dim % 2:
        raise ModelError(f"{header.path} has {heads} heads of {head_dim} over {kv_heads}; that fits no {name}")
    if "token_embd.weight" not in header.tensors:
        raise ModelError(f"{header.path} lacks 'token_embd.weight'; get the file again")
    config: dict[str, Any] = {
        "model_type": name,
        "architectures": [family.model_class],
        "hidden_size": width,
        "num_hidden_layers": keys.count("block_count", most=1024),
        "intermediate_size": keys.count("feed_forward_length", most=1 << 20),
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "max_position_embeddings": keys.count("context_length", most=1 << 30),
        "rms_norm_eps": keys.number("attention.layer_norm_rms_epsilon"),
        "rope_theta": keys.number("rope.freq_base", default=10000.0),
        "vocab_size": header.tensors["token_embd.weight"].shape[0],
        "tie_word_embeddings": "output.weight" not in header.tensors,
        "attention_bias": "blk.0.attn_q.bias" in header.tensors,
    }
    if family.own_head_dim:
        config["head_dim"] = head_dim
    if family.rope_traditional:
        config["rope_traditional"] = True
    scaling = keys.rope_scaling(config["rope_theta"], head_dim, rope_factors)
    return config | ({"rope_scaling": scaling} if scaling else {})


def stored_names(header: GGUFHeader, config: Mapping[str, Any]) -> dict[str, str]:
    """Return the name in mlx-lm of every tensor, checked against the model that mlx-lm builds from `config`.

    Raises:
        ModelError: a tensor is missing, left over, or of another shape than the model's.
    """
    wanted, model = _shapes(config), config["model_type"]
    names = {tensor: _mlx_name(tensor) for tensor in header.tensors if tensor != ROPE_FACTORS}
    for tensor, name in names.items():
        shape = header.tensors[tensor].shape
        if name not in wanted:
            raise ModelError(f"{header.path} holds {tensor!r}, which no {model} has; it cannot be imported")
        if shape != wanted[name]:
            raise ModelError(f"{tensor!r} in {header.path} is {shape} instead of {wanted[name]}; get the file again")
    missing = sorted(wanted.keys() - names.values())
    if missing:
        raise ModelError(f"{header.path} lacks {missing[0]!r} and {len(missing) - 1} other tensors; get the file again")
    return names


def _shapes(config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return the shape of every parameter of the model; its arrays are never computed."""
    module = import_module(f"mlx_lm.models.{config['model_type']}")
    model: nn.Module = module.Model(module.ModelArgs.from_dict(dict(config)))
    parameters = dict(tree_flatten(model.parameters()))
    return {name: tuple(array.shape) for name, array in parameters.items()}


def _mlx_name(tensor: str) -> str:
    """`blk.3.attn_q.weight` is `model.layers.3.self_attn.q_proj.weight`; a tensor no family has keeps its name."""
    stem, _, kind = tensor.rpartition(".")
    if stem in _OUTSIDE:
        return f"{_OUTSIDE[stem]}.{kind}"
    block, _, part = stem.rpartition(".")
    if block.startswith("blk.") and part in _INSIDE:
        return f"model.layers.{block[4:]}.{_INSIDE[part]}.{kind}"
    return tensor


class _Keys:
    """The metadata of one architecture; every refusal names the key."""

    def __init__(self, header: GGUFHeader, architecture: str) -> None:
        self._header, self._architecture = header, architecture

    def number(self, key: str, default: float | None = None) -> float:
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
            raise self._refusal(key, "a positive number is needed")
        return float(value)

    def count(self, key: str, *, most: int, default: int | None = None) -> int:
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise self._refusal(key, f"one whole number from 1 to {most:,} is needed")
        return value

    def require(self, key: str, value: int) -> None:
        if self._get(key, value) != value:
            raise self._refusal(key, f"only {value} can be imported")

    def refuse_unsupported(self) -> None:
        for key, neutral in _UNSUPPORTED.items():
            if self._get(key, neutral) != neutral:
                raise self._refusal(key, "mlx-lm's model does not do that")

    def rope_scaling(
        self, theta: float, head_dim: int, factors: NDArray[np.float32] | None
    ) -> dict[str, str | float] | None:
        kind = self._get("rope.scaling.type", "none")
        if kind not in ("none", "linear"):
            raise self._refusal("rope.scaling.type", "only linear scaling can be imported")
        linear = self.number("rope.scaling.factor", default=1.0) if kind == "linear" else 1.0
        linear *= self.number("rope.scale_linear", default=1.0)
        if factors is None or bool((factors == 1).all()):
            return {"rope_type": "linear", "factor": linear} if linear != 1.0 else None
        scaling = _llama3_scaling(factors, theta, head_dim)
        if linear != 1.0 or scaling is None or self._architecture != "llama":
            raise ModelError(f"{ROPE_FACTORS!r} in {self._header.path} is not Llama 3's scaling; it cannot be imported")
        return scaling

    def _get(self, key: str, default: object) -> Any:
        value = self._header.metadata.get(f"{self._architecture}.{key}", default)
        if isinstance(value, np.ndarray | list):  # a value per layer, in models whose layers differ
            raise self._refusal(key, "one value is needed")
        return value

    def _refusal(self, key: str, reason: str) -> ModelError:
        value = self._header.metadata.get(f"{self._architecture}.{key}", "missing")
        shown = "a list" if isinstance(value, np.ndarray | list) else repr(value)
        name = f"{self._architecture}.{key}"
        return ModelError(f"{name} in {self._header.path} is {shown}, but {reason}; it cannot be imported")


def _llama3_scaling(factors: NDArray[np.float32], theta: float, head_dim: int) -> dict[str, str | float] | None:
    """Return the settings of Llama 3.1 and 3.2 if they give `factors` (head_dim / 2,) to five digits."""
    scaling: dict[str, str | float] = {
        "rope_type": "llama3",
        "factor": float(factors.max()),
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }
    if factors.shape != (head_dim // 2,) or factors.min() < 1:
        return None
    wavelengths = 2 * np.pi * theta ** (np.arange(0, head_dim, 2) / head_dim)
    smooth = np.clip((8192 / wavelengths - 1.0) / (4.0 - 1.0), 0, 1)
    expected = 1 / ((1 - smooth) / factors.max() + smooth)
    return scaling if np.allclose(factors, expected, rtol=1e-5, atol=0) else None
