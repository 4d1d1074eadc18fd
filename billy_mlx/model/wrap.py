"""A model that mlx-lm has loaded already, as one of ours: with an adapter, half loaded, or part of a larger one."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten
from mlx_lm.tokenizer_utils import TokenizerWrapper

from billy_mlx.errors import UsageError
from billy_mlx.model.fingerprint import Fingerprint, base_hash, fingerprint
from billy_mlx.model.layers import shape_of
from billy_mlx.model.model import Model

_SAMPLES = 16  # numbers from the start, the middle and the end of an array
_DIGITS = 16


def wrap(
    model: nn.Module,
    tokenizer: Any,
    *,
    id: str = "wrapped",
    config: Mapping[str, Any] | None = None,
    folder: Path | str | None = None,
) -> Model:
    """Return a model and its tokenizer, as `mlx_lm.load` returns them, ready for all that `load` returns is.

    Vectors of the same base model are used as those of another quantisation are: with doses that are approximate.

    Args:
        model: of mlx-lm, or one with the same interface: `layers`, and called with tokens and `cache`.
        tokenizer: mlx-lm's wrapper, or a tokenizer of transformers.
        id: what messages call it.
        config: what its config.json holds; without it the arguments that the model keeps as `args`.
        folder: where its weights were read from, if they have not been changed since: its vectors are then those of the
            model that `load` returns for that folder.

    Raises:
        UsageError: an argument is of another kind, or nothing says what model this is.
        ModelError: the weights in `folder` are damaged.
    """
    _require_network(model)
    wrapped = _tokenizer(tokenizer)
    settings = _settings(model, config)
    try:
        shape = shape_of(model)
    except Exception as error:
        raise UsageError(
            f"this {type(model).__name__} cannot be run as a model of mlx-lm: {type(error).__name__}; give the "
            "language model itself, such as the `language_model` of a model that sees"
        ) from error
    vocabulary = wrapped.get_vocab()
    if folder is not None:
        return Model(id, Path(folder), model, wrapped, settings, fingerprint(Path(folder), settings, vocabulary, shape))
    if shape.width is None:
        raise UsageError(
            f"the blocks of this {type(model).__name__} pass on no residual stream, so it cannot be steered"
        )
    base = base_hash(settings["model_type"], shape.layers, shape.width, vocabulary)
    architecture = str(settings["model_type"])
    identity = Fingerprint(architecture, shape.layers, shape.width, len(vocabulary), base, weights_in_memory(model))
    return Model(id, Path(), model, wrapped, settings, identity)


def weights_in_memory(model: nn.Module) -> str:
    """Return a hash over names, types, shapes and three samples of each array of a model, adapters included."""
    digest = hashlib.sha256()
    arrays: list[tuple[str, mx.array]] = tree_flatten(model.parameters())  # type: ignore[assignment]  # of arrays
    for name, array in sorted(arrays, key=lambda pair: pair[0]):
        digest.update(f"{name}\0{array.dtype}\0{array.shape}\0".encode())
        flat = array.reshape(-1)
        for start in (0, flat.size // 2, max(0, flat.size - _SAMPLES)):
            digest.update(np.array(flat[start : start + _SAMPLES].astype(mx.float32)).tobytes())
    return digest.hexdigest()[:_DIGITS]


def _require_network(model: object) -> None:
    if not isinstance(model, nn.Module) or not hasattr(model, "layers"):
        raise UsageError(
            f"a {type(model).__name__} is no model of mlx-lm; give what mlx_lm.load returns first, or give its folder "
            "to billy_mlx.load"
        )


def _tokenizer(tokenizer: Any) -> TokenizerWrapper:
    if isinstance(tokenizer, TokenizerWrapper):
        return tokenizer
    if hasattr(tokenizer, "encode") and hasattr(tokenizer, "get_vocab") and hasattr(tokenizer, "eos_token_id"):
        return TokenizerWrapper(tokenizer)
    raise UsageError(
        f"a {type(tokenizer).__name__} is no tokenizer; give what mlx_lm.load returns second, or one of transformers"
    )


def _settings(model: nn.Module, config: Mapping[str, Any] | None) -> dict[str, Any]:
    args = getattr(model, "args", None)
    if config is None and is_dataclass(args) and not isinstance(args, type):
        config = asdict(args)
    if config is None or not isinstance(config.get("model_type"), str):
        raise UsageError("nothing says what model this is; give its config, as in wrap(model, tokenizer, config=...)")
    return dict(config)
