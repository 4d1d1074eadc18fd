"""What a model's config.json says, under the names its many authors gave it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from billy_mlx.errors import ModelError
from billy_mlx.model.folder import is_there, read_json, shown
from billy_mlx.text import quoted

Config = Mapping[str, Any]

NESTED = ("text_config", "language_config", "llm_config")
"""Where a config tells of the part that reads and writes text."""
_LAYERS = ("num_hidden_layers", "n_layers", "n_layer", "num_layers", "num_transformer_layers")
_WIDTH = ("hidden_size", "d_model", "model_dim", "n_embd", "dim")
_COUNTS = ("vocab_size", "num_attention_heads", "n_heads", "n_head", "num_key_value_heads", "head_dim")
_CONTEXT = ("max_position_embeddings", "n_positions", "n_ctx", "max_sequence_length", "max_seq_len")
_TYPES = ("float16", "bfloat16", "float32")
_LARGEST = 16 << 20  # bytes; the longest in use have some 100,000
_LARGEST_SIZE = 1 << 31


def read_config(folder: Path) -> dict[str, Any]:
    """Return config.json of a model folder.

    Raises:
        ModelError: `folder` is not a model, or its config is damaged or asks for code of its own.
    """
    path = folder / "config.json"
    if not (is_there(path) or path.is_symlink()) and os.access(folder, os.X_OK):
        raise ModelError(_not_a_model(folder))
    try:
        config = read_json(path, _LARGEST)
    except (OSError, ValueError) as error:
        raise ModelError(f"{shown(path)} is damaged: {quoted(error)}; get the model again") from error
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        lack = "names no model_type, so nothing says how to run this model"
        raise ModelError(f"{shown(path)} {lack}; get another copy of it")
    if config.get("model_file") is not None:
        code = quoted(config["model_file"])
        raise ModelError(f"{shown(path)} wants to run its own code ({code}), which is never done; choose another model")
    return config


def check_sizes(config: Config, tensors: int) -> None:
    """Do nothing if the sizes in a config could be those of a model with so many stored tensors.

    Raises:
        ModelError: one of them is no size, or there are not as many tensors as it takes.
    """
    for part in _parts(config):
        for name in (*_LAYERS, *_WIDTH, *_COUNTS):
            size = part.get(name)
            if isinstance(size, int | float) and not 1 <= size < _LARGEST_SIZE:
                raise ModelError(
                    f"config.json says that {name} is {quoted(size, 30)}; that fits no model: get the model again"
                )
    layers = find_number(config, _LAYERS) or 1
    if layers > tensors:
        raise ModelError(
            f"config.json says {layers:,} layers, and there are {tensors:,} tensors, fewer than one for each; "
            "get the model again"
        )


def layer_count(config: Config) -> int:
    """The number of blocks; `ModelError` if the config does not say."""
    return _required(config, _LAYERS, "how many layers")


def residual_width(config: Config) -> int:
    """D, the width of the residual stream; `ModelError` if the config does not say."""
    return _required(config, _WIDTH, "how wide")


def context_length(config: Config) -> int | None:
    """The most tokens the model was made for, or None if it has no such bound."""
    return find_number(config, _CONTEXT)


def stored_type(config: Config) -> str:
    """The type of its numbers, as in "bfloat16", which it is if the config does not say."""
    found = (part.get(name) for part in _parts(config) for name in ("dtype", "torch_dtype"))
    return next((name for name in found if name in _TYPES), "bfloat16")


def find_number(config: Config, names: tuple[str, ...]) -> int | None:
    """The first whole number under one of `names`, in the config or its part about text."""
    found = (part[name] for part in _parts(config) for name in names if type(part.get(name)) is int)
    return next(found, None)


def _parts(config: Config) -> list[Config]:
    return [config, *(config[name] for name in NESTED if isinstance(config.get(name), Mapping))]


def _required(config: Config, names: tuple[str, ...], what: str) -> int:
    number = find_number(config, names)
    if number is None:
        kind = quoted(config["model_type"], 60)
        raise ModelError(
            f"config.json of this {kind} model does not say {what} it is ({names[0]}); get another copy of it"
        )
    return number


def _not_a_model(folder: Path) -> str:
    if is_there(folder / "adapter_config.json"):
        return f"{shown(folder)} is an adapter, not a model; name its model with --model, and it with --adapter-path"
    gguf = next(folder.glob("*.gguf"), None)
    if gguf is not None:
        return f"{shown(folder)} holds GGUF, not an MLX model; run: billy model import {shown(gguf)}"
    return f"{shown(folder)} is no model folder: it has no config.json"
