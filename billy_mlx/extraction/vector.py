"""A persona vector: one direction per layer, for one model, and where it came from."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from billy_mlx.errors import VectorError, VectorMismatch
from billy_mlx.extraction.card import PERSONA_ID
from billy_mlx.files import write_atomically
from billy_mlx.model.fingerprint import Fingerprint
from billy_mlx.text import sanitize

Floats = NDArray[np.float32]

LARGEST = 1e8
"""No number of a vector is larger. Residual streams have been seen at 1e6; squares of 1e8, summed over any width, stay
far below the largest float32."""

_FORMAT = "billy-persona-vector-1"
_MAX_FILE_BYTES = 1 << 29
# Tensor to attribute, in the order of the attributes.
_TENSORS = {
    "persona_vector": "directions",
    "neutral_mean": "neutral_mean",
    "residual_norm": "residual_norm",
    "projection_scale": "projection_scale",
}


@dataclass(frozen=True)
class Origin:
    """Where a persona vector came from; every field is text in the file's metadata.

    Attributes:
        rollouts: answers per pole that the means were taken over, as "positive/neutral".
        quality: measures by name, each a text of its own.
    """

    model_id: str
    card_hash: str = ""
    question_hash: str = ""
    rollouts: str = ""
    sampling: str = ""
    judge: str = "none"
    versions: str = ""
    date: str = ""
    quality: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class PersonaVector:
    """A direction per layer that moves the model's answers towards a persona. A value: `+`, `-` and `*` work.

    Attributes:
        persona_id: the card's id. Of a sum it is the sum in words, which no file takes: to keep one, give it an id of
            its own with `dataclasses.replace`.
        fingerprint: the model it belongs to.
        directions: (layers, D) float32 in units of the residual stream, not normalised: mean answer with the persona
            minus mean neutral answer.
        neutral_mean: (layers, D) mean residual of the neutral answers.
        residual_norm: (layers,) mean norm of the residual over neutral response tokens.
        projection_scale: (layers,) distance between the poles along the unit vector.

    Source: arXiv 2510.10157, eq. 1.
    """

    persona_id: str
    fingerprint: Fingerprint
    origin: Origin
    directions: Floats
    neutral_mean: Floats
    residual_norm: Floats
    projection_scale: Floats

    def __add__(self, other: "PersonaVector") -> "PersonaVector":
        if not isinstance(other, PersonaVector):
            return NotImplemented
        self._require_same_model(other)
        return self._with(self.directions + other.directions, f"{self.persona_id} + {other.persona_id}")

    def __radd__(self, other: int) -> "PersonaVector":
        return self if other == 0 else NotImplemented  # 0 is what sum() begins with

    def __sub__(self, other: "PersonaVector") -> "PersonaVector":
        if not isinstance(other, PersonaVector):
            return NotImplemented
        self._require_same_model(other)
        return self._with(self.directions - other.directions, f"{self.persona_id} - {other.persona_id}")

    def __mul__(self, factor: float) -> "PersonaVector":
        if not isinstance(factor, int | float | np.floating):
            return NotImplemented
        return self._with(self.directions * np.float32(factor), self.persona_id)

    __rmul__ = __mul__

    def __neg__(self) -> "PersonaVector":
        return self * -1.0

    def is_transferred_to(self, fingerprint: Fingerprint) -> bool:
        """Whether it came from other weights of the same base model, such as another quantisation."""
        return self.fingerprint.weights != fingerprint.weights

    def require_base(self, model_id: str, fingerprint: Fingerprint) -> None:
        """Raise VectorMismatch unless `fingerprint` is of the model this was extracted from, in any quantisation."""
        remedy = f"run: billy extract {self.persona_id} --model {model_id}"
        if self.fingerprint.base != fingerprint.base:
            raise VectorMismatch(
                f"the vector of {self.persona_id} was extracted from {self.origin.model_id}, but {model_id} is loaded; "
                f"{remedy}"
            )
        own, other = _shape_of(self.fingerprint), _shape_of(fingerprint)
        if own != other:  # the base is a hash over it, but what a file says of its base need not be true
            raise VectorMismatch(
                f"the vector of {self.persona_id} has {own[0]} layers of {own[1]}, but {model_id} has {other[0]} of "
                f"{other[1]}; {remedy}"
            )

    def _require_same_model(self, other: "PersonaVector") -> None:
        own, others = self.fingerprint, other.fingerprint
        if (own.base, _shape_of(own)) != (others.base, _shape_of(others)):
            raise VectorMismatch(
                f"{self.persona_id} belongs to {self.origin.model_id} and {other.persona_id} to "
                f"{other.origin.model_id}: vectors of different models cannot be combined"
            )

    def _with(self, directions: Floats, persona_id: str) -> "PersonaVector":
        scale = np.linalg.norm(directions, axis=-1)
        return replace(self, directions=directions, persona_id=persona_id, projection_scale=scale)


def find_fault(vector: PersonaVector) -> str | None:
    """Return why `vector` cannot be one persona's of a real model, as the end of a sentence, or None if it can."""
    if not PERSONA_ID.fullmatch(vector.persona_id):
        return f"its id is {sanitize(vector.persona_id)[:80]!r}, and ids are lower-case letters, digits, - and _"
    for name, array in _tensors(vector).items():
        if not np.isfinite(array).all():
            return f"{name} holds a number that is not finite"
        if np.abs(array).max() > LARGEST:
            return f"{name} holds {np.abs(array).max():.3g}, and nothing in a model goes beyond {LARGEST:g}"
    if not (vector.residual_norm > 0).all():
        return "residual_norm holds a number that is not positive"
    if (vector.projection_scale < 0).any():
        return "projection_scale holds a negative number"
    return None


