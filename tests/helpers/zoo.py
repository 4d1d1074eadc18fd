"""The zoo: a tiny random model for each text architecture of mlx-lm that can be made small and run without Metal.

`TINY` maps a file of `mlx_lm.models` to a config of its `ModelArgs`; `build` makes the model, in milliseconds.
"""

import copy
import importlib
import json
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten, tree_unflatten

from helpers.tiny_models import tiny_folder
from helpers.zoo_families import DENSE, EXPERTS, HYBRID, WINDOWED
from helpers.zoo_parts import Config

TINY: dict[str, Config] = DENSE | WINDOWED | EXPERTS | HYBRID


def build(name: str, dtype: mx.Dtype = mx.float32, seed: int = 0) -> nn.Module:
    """Return the tiny model of `mlx_lm.models.<name>`, evaluated; the same seed gives the same random weights."""
    module = importlib.import_module(f"mlx_lm.models.{name}")
    # Some ModelArgs write into the dict they are given.
    config = copy.deepcopy({"model_type": name} | TINY[name])
    model: nn.Module = module.Model(module.ModelArgs.from_dict(config))
    model.update(tree_unflatten(random_weights(model, dtype, seed)))
    model.eval()
    mx.eval(model.parameters())
    return model


def zoo_folder(path: Path, name: str) -> Path:
    """Write the folder of that model, with a tokenizer that is not its own, and return it."""
    folder, network = tiny_folder(path), build(name)
    mx.save_safetensors(str(folder / "model.safetensors"), dict(tree_flatten(network.parameters())))
    (folder / "config.json").write_text(json.dumps({"model_type": name} | TINY[name]))
    return folder


def random_weights(model: nn.Module, dtype: mx.Dtype, seed: int) -> list[tuple[str, mx.array]]:
    """Return (path, weight) of all parameters: matrices keep the size of what they map, vectors stay near their start.

    What an architecture keeps in float32 when mlx-lm converts it (`cast_predicate`) stays float32 here.
    """
    may_cast = getattr(model, "cast_predicate", lambda path: True)
    weights = []
    for index, (path, start) in enumerate(tree_flatten(model.parameters())):
        if not mx.issubdtype(start.dtype, mx.floating):
            continue
        noise = mx.random.normal(start.shape, key=mx.random.key(1000 * seed + index))
        weight = noise * start.shape[-1] ** -0.5 if start.ndim > 1 else start + 0.1 * noise
        weights.append((path, weight.astype(dtype if may_cast(path) else mx.float32)))
    return weights
