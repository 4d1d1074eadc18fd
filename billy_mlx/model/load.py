"""From a name to a model that runs: found here, checked, loaded, dense on a CPU. Nothing here touches the network."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx_lm
from mlx.utils import tree_unflatten
from mlx_lm.models.switch_layers import QuantizedSwitchLinear, SwitchLinear
from mlx_lm.tokenizer_utils import TokenizerWrapper
from mlx_lm.utils import _get_classes, load_model, load_tokenizer
from transformers import PreTrainedConfig
from transformers.utils import logging

from billy_mlx import paths
from billy_mlx.config import configured
from billy_mlx.errors import ModelError, UsageError
from billy_mlx.model import backend, config, hub, memory, rope
from billy_mlx.model.adapter import Adapter, apart, apply, read_adapter, with_adapter
from billy_mlx.model.chat import choose_template
from billy_mlx.model.fingerprint import Fingerprint, adapted_fingerprint, fingerprint
from billy_mlx.model.folder import shown
from billy_mlx.model.hub import hint, is_hub_id
from billy_mlx.model.model import Model
from billy_mlx.model.starter import ensure_starter
from billy_mlx.model.trial import require_harmless
from billy_mlx.model.weights import stored_tensors
from billy_mlx.text import quoted

STARTER = "starter"
_MOST_TOKENS = 1 << 31
_MOST_LAYERS = 1000  # where no weights tell how many there can be

_QUANTISED = (nn.QuantizedLinear, nn.QuantizedEmbedding, QuantizedSwitchLinear)


def load(
    model: str | Path | None = None,
    *,
    revision: str | None = None,
    chat_template_name: str | None = None,
    adapter_path: str | Path | None = None,
) -> Model:
    """Return a model, ready to run: in float32 on a CPU, as it is stored on Metal.

    Args:
        model: "starter", a model folder, the name of an imported model, or a hub id that `billy model get` has stored;
            None for BILLY_MODEL, then the configuration's `model`, then the starter.
        revision: the branch, tag or commit of a hub id.
        chat_template_name: which of its chat templates is used, where it has several; None for what the configuration
            has as `chat-template-name`, if this is the model that it names, and its own default otherwise.
        adapter_path: the folder of a LoRA or DoRA adapter for it, as mlx_lm.lora makes one; None for what the
            configuration has as `adapter-path`, if this is the model that it names, and for no adapter otherwise.

    Raises:
        ModelError: it is not on this machine, is damaged, is of a kind mlx-lm cannot run, or does not fit into memory;
            its files take longer or more memory than any model's should; or its adapter is damaged or another model's.
        UsageError: a revision or a template that it has not, or a broken configuration file.
    """
    called, adapter = _called(model, adapter_path)
    name, folder = find(called, revision)
    if chat_template_name is None and _is_configured(called):
        chat_template_name = configured("chat-template-name")
    settings = settings_of(folder)
    with memory.loading(name, folder, settings, adapter=adapter.elements if adapter else 0):
        shape = require_harmless(folder)
        network, settings = network_of(folder, adapter)
        tokenizer = read_tokenizer(folder, settings, chat_template_name)
    identity = fingerprint(folder, settings, tokenizer.get_vocab(), shape)
    own, identity = _adapted(name, identity, adapter)
    return Model(own, folder, network, tokenizer, settings, identity)


def identify(model: str | Path | None = None) -> tuple[str, Fingerprint]:
    """Return the id and the fingerprint of the model that `load` would load, without its weights.

    Raises:
        ModelError, UsageError: as `load` does.
    """
    called, adapter = _called(model, None)
    name, folder = find(called)
    settings = settings_of(folder)
    shape = require_harmless(folder)
    identity = fingerprint(folder, settings, read_tokenizer(folder, settings).get_vocab(), shape)
    return _adapted(name, identity, adapter)


def default_name() -> str:
    """The model to use when none is named; `UsageError` if the configuration file cannot be read."""
    name = os.environ.get("BILLY_MODEL")
    if name:
        return name
    return configured("model") or STARTER


def _called(model: str | Path | None, adapter_path: str | Path | None) -> tuple[str, Adapter | None]:
    """Return what a model itself is called, and the adapter that it is to have: given, in its name, or configured."""
    called, of_name = apart(default_name() if model is None else str(model))
    folder = of_name if adapter_path is None else adapter_path
    if folder is None and _is_configured(called):
        folder = configured("adapter-path")
    return called, None if folder is None else read_adapter(folder)


def _is_configured(called: str) -> bool:
    """Whether a model is the one that the configuration names, with whatever adapter."""
    own = configured("model")
    return own is not None and called == apart(own)[0]


def _adapted(name: str, bare: Fingerprint, adapter: Adapter | None) -> tuple[str, Fingerprint]:
    """Return the id and the fingerprint of a model with the adapter that it has."""
    if adapter is None:
        return name, bare
    return with_adapter(name, adapter.folder), adapted_fingerprint(bare, adapter.digest)


def find(name: str, revision: str | None = None) -> tuple[str, Path]:
    """Return the id and the folder of a model on this machine; the starter is unpacked if need be.

    Raises:
        ModelError: there is none of that name, or not all of it; says how to get it.
        UsageError: `revision` is given for something that is not on the hub, or the name can be nobody's.
    """
    place = paths.expanded(name)
    meant = hint(name)
    if meant is not None and not (name.strip() and place.exists()):
        raise UsageError(meant)
    on_hub = name != STARTER and not place.exists() and is_hub_id(name)
    if revision is not None and not on_hub:
        raise UsageError(f"{name} has no revisions, only models of the hub have; leave out {revision!r}")
    if name == STARTER:
        return name, ensure_starter()
    if on_hub:
        return name, _find_on_hub(name, revision)
    if place.is_file():
        raise ModelError(f"{place} is a file, not a model folder; for a GGUF file run: billy model import {place}")
    if place.is_dir():
        return str(place.resolve()), place.resolve()
    imported = paths.models_folder() / name
    if place.name == name and imported.is_dir():
        return name, imported
    raise ModelError(
        f"No model is called {name!r}: it is no folder, no hub id (org/name), and none of: billy model list"
    )


def _find_on_hub(repo: str, revision: str | None) -> Path:
    folder = hub.find(repo, revision)
    if folder is None:
        wanted = repo if revision is None else f"{repo} --revision {revision}"
        missing = hub.cached_in_part(repo, revision)
        if missing is not None:
            raise ModelError(f"{repo} is not complete: {missing}; to get the model again run: billy model get {wanted}")
        raise ModelError(f"{repo} is not on this machine; run: billy model get {wanted}")
    return folder


def read_tokenizer(folder: Path, settings: config.Config, chat_template_name: str | None = None) -> TokenizerWrapper:
    """Return the tokenizer in a folder, with the one chat template to be used.

    Raises:
        ModelError: it cannot be read, or its settings are of the wrong kind.
        UsageError: there is no template of that name.
    """
    tokenizer = open_tokenizer(folder, settings)
    choose_template(tokenizer, folder, chat_template_name)
    return tokenizer


def open_tokenizer(folder: Path, settings: config.Config) -> TokenizerWrapper:
    """Return the tokenizer in a folder, with all the chat templates that transformers finds.

    Raises:
        ModelError: it cannot be read, or its settings are of the wrong kind.
    """
    # Without an explicit False, transformers asks on the terminal whether to run a stranger's code.
    extra: dict[str, object] = {"trust_remote_code": False, "local_files_only": True}
    try:
        with _quietly():
            try:
                tokenizer: TokenizerWrapper = load_tokenizer(folder, extra, settings.get("eos_token_id"))
            except Exception:  # noqa: BLE001  transformers knows the model otherwise than mlx-lm, and needs it for nothing
                extra["config"] = PreTrainedConfig()
                tokenizer = load_tokenizer(folder, extra, settings.get("eos_token_id"))
    except Exception as error:
        raise ModelError(
            f"The tokenizer in {shown(folder)} cannot be read: {_first_line(error)}; get the model again"
        ) from error
    ends = tokenizer.eos_token_ids
    if not all(type(end) is int and 0 <= end < _MOST_TOKENS for end in ends):
        said = f"config.json in {shown(folder)} says that {quoted(sorted(ends, key=str))} end an answer"
        raise ModelError(f"{said}; tokens are whole numbers from 0 on: get the model again")
    return tokenizer


def build(folder: Path) -> tuple[nn.Module, dict[str, Any]]:
    """Return the model of `folder`, none of whose weights is read yet, and its config as mlx-lm completed it.

    Raises:
        ModelError: mlx-lm cannot make one of what is there.
    """
    settings = config.read_config(folder)
    with _named_if_unusable(folder):
        network, completed = load_model(folder, lazy=True, model_config=rope.older_words(settings))
    rope.require_read(network, settings)
    return network, completed


def network_of(
    folder: Path, adapter: Adapter | None = None, *, lazily: bool = False
) -> tuple[nn.Module, dict[str, Any]]:
    """Return the model of `folder` as it runs here, and its config as mlx-lm completed it.

    Args:
        adapter: is put on it.
        lazily: none of its weights is read yet; otherwise they are in memory.

    Raises:
        ModelError: mlx-lm cannot make one of what is there, or the adapter is of another one.
    """
    network, settings = build(folder)
    with _named_if_unusable(folder):
        if backend.on_cpu():
            dequantize(network, lazily=lazily)
            network.set_dtype(mx.float32)
        if not lazily:
            mx.eval(network.parameters())
    if adapter is not None:
        # Dense first: adapters are made on the quantised weights as they stand, which the dense ones equal.
        apply(adapter, network, fused=backend.on_cpu())
        mx.eval(network.parameters())
    return network, settings


def imagined(folder: Path) -> nn.Module:
    """Return the model that the config.json of `folder` tells of, where there are no weights: of its shapes and types.

    Raises:
        ModelError: mlx-lm cannot make one of it.
    """
    settings = config.read_config(folder)
    config.check_sizes(settings, _MOST_LAYERS)
    completed = {**settings, **rope.older_words(settings)}
    with _named_if_unusable(folder):
        kind, arguments = _get_classes(completed)
        network: nn.Module = kind(arguments.from_dict(completed))
        network.set_dtype(getattr(mx, config.stored_type(settings)))
        quantization = settings.get("quantization") or settings.get("quantization_config")
        if isinstance(quantization, dict) and {"group_size", "bits"} <= quantization.keys():
            _quantize(network, quantization)
    return network


def _quantize(network: nn.Module, quantization: dict[str, Any]) -> None:
    """Quantise what mlx_lm.convert would, with what `quantization` says for one layer by its name."""
    size = quantization["group_size"]

    def how(path: str, layer: nn.Module) -> bool | dict[str, Any]:
        if not hasattr(layer, "to_quantized"):
            return False
        own: bool | dict[str, Any] = quantization.get(path, layer.weight.shape[-1] % size == 0)
        return own

    nn.quantize(network, size, quantization["bits"], mode=quantization.get("mode", "affine"), class_predicate=how)


def settings_of(folder: Path) -> config.Config:
    """Return the config of a folder, whose sizes could be those of the stored weights; `ModelError` if they cannot."""
    settings = config.read_config(folder)
    config.check_sizes(settings, len(stored_tensors(folder)))
    return settings


@contextmanager
def _named_if_unusable(folder: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        why = f"mlx-lm {mlx_lm.__version__} cannot load {shown(folder)}: {_first_line(error)}"
        raise ModelError(f"{why}; try another copy of the model or a newer mlx-lm") from error


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep transformers from saying on stderr what it thinks of a config that only mlx-lm goes by."""
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(before)


