"""A LoRA or DoRA adapter, as `mlx_lm.lora` writes one: read within bounds, held against its model, put into it."""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten, tree_unflatten

from billy_mlx import paths
from billy_mlx.errors import ModelError
from billy_mlx.model.folder import is_there, read_json, require_file, shown
from billy_mlx.model.weights import StoredTensor, tensors_of
from billy_mlx.text import quoted

_FLAG = " --adapter-path "
_SETTINGS, _WEIGHTS = "adapter_config.json", "adapters.safetensors"
_LARGEST_SETTINGS = 1 << 20
_LARGEST_WEIGHTS = 8 << 30
_HIGHEST_RANK = 1 << 16
_FLOATS = {"F32", "F16", "BF16"}
_LEAVES = {"lora_a", "lora_b", "m"}  # the parameters that an adapter adds to a layer


@dataclass(frozen=True)
class Adapter:
    """What a folder says of an adapter; its numbers are not read yet.

    Attributes:
        layers: how many blocks it changes, the last ones; all of them if it is 0 or less.
        parameters: `rank`, `scale`, `dropout` and, where it has them, the `keys` of layers, as mlx-lm has them.
        made_for: what it says that it was trained on; None if it does not say so.
        digest: a hash over all that it does to a model.
    """

    folder: Path
    is_dora: bool
    layers: int
    parameters: dict[str, Any]
    tensors: tuple[StoredTensor, ...]
    made_for: str | None
    digest: str

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return sum(tensor.elements for tensor in self.tensors)


def with_adapter(model: str, folder: str | Path) -> str:
    """Return what a model is called with an adapter: `load` takes it, and so does a shell after `--model`.

    An adapter that the name has already is replaced.
    """
    return f"{apart(model)[0]}{_FLAG}{folder}"


def apart(called: str) -> tuple[str, str | None]:
    """Return the model's own name, and the folder of the adapter if the name has one: undoes `with_adapter`."""
    name, flag, folder = called.partition(_FLAG)
    return name, folder if flag else None


def read_adapter(path: str | Path) -> Adapter:
    """Return what is said of the adapter in a folder.

    Raises:
        ModelError: there is none, or it is damaged, too large, of another program, or of a kind that is no adapter.
    """
    folder = _folder(path)
    settings = _settings(folder / _SETTINGS)
    kind = settings.get("fine_tune_type", "lora")
    file = folder / _SETTINGS
    if kind == "full":
        raise ModelError(
            f"{shown(folder)} holds whole layers instead of an adapter; make a model of them with mlx_lm.fuse"
        )
    if kind not in ("lora", "dora"):
        raise ModelError(f"{shown(file)} says that fine_tune_type is {quoted(repr(kind))}; there are lora and dora")
    layers = _checked(file, settings, "num_layers", lambda n: type(n) is int and -1 <= n <= _HIGHEST_RANK)
    parameters = _parameters(file, settings)
    tensors = _tensors(folder / _WEIGHTS)
    digest = hashlib.sha256(json.dumps([kind, layers, parameters], sort_keys=True).encode())
    with (folder / _WEIGHTS).open("rb") as stream:
        digest.update(hashlib.file_digest(stream, "sha256").digest())
    made_for = settings.get("model")
    return Adapter(
        folder,
        kind == "dora",
        layers,
        parameters,
        tensors,
        made_for if isinstance(made_for, str) else None,
        digest.hexdigest(),
    )


def apply(adapter: Adapter, network: nn.Module, *, fused: bool) -> None:
    """Put an adapter into a model, in place.

    Args:
        adapter: for this model.
        network: of mlx-lm; its weights need not be read yet, unless they are to be `fused`.
        fused: add it to the weights in float32, so that the model is as fast as without it; these are dense then.

    Raises:
        ModelError: it is another model's: part of it fits nothing there, has another shape, or is missing.
    """
    _add_layers(adapter, network)
    file = adapter.folder / _WEIGHTS
    try:
        stored: dict[str, mx.array] = mx.load(str(file))  # type: ignore[assignment]  # safetensors
    except (RuntimeError, ValueError, OSError) as error:
        raise ModelError(f"{shown(file)} cannot be read: {quoted(error)}; get the adapter again") from error
    for name, array in stored.items():
        if not mx.isfinite(array).all().item():  # what comes of training that went wrong
            raise ModelError(f"{shown(file)} holds numbers in {quoted(name)!r} that are not finite; train it anew")
    arrays = [(name, array.astype(mx.float32) if fused else array) for name, array in stored.items()]
    network.load_weights(arrays, strict=False)
    network.eval()
    if fused:
        _fuse(network)


def _folder(path: str | Path) -> Path:
    if not str(path).strip():
        raise ModelError("The adapter's folder has no name; name the folder that mlx_lm.lora has made")
    folder = paths.expanded(str(path))
    if not is_there(folder):
        raise ModelError(f"There is no adapter {shown(folder)}; name the folder that mlx_lm.lora has made")
    if not folder.is_dir():
        raise ModelError(f"{shown(folder)} is no folder; name the folder of the adapter, not a file in it")
    folder = folder.resolve()
    if not is_there(folder / _WEIGHTS) and is_there(folder / "adapter_model.safetensors"):
        raise ModelError(f"{shown(folder)} is an adapter of PEFT, which mlx-lm cannot use; fuse it into its model")
    for name in (_SETTINGS, _WEIGHTS):
        if not is_there(folder / name):
            raise ModelError(f"{shown(folder)} has no {name}, as adapters of mlx-lm have; get the adapter again")
    return folder


