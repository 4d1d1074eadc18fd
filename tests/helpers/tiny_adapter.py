"""Adapters for tiny models, made as mlx-lm makes them: by its own layers, and trained by its own loss."""

import json

import mlx.core as mx
import mlx_lm
from mlx.utils import tree_flatten
from mlx_lm.tuner.utils import linear_to_lora_layers

RANK = 4


def adapter_folder(path, model, kind="lora", *, layers=2, keys=None, train=None):
    """Write an adapter for a model folder to `path` and return it; its numbers are random, or what `train` leaves."""
    network, tokenizer = mlx_lm.load(str(model))
    network.freeze()
    mx.random.seed(0)
    parameters = {"rank": RANK, "scale": 2.0, "dropout": 0.1} | ({} if keys is None else {"keys": keys})
    linear_to_lora_layers(network, layers, dict(parameters), use_dora=kind == "dora")
    if train is not None:
        train(network, tokenizer)
    arrays = dict(tree_flatten(network.trainable_parameters()))
    if train is None:
        draws = iter(mx.random.split(mx.random.key(0), len(arrays)))
        arrays = {name: array + 0.2 * mx.random.normal(array.shape, key=next(draws)) for name, array in arrays.items()}
    path.mkdir(parents=True, exist_ok=True)
    mx.save_safetensors(str(path / "adapters.safetensors"), arrays)
    settings = {"fine_tune_type": kind, "num_layers": layers, "lora_parameters": parameters, "model": "org/trained-on"}
    (path / "adapter_config.json").write_text(json.dumps(settings))
    return path
