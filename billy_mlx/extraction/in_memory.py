"""Persona vectors that somebody hands over in memory, believed no more than a file is."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from billy_mlx.errors import UsageError, VectorError
from billy_mlx.extraction.card import PERSONA_ID
from billy_mlx.extraction.vector import PersonaVector
from billy_mlx.extraction.vector_file import from_content, to_content
from billy_mlx.model.fingerprint import Fingerprint
from billy_mlx.text import sanitize

_ALWAYS = ("persona_vector", "projection_scale")


def accept_vectors(
    vectors: Mapping[str, PersonaVector], model_id: str, fingerprint: Fingerprint
) -> dict[str, PersonaVector]:
    """Return `vectors` as they would come from disk had each been saved under its id: float32, and checked.

    Args:
        vectors: by the id that a blend calls each by, whatever its own persona_id; shapes and units are those of
            `PersonaVector`, the floats may be of any size.

    Raises:
        UsageError: it is no mapping, an id is not one that a persona can have, or a value is not a PersonaVector.
        VectorMismatch: a vector is of another base model.
        VectorError: an array has another shape than the model or is not of floats, a number in it is not finite or
            too large, or what a vector says was measured of it cannot be.
    """
    _require_mapping(vectors)
    return {persona_id: _accepted(persona_id, vectors[persona_id], model_id, fingerprint) for persona_id in vectors}


def _accepted(persona_id: str, vector: PersonaVector, model_id: str, fingerprint: Fingerprint) -> PersonaVector:
    _require_vector(persona_id, vector)
    named = replace(vector, persona_id=persona_id)
    named.require_base(model_id, fingerprint)
    try:
        _require_floats(named)
        with np.errstate(over="ignore"):  # what float32 cannot hold is then not finite, and refused as such
            content = to_content(named)
        return from_content(*content)
    except ValueError as error:
        raise VectorError(f"the vector given as {persona_id} cannot be used: {error}") from error


def _require_mapping(vectors: object) -> None:
    if not isinstance(vectors, Mapping):
        raise UsageError(
            f"vectors is a {type(vectors).__name__}; give each vector under an id, such as vectors={{'mine': vector}}"
        )


def _require_vector(persona_id: object, vector: object) -> None:
    if not isinstance(persona_id, str) or not PERSONA_ID.fullmatch(persona_id):
        shown = sanitize(repr(persona_id)[:80])
        raise UsageError(f"{shown} cannot be the id of a vector; ids are lower-case letters, digits, - and _")
    if not isinstance(vector, PersonaVector):
        raise UsageError(f"{persona_id} is given a {type(vector).__name__}; give it a PersonaVector")


def _require_floats(vector: PersonaVector) -> None:
    for name, array in (dict.fromkeys(_ALWAYS) | vector.tensors).items():
        if not isinstance(array, np.ndarray):
            raise ValueError(f"{name} is a {type(array).__name__}, not a NumPy array of floats")
        if array.dtype.kind != "f":
            raise ValueError(f"{name} is of {array.dtype}, not of floats")
