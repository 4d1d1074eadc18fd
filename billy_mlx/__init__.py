"""Personas as directions in a language model, blended and added while it writes, on MLX.

The names below are loaded when they are first used: `import billy_mlx` costs no second for mlx-lm.
"""

import warnings
from importlib import import_module
from typing import TYPE_CHECKING

from billy_mlx.model import backend

if TYPE_CHECKING:
    from billy_mlx.blend.blend import Blend
    from billy_mlx.blend.control_vector import export_control_vector
    from billy_mlx.blend.directions import directions
    from billy_mlx.blend.prompt_tokens import prompt_tokens
    from billy_mlx.blend.recipe import Message, Prompt, Recipe, Take, Turn
    from billy_mlx.blend.writer import Writer, generate
    from billy_mlx.extraction.activations_file import Activations, load_activations
    from billy_mlx.extraction.extract import extract
    from billy_mlx.extraction.extraction import Extracted, Extraction
    from billy_mlx.extraction.methods import logistic, mean_difference, principal_component
    from billy_mlx.extraction.rollouts import RolloutSettings
    from billy_mlx.model.hooks import ablate, add, clamp, gate, hook
    from billy_mlx.model.layers import Steering, record, steer
    from billy_mlx.model.load import load
    from billy_mlx.model.model import Model
    from billy_mlx.model.sampling import Sampling
    from billy_mlx.model.wrap import wrap
    from billy_mlx.vectors.card import Persona
    from billy_mlx.vectors.library import load_vectors, store_vector
    from billy_mlx.vectors.token_scores import LiveScores, TokenScores, token_scores
    from billy_mlx.vectors.vector import PersonaVector
    from billy_mlx.vectors.vector_file import load_vector, save_vector

__all__ = [
    "Activations",
    "Blend",
    "Extracted",
    "Extraction",
    "LiveScores",
    "Message",
    "Model",
    "Persona",
    "PersonaVector",
    "Prompt",
    "Recipe",
    "RolloutSettings",
    "Sampling",
    "Steering",
    "Take",
    "TokenScores",
    "Turn",
    "Writer",
    "ablate",
    "add",
    "clamp",
    "directions",
    "export_control_vector",
    "extract",
    "gate",
    "generate",
    "hook",
    "load",
    "load_activations",
    "load_vector",
    "load_vectors",
    "logistic",
    "mean_difference",
    "principal_component",
    "prompt_tokens",
    "record",
    "save_vector",
    "steer",
    "store_vector",
    "token_scores",
    "wrap",
]

_HOMES = {
    "Activations": "extraction.activations_file",
    "Blend": "blend.blend",
    "Extracted": "extraction.extraction",
    "Extraction": "extraction.extraction",
    "LiveScores": "vectors.token_scores",
    "Message": "blend.recipe",
    "Model": "model.model",
    "Persona": "vectors.card",
    "PersonaVector": "vectors.vector",
    "Prompt": "blend.recipe",
    "Recipe": "blend.recipe",
    "RolloutSettings": "extraction.rollouts",
    "Sampling": "model.sampling",
    "Steering": "model.layers",
    "Take": "blend.recipe",
    "TokenScores": "vectors.token_scores",
    "Turn": "blend.recipe",
    "Writer": "blend.writer",
    "ablate": "model.hooks",
    "add": "model.hooks",
    "clamp": "model.hooks",
    "directions": "blend.directions",
    "export_control_vector": "blend.control_vector",
    "extract": "extraction.extract",
    "gate": "model.hooks",
    "generate": "blend.writer",
    "hook": "model.hooks",
    "load": "model.load",
    "load_activations": "extraction.activations_file",
    "load_vector": "vectors.vector_file",
    "load_vectors": "vectors.library",
    "logistic": "extraction.methods",
    "mean_difference": "extraction.methods",
    "principal_component": "extraction.methods",
    "prompt_tokens": "blend.prompt_tokens",
    "record": "model.layers",
    "save_vector": "vectors.vector_file",
    "steer": "model.layers",
    "store_vector": "vectors.library",
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