def save_vector(vector: PersonaVector, path: Path) -> None:
    """Write `vector` as safetensors, whole or not at all.

    Raises:
        VectorError: it could not be loaded again; for a sum of vectors, see `persona_id`.
        BillyError: it cannot be written.
    """
    fault = find_fault(vector)
    if fault is not None:
        raise VectorError(f"{path} was not saved: {fault}; extract the vector again, or give a sum an id of its own")
    origin = {name: value for name, value in asdict(vector.origin).items() if name != "quality"}
    quality = {f"quality.{name}": value for name, value in vector.origin.quality.items()}
    fingerprint = {f"fingerprint.{name}": str(value) for name, value in asdict(vector.fingerprint).items()}
    metadata = {"format": _FORMAT, "persona_id": vector.persona_id, **origin, **quality, **fingerprint}
    arrays = {name: np.ascontiguousarray(array, np.float32) for name, array in _tensors(vector).items()}
    write_atomically(path, safetensors.numpy.save(arrays, metadata))


def load_vector(path: Path) -> PersonaVector:
    """Read a persona vector.

    Raises:
        VectorError: the file is missing, damaged, holds something else, or a number in it is not finite or too large.
    """
    tensors, metadata = _read(path)
    if metadata.get("format") != _FORMAT:
        raise _bad(path, f"it says it is {sanitize(metadata.get('format', 'nothing known'))[:60]!r}, not {_FORMAT!r}")
    layers, width = tensors["persona_vector"].shape
    fingerprint = _fingerprint(path, metadata)
    if (fingerprint.layers, fingerprint.width) != (layers, width):
        raise _bad(path, f"its tensors have {layers} layers of {width}, its metadata says otherwise")
    clean = {name: sanitize(value)[:2000] for name, value in metadata.items()}
    quality = {name.removeprefix("quality."): value for name, value in clean.items() if name.startswith("quality.")}
    known = {f.name for f in fields(Origin)} - {"quality"}
    origin = Origin(
        **{"model_id": "an unnamed model", **{k: v for k, v in clean.items() if k in known}}, quality=quality
    )
    arrays = (tensors[name] for name in _TENSORS)
    vector = PersonaVector(clean.get("persona_id", ""), fingerprint, origin, *arrays)
    fault = find_fault(vector)
    if fault is not None:
        raise _bad(path, fault)
    return vector


def _read(path: Path) -> tuple[dict[str, Floats], dict[str, str]]:
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise _bad(path, f"it is larger than {_MAX_FILE_BYTES >> 20} MiB")
        # Unlike mx.load, the safetensors library refuses truncated files and overlapping tensors.
        with safetensors.safe_open(path, framework="np") as file:
            names = set(file.keys())
            if names != set(_TENSORS):
                raise _bad(path, f"it holds {sanitize(', '.join(sorted(names)))[:200] or 'no tensors'}")
            _check_shapes(path, file)
            return {name: file.get_tensor(name) for name in _TENSORS}, file.metadata() or {}
    except OSError as error:
        raise _bad(path, error.strerror or str(error)) from error
    except safetensors.SafetensorError as error:
        raise _bad(path, sanitize(str(error))[:200]) from error


def _check_shapes(path: Path, file: Any) -> None:
    """Raise VectorError unless an open file's tensors fit together; NumPy has no types for some that it may hold."""
    shape = tuple(file.get_slice("persona_vector").get_shape())
    if len(shape) != 2 or 0 in shape:
        raise _bad(path, f"its vector has shape {shape}, not (layers, width)")
    expected = dict(zip(_TENSORS, (shape, shape, shape[:1], shape[:1]), strict=True))
    for name in _TENSORS:
        stored = file.get_slice(name)
        if (stored.get_dtype(), tuple(stored.get_shape())) != ("F32", expected[name]):
            raise _bad(path, f"{name} is {stored.get_dtype()} {tuple(stored.get_shape())}, not F32 {expected[name]}")


def _tensors(vector: PersonaVector) -> dict[str, Floats]:
    return {name: getattr(vector, attribute) for name, attribute in _TENSORS.items()}


def _shape_of(fingerprint: Fingerprint) -> tuple[int, int]:
    return fingerprint.layers, fingerprint.width


def _fingerprint(path: Path, metadata: Mapping[str, str]) -> Fingerprint:
    def text(name: str) -> str:
        return sanitize(metadata[f"fingerprint.{name}"])[:200]

    try:
        layers, width, vocabulary = (int(text(name)) for name in ("layers", "width", "vocabulary"))
        return Fingerprint(text("architecture"), layers, width, vocabulary, text("base"), text("weights"))
    except (KeyError, ValueError) as error:
        raise _bad(path, "its metadata lacks the fingerprint of a model") from error


def _bad(path: Path, why: str) -> VectorError:
    return VectorError(f"{path} cannot be used as a persona vector: {why}; extract it again or remove the file")
