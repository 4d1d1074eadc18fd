"""Personas as directions in a language model, blended and added while it writes, on MLX.

The names below are loaded when they are first used: `import billy_mlx` costs no second for mlx-lm.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from billy_mlx.model import backend

if TYPE_CHECKING:
    from billy_mlx.model.load import Model, load

__all__ = ["Model", "load"]

_HOMES = {"Model": "billy_mlx.model.load", "load": "billy_mlx.model.load"}

# A BLAS is chosen by the import of mlx, so this has to come before it.
backend.prepare()


def __getattr__(name: str) -> object:
    """Import a public name from where it lives (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
