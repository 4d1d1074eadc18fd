"""From a name to a model that runs: found on this machine, checked, loaded. Nothing here touches the network."""

import os
import re
import tomllib
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx_lm
from mlx_lm.tokenizer_utils import TokenizerWrapper
from mlx_lm.utils import load_model, load_tokenizer

from billy_mlx import paths
from billy_mlx.errors import ModelError, UsageError
from billy_mlx.model import backend, config, hub, memory
from billy_mlx.model.dequantize import dequantize
from billy_mlx.model.fingerprint import Fingerprint, fingerprint
from billy_mlx.model.model import Model
from billy_mlx.model.starter import ensure_starter

STARTER = "starter"
_HUB_ID = re.compile(r"[a-zA-Z0-9][\w.-]*/[a-zA-Z0-9][\w.-]*", re.ASCII)


def load(model: str | Path | None = None, *, revision: str | None = None) -> Model:
    """Return a model, ready to run: in float32 on a CPU, as it is stored on Metal.

    Args:
        model: "starter", a model folder, the name of an imported model, or a hub id that `billy model get` has stored;
            None for BILLY_MODEL, then the configuration's `model`, then the starter.
        revision: the branch, tag or commit of a hub id.

    Raises:
        ModelError: it is not on this machine, is damaged, is of a kind mlx-lm cannot run, or does not fit into memory.
        UsageError: a revision of something that has none, or a broken configuration file.
    """
    name, folder = find(default_name() if model is None else str(model), revision)
    settings = config.read_config(folder)
    with memory.loading(name, folder, settings):
        network, settings = _network(folder)
        tokenizer = _tokenizer(folder, settings)
    identity = fingerprint(folder, settings, tokenizer.get_vocab())
    return Model(name, folder, network, tokenizer, settings, identity)


def identify(model: str | Path | None = None) -> tuple[str, Fingerprint]:
    """Return the id and the fingerprint of the model that `load` would load, without its weights.

    Raises:
        ModelError, UsageError: as `load` does.
    """
    name, folder = find(default_name() if model is None else str(model))
    settings = config.read_config(folder)
    return name, fingerprint(folder, settings, _tokenizer(folder, settings).get_vocab())


def default_name() -> str:
    """The model to use when none is named; `UsageError` if the configuration file cannot be read."""
    name = os.environ.get("BILLY_MODEL")
    if name:
        return name
    try:
        configured = tomllib.loads(paths.config_file().read_text(encoding="utf-8")).get("model", STARTER)
    except FileNotFoundError:
        return STARTER
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{paths.config_file()} cannot be read: {error}; correct it or delete it") from error
    if not isinstance(configured, str):
        raise UsageError(f'{paths.config_file()}: model is {configured!r}; write it in quotes, as in model = "starter"')
    return configured


def find(name: str, revision: str | None = None) -> tuple[str, Path]:
    """Return the id and the folder of a model on this machine; the starter is unpacked if need be.

    Raises:
        ModelError: there is none of that name; says how to get it.
        UsageError: `revision` is given for something that is not on the hub.
    """
    place = Path(name).expanduser()
    on_hub = name != STARTER and not place.exists() and _HUB_ID.fullmatch(name) is not None
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
        raise ModelError(f"{repo} is not on this machine; run: billy model get {wanted}")
    return folder


def _network(folder: Path) -> tuple[nn.Module, dict[str, Any]]:
    """Return the model of `folder` with its weights in memory, and its config as mlx-lm completed it."""
    try:
        network, settings = load_model(folder, lazy=True)
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        # Whatever a config can make mlx-lm stumble over.
        why = f"mlx-lm {mlx_lm.__version__} cannot load {folder}: {_first_line(error)}"
        raise ModelError(f"{why}; try another copy of the model or a newer mlx-lm") from error
    if backend.on_cpu():
        dequantize(network)
        network.set_dtype(mx.float32)
    mx.eval(network.parameters())
    return network, settings


def _tokenizer(folder: Path, settings: config.Config) -> TokenizerWrapper:
    try:
        # Without an explicit False, transformers asks on the terminal whether to run a stranger's code.
        extra = {"trust_remote_code": False, "local_files_only": True}
        tokenizer: TokenizerWrapper = load_tokenizer(folder, extra, settings.get("eos_token_id"))
    except Exception as error:  # tokenizers raises nothing narrower
        raise ModelError(
            f"The tokenizer in {folder} cannot be read: {_first_line(error)}; get the model again"
        ) from error
    return tokenizer


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(" .:")
