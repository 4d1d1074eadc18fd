"""Personas as directions in a language model, blended and added while it writes, on MLX.

The names below are loaded when they are first used: `import billy_mlx` costs no second for mlx-lm.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from billy_mlx.model import backend

if TYPE_CHECKING:
    from billy_mlx.blend.blend import Blend
    from billy_mlx.blend.directions import directions
    from billy_mlx.blend.generate import Request, generate
    from billy_mlx.extraction.extract import extract
    from billy_mlx.extraction.library import load_vectors
    from billy_mlx.extraction.vector import PersonaVector
    from billy_mlx.model.layers import Steering, record, steer
    from billy_mlx.model.load import load
    from billy_mlx.model.model import Model

__all__ = [
    "Blend",
    "Model",
    "PersonaVector",
    "Request",
    "Steering",
    "directions",
    "extract",
    "generate",
    "load",
    "load_vectors",
    "record",
    "steer",
]

_HOMES = {
    "Blend": "blend.blend",
    "Model": "model.model",
    "PersonaVector": "extraction.vector",
    "Request": "blend.generate",
    "Steering": "model.layers",
    "directions": "blend.directions",
    "extract": "extraction.extract",
    "generate": "blend.generate",
    "load": "model.load",
    "load_vectors": "extraction.library",
    "record": "model.layers",
    "steer": "model.layers",
}

# A BLAS is chosen by the import of mlx, so this has to come before it.
backend.prepare()


def __getattr__(name: str) -> object:
    """Import a public name from where it lives (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