def _first_line(error: Exception) -> str:
    said = str(error).strip()
    kind = "" if isinstance(error, ValueError | RuntimeError) and said else f"{type(error).__name__} "
    return quoted((kind + said).strip().splitlines()[0]).rstrip(" .:")


def dequantize(model: nn.Module, *, lazily: bool = False) -> None:
    """Replace every quantised linear, expert and embedding layer of `model` by its float32 equal, in place.

    A quantised matmul is slow on a CPU: 9 tokens/s against 17 for the starter model.

    Unless `lazily`, weights are evaluated one by one and the packed ones let go, so that memory peaks little above the
    dense model. Whatever else the model holds keeps its dtype, and kinds of layers not named here stay quantised.
    Bits 2, 4 and 8 are unpacked as bytes, which takes half the time of `mx.dequantize` (starter model: 0.35 s
    against 0.8 s, first touch of the memory included) and gives the same bits.
    """
    dense_by_id: dict[int, nn.Module] = {}  # a layer that two blocks share stays shared
    for name, layer in model.named_modules():
        # Not isinstance: a subclass computes something else and needs its packed weights.
        if type(layer) not in _QUANTISED or getattr(layer, "global_scale", None) is not None:
            continue
        if id(layer) not in dense_by_id:
            dense_by_id[id(layer)] = _dense(layer, lazily=lazily)
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


def _dense(layer: nn.Module, *, lazily: bool) -> nn.Module:
    """Return the plain layer with the weights of the quantised `layer`, evaluated unless `lazily`."""
    weight = dense_weight(
        layer.weight, layer.scales, layer.get("biases"), group_size=layer.group_size, bits=layer.bits, mode=layer.mode
    )
    if not lazily:
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