def _settings(file: Path) -> Mapping[str, Any]:
    try:
        settings = read_json(file, _LARGEST_SETTINGS)
    except (OSError, ValueError) as error:
        raise ModelError(f"{shown(file)} is damaged: {quoted(error)}; get the adapter again") from error
    if not isinstance(settings, Mapping):
        raise ModelError(f"{shown(file)} is damaged: it holds no settings; get the adapter again")
    return settings


def _parameters(file: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    inner = _checked(file, settings, "lora_parameters", lambda value: isinstance(value, Mapping))
    if "scale" not in inner and "alpha" in inner:
        raise ModelError(f"{shown(file)} has alpha in lora_parameters, and mlx-lm wants scale; write that instead")
    allowed: dict[str, Callable[[Any], bool]] = {
        "rank": lambda n: type(n) is int and 0 < n <= _HIGHEST_RANK,
        "scale": lambda n: type(n) in (int, float) and math.isfinite(n),
        "dropout": lambda n: type(n) in (int, float) and 0 <= n < 1,
    }
    found = {name: _checked(file, inner, name, is_allowed) for name, is_allowed in allowed.items()}
    if inner.get("keys") is not None:
        found["keys"] = _checked(file, inner, "keys", _are_names)
    return found


def _are_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _checked(file: Path, settings: Mapping[str, Any], name: str, is_allowed: Callable[[Any], bool]) -> Any:
    if name not in settings:
        raise ModelError(f"{shown(file)} does not say {name}; get the adapter again")
    value = settings[name]
    if not is_allowed(value):
        raise ModelError(f"{shown(file)} says that {name} is {quoted(repr(value))}; no adapter has that: correct it")
    return value


def _tensors(file: Path) -> tuple[StoredTensor, ...]:
    require_file(file, _LARGEST_WEIGHTS)
    try:
        tensors = tensors_of(file, what="adapter")
    except OSError as error:
        raise ModelError(f"{shown(file)} cannot be read: {error.strerror}; get the adapter again") from error
    if not tensors:
        raise ModelError(f"{shown(file)} holds nothing; get the adapter again")
    for tensor in tensors:
        if tensor.dtype not in _FLOATS:
            raise ModelError(
                f"{shown(file)} holds {quoted(tensor.name)!r} in {quoted(tensor.dtype)}; adapters are of floats: get "
                "the adapter again"
            )
    return tuple(tensors)


def _add_layers(adapter: Adapter, network: nn.Module) -> None:
    """Have the layers of a model take an adapter, if it is one for them; nothing of either is read."""
    from mlx_lm.tuner.utils import linear_to_lora_layers  # brings in all that training needs

    depth = len(network.layers)
    if adapter.layers > depth:
        raise _unfit(adapter, f"it changes {adapter.layers} layers, and there are {depth}")
    own = _shapes(network)
    keys = adapter.parameters.get("keys")
    parameters = adapter.parameters | {"keys": None if keys is None else set(keys)}  # each layer is looked for in it
    try:
        linear_to_lora_layers(network, adapter.layers, parameters, use_dora=adapter.is_dora)
    except Exception as error:
        raise _unfit(adapter, quoted(error)) from error
    added = {name: shape for name, shape in _shapes(network).items() if name not in own}
    _require_fit(adapter, {name: shape for name, shape in added.items() if name.rpartition(".")[2] in _LEAVES})


def _require_fit(adapter: Adapter, wanted: Mapping[str, tuple[int, ...]]) -> None:
    for tensor in adapter.tensors:
        if tensor.name not in wanted:
            raise _unfit(adapter, f"nothing there takes its {quoted(tensor.name)!r}")
        if tensor.shape != wanted[tensor.name]:
            sizes = f"{_sizes(tensor.shape)} numbers, and {_sizes(wanted[tensor.name])} are wanted"
            raise _unfit(adapter, f"its {quoted(tensor.name)!r} has {sizes}")
    missing = sorted({*wanted} - {tensor.name for tensor in adapter.tensors})
    if missing:
        raise _unfit(adapter, f"it lacks {quoted(missing[0])!r}")


def _shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    arrays: list[tuple[str, mx.array]] = tree_flatten(network.parameters())  # type: ignore[assignment]  # of arrays
    return {name: array.shape for name, array in arrays}


def _sizes(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))


def _unfit(adapter: Adapter, why: str) -> ModelError:
    trained = "the model that it was trained on" if adapter.made_for is None else quoted(adapter.made_for)
    return ModelError(f"The adapter {shown(adapter.folder)} does not fit this model: {why}; use it with {trained}")


def _fuse(network: nn.Module) -> None:
    """Replace every layer that has an adapter by one whose weights are their sum, one by one."""
    from mlx_lm.tuner.dora import DoRAEmbedding, DoRALinear
    from mlx_lm.tuner.lora import LoRAEmbedding, LoRALinear, LoRASwitchLinear

    kinds = (LoRALinear, LoRASwitchLinear, LoRAEmbedding, DoRALinear, DoRAEmbedding)
    # Names and not layers: whoever holds a layer keeps its weights in memory.
    for name in [name for name, layer in network.named_modules() if type(layer) in kinds]:
        dense = _at(network, name).fuse(dequantize=True)
        mx.eval(dense.parameters())
        network.update_modules(tree_unflatten([(name, dense)]))


def _at(network: nn.Module, name: str) -> Any:
    found: Any = network
    for part in name.split("."):
        found = found[int(part)] if isinstance(found, list) else found[part]
    return found
