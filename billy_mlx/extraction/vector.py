"""A persona vector: one direction per layer, for one model, and where it came from."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from billy_mlx.errors import VectorError, VectorMismatch
from billy_mlx.files import write_atomically
from billy_mlx.model.fingerprint import Fingerprint
from billy_mlx.text import sanitize

Floats = NDArray[np.float32]

_FORMAT = "billy-persona-vector-1"
_MAX_FILE_BYTES = 1 << 29
_TENSORS = ("persona_vector", "neutral_mean", "residual_norm", "projection_scale")


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
        persona_id: the card's id; of a sum, the ids that went into it.
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
        self._require_same_model(other)
        return self._with(self.directions + other.directions, f"{self.persona_id}+{other.persona_id}")

    def __sub__(self, other: "PersonaVector") -> "PersonaVector":
        self._require_same_model(other)
        return self._with(self.directions - other.directions, f"{self.persona_id}-{other.persona_id}")

    def __mul__(self, factor: float) -> "PersonaVector":
        return self._with(self.directions * np.float32(factor), self.persona_id)

    __rmul__ = __mul__

    def __neg__(self) -> "PersonaVector":
        return self * -1.0

    def is_transferred_to(self, fingerprint: Fingerprint) -> bool:
        """Whether it came from other weights of the same base model, such as another quantisation."""
        return self.fingerprint.weights != fingerprint.weights

    def require_base(self, model_id: str, fingerprint: Fingerprint) -> None:
        """Raise VectorMismatch unless `fingerprint` is of the model this was extracted from, in any quantisation."""
        if self.fingerprint.base != fingerprint.base:
            raise VectorMismatch(
                f"the vector of {self.persona_id} was extracted from {self.origin.model_id}, but {model_id} is loaded; "
                f"run: billy extract {self.persona_id} --model {model_id}"
            )

    def _require_same_model(self, other: "PersonaVector") -> None:
        if self.fingerprint.base != other.fingerprint.base:
            raise VectorMismatch(
                f"{self.persona_id} belongs to {self.origin.model_id} and {other.persona_id} to "
                f"{other.origin.model_id}: vectors of different models cannot be combined"
            )

    def _with(self, directions: Floats, persona_id: str) -> "PersonaVector":
        scale = np.linalg.norm(directions, axis=-1)
        return replace(self, directions=directions, persona_id=persona_id, projection_scale=scale)


def save_vector(vector: PersonaVector, path: Path) -> None:
    """Write `vector` as safetensors, whole or not at all."""
    tensors = dict(
        zip(
            _TENSORS,
            (vector.directions, vector.neutral_mean, vector.residual_norm, vector.projection_scale),
            strict=True,
        )
    )
    origin = {name: value for name, value in asdict(vector.origin).items() if name != "quality"}
    quality = {f"quality.{name}": value for name, value in vector.origin.quality.items()}
    fingerprint = {f"fingerprint.{name}": str(value) for name, value in asdict(vector.fingerprint).items()}
    metadata = {"format": _FORMAT, "persona_id": vector.persona_id, **origin, **quality, **fingerprint}
    arrays = {name: np.ascontiguousarray(array, np.float32) for name, array in tensors.items()}
    write_atomically(path, safetensors.numpy.save(arrays, metadata))


def load_vector(path: Path) -> PersonaVector:
    """Read a persona vector.

    Raises:
        VectorError: the file is missing, damaged, holds something else, or a number in it is not finite.
    """
    tensors, metadata = _read(path)
    if metadata.get("format") != _FORMAT:
        raise _bad(path, f"it says it is {sanitize(metadata.get('format', 'nothing known'))[:60]!r}, not {_FORMAT!r}")
    layers, width = _shape(path, tensors)
    fingerprint = _fingerprint(path, metadata)
    if (fingerprint.layers, fingerprint.width) != (layers, width):
        raise _bad(path, f"its tensors have {layers} layers of {width}, its metadata says otherwise")
    clean = {name: sanitize(value)[:2000] for name, value in metadata.items()}
    quality = {name.removeprefix("quality."): value for name, value in clean.items() if name.startswith("quality.")}
    known = {f.name for f in fields(Origin)} - {"quality"}
    origin = Origin(
        **{"model_id": "an unnamed model", **{k: v for k, v in clean.items() if k in known}}, quality=quality
    )
    return PersonaVector(clean.get("persona_id", path.stem), fingerprint, origin, *(tensors[name] for name in _TENSORS))


def _read(path: Path) -> tuple[dict[str, Floats], dict[str, str]]:
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise _bad(path, f"it is larger than {_MAX_FILE_BYTES >> 20} MiB")
        # Unlike mx.load, the safetensors library refuses truncated files and overlapping tensors.
        with safetensors.safe_open(path, framework="np") as file:
            names = set(file.keys())
            if names != set(_TENSORS):
                raise _bad(path, f"it holds {sanitize(', '.join(sorted(names)))[:200] or 'no tensors'}")
            return {name: file.get_tensor(name) for name in _TENSORS}, file.metadata() or {}
    except OSError as error:
        raise _bad(path, error.strerror or str(error)) from error
    except safetensors.SafetensorError as error:
        raise _bad(path, sanitize(str(error))[:200]) from error


def _shape(path: Path, tensors: Mapping[str, Floats]) -> tuple[int, int]:
    shape = tensors["persona_vector"].shape
    if len(shape) != 2:
        raise _bad(path, f"its vector has shape {shape}, not (layers, width)")
    expected = dict(zip(_TENSORS, (shape, shape, shape[:1], shape[:1]), strict=True))
    for name, array in tensors.items():
        if array.shape != expected[name] or array.dtype != np.float32:
            raise _bad(path, f"{name} is {array.dtype} {array.shape}, not float32 {expected[name]}")
        if not np.isfinite(array).all():
            raise _bad(path, f"{name} holds a number that is not finite")
    if not (tensors["residual_norm"] > 0).all():
        raise _bad(path, "residual_norm holds a number that is not positive")
    return shape[0], shape[1]


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
