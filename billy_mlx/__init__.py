"""Personas as directions in a language model, blended and added while it writes, on MLX.

The names below are loaded when they are first used: `import billy_mlx` costs no second for mlx-lm.
"""

import warnings
from importlib import import_module
from typing import TYPE_CHECKING

from billy_mlx.model import backend

if TYPE_CHECKING:
    from billy_mlx.blend.blend import Blend
    from billy_mlx.blend.directions import directions
    from billy_mlx.blend.recipe import Message, Prompt, Recipe, Take, Turn
    from billy_mlx.blend.writer import Writer, generate
    from billy_mlx.extraction.extract import extract
    from billy_mlx.model.hooks import hook
    from billy_mlx.model.layers import Steering, record, steer
    from billy_mlx.model.load import load
    from billy_mlx.model.model import Model
    from billy_mlx.model.sampling import Sampling
    from billy_mlx.model.wrap import wrap
    from billy_mlx.vectors.card import Persona
    from billy_mlx.vectors.library import load_vectors
    from billy_mlx.vectors.token_scores import token_scores
    from billy_mlx.vectors.vector import PersonaVector

__all__ = [
    "Blend",
    "Message",
    "Model",
    "Persona",
    "PersonaVector",
    "Prompt",
    "Recipe",
    "Sampling",
    "Steering",
    "Take",
    "Turn",
    "Writer",
    "directions",
    "extract",
    "generate",
    "hook",
    "load",
    "load_vectors",
    "record",
    "steer",
    "token_scores",
    "wrap",
]

_HOMES = {
    "Blend": "blend.blend",
    "Message": "blend.recipe",
    "Model": "model.model",
    "Persona": "vectors.card",
    "PersonaVector": "vectors.vector",
    "Prompt": "blend.recipe",
    "Recipe": "blend.recipe",
    "Sampling": "model.sampling",
    "Steering": "model.layers",
    "Take": "blend.recipe",
    "Turn": "blend.recipe",
    "Writer": "blend.writer",
    "directions": "blend.directions",
    "extract": "extraction.extract",
    "generate": "blend.writer",
    "hook": "model.hooks",
    "load": "model.load",
    "load_vectors": "vectors.library",
    "record": "model.layers",
    "steer": "model.layers",
    "token_scores": "vectors.token_scores",
    "wrap": "model.wrap",
}

# A BLAS is chosen by the import of mlx, so this has to come before it.
backend.prepare()


def __getattr__(name: str) -> object:
    """Import a public name from where it lives (PEP 562)."""
    if name == "Request":
        return _former_request()
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def _former_request() -> object:
    """Return what makes a recipe of the arguments that `Request` took, and warn of its end."""
    warnings.warn(
        "billy_mlx.Request is now billy_mlx.Recipe.of, with `text` first; the old name goes with the next version",
        DeprecationWarning,
        stacklevel=3,
    )
    make = import_module(f"{__name__}.blend.recipe").Recipe.of

    def request(
        prompt: str, system: str | None = None, chat: bool = True, prefix: str = "", **settings: object
    ) -> object:
        return make(prompt, system=system, chat=chat, prefix=prefix, **settings)

    return request


def __dir__() -> list[str]:
    return sorted(__all__)
