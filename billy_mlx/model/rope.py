"""Where a config says how positions turn, in the words of transformers 5, said again as mlx-lm reads it.

transformers writes `rope_parameters` since its version 5, and `rope_theta` and `rope_scaling` no longer. Most
architectures of mlx-lm 0.32 know the older words only and go by their own defaults without the least remark: the model
runs, and everything it says is a little off.
"""

import inspect
import sys
from collections.abc import Mapping
from typing import Any

import mlx.nn as nn

from billy_mlx.errors import ModelError
from billy_mlx.model.config import NESTED, Config

_FULL, _SLIDING = "full_attention", "sliding_attention"
_NEW, _LOCAL = "rope_parameters", "rope_local_base_freq"


def older_words(config: Config) -> dict[str, Any]:
    """Return what is to be added to a config, so that what `rope_parameters` says stands there in the older words.

    What stands there in the older words already is left as it is.
    """
    added = _added(config)
    for name in NESTED:
        part = config.get(name)
        if isinstance(part, Mapping) and (more := _added(part)):
            added[name] = {**part, **more}
    return added


def require_read(network: nn.Module, config: Config) -> None:
    """Raise ModelError if layers turn positions at different speeds, and the network knows one speed only."""
    if not any(map(_differs, (config, *(config.get(name) for name in NESTED)))):
        return
    modules = {type(part).__module__ for part in network.modules()}
    sources = [inspect.getsource(sys.modules[name]) for name in modules if name.startswith("mlx_lm.models.")]
    if not any(word in source for source in sources for word in (_NEW, _LOCAL)):
        raise ModelError(
            f"config.json says in {_NEW} that the layers of this {config.get('model_type')} model turn positions at "
            "different speeds, which mlx-lm does not know of it; get a copy that was made for MLX"
        )


def _added(part: Config) -> dict[str, Any]:
    said = part.get(_NEW)
    if not isinstance(said, Mapping):
        return {}
    by_layer = isinstance(said.get(_FULL), Mapping)
    whole = said[_FULL] if by_layer else said
    found = {name: whole[name] for name in ("rope_theta", "partial_rotary_factor") if name in whole}
    if whole.get("rope_type", whole.get("type", "default")) != "default":
        found["rope_scaling"] = {name: value for name, value in whole.items() if name != "rope_theta"}
    if by_layer and isinstance(said.get(_SLIDING), Mapping) and "rope_theta" in said[_SLIDING]:
        found[_LOCAL] = said[_SLIDING]["rope_theta"]
    return {name: value for name, value in found.items() if part.get(name) is None}


def _differs(part: object) -> bool:
    said = part.get(_NEW) if isinstance(part, Mapping) else None
    if not isinstance(said, Mapping):
        return False
    return len({each.get("rope_theta") for each in said.values() if isinstance(each, Mapping)}) > 1
