"""What a text depends on besides what was asked for: the model, the persona vectors, the programs, the device."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version

from billy_mlx.model.backend import device_name
from billy_mlx.model.fingerprint import Fingerprint
from billy_mlx.vectors.vector import PersonaVector

CACHE_RULE = "a cached token is used again if it was read under the direction that is due at its place"

_PROGRAMS = ("billy-mlx", "mlx", "mlx-lm")


def model_marks(fingerprint: Fingerprint) -> dict[str, str]:
    """Return a model's fingerprint as text, by name."""
    return {name: str(value) for name, value in asdict(fingerprint).items()}


def vector_mark(vector: PersonaVector) -> str:
    """Return a checksum of what steering reads of a persona vector; without a strength, that of the version before."""
    calibration, strength = vector.calibration, vector.strength
    layer_and_dose = None if calibration is None else (calibration.layer, calibration.full)
    how_much = layer_and_dose if strength is None else (layer_and_dose, strength.full)
    digest = hashlib.sha256(repr(how_much).encode())
    for array in (vector.directions, vector.residual_norm):
        digest.update(b"none" if array is None else array.tobytes())
    return digest.hexdigest()[:16]


def vector_marks(vectors: Mapping[str, PersonaVector]) -> dict[str, str]:
    """Return the checksums of persona vectors, by persona id."""
    return {persona_id: vector_mark(vector) for persona_id, vector in sorted(vectors.items())}


def surroundings() -> dict[str, str]:
    """Return the versions of what computes a text, and the device it is computed on."""
    return {program: version(program) for program in _PROGRAMS} | {"device": device_name()}
