"""Persona vectors as safetensors files: where it came from in the metadata, nothing believed that cannot be true."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from billy_mlx.errors import VectorError
from billy_mlx.extraction.vector import Floats, Origin, PersonaVector, find_fault
from billy_mlx.files import write_atomically
from billy_mlx.model.fingerprint import Fingerprint
from billy_mlx.text import sanitize

_FORMAT = "billy-persona-vector-1"
_MAX_FILE_BYTES = 1 << 29
_TENSORS = ("persona_vector", "neutral_mean", "residual_norm", "projection_scale")  # as PersonaVector takes them


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
    arrays = {name: np.ascontiguousarray(array, np.float32) for name, array in vector.tensors.items()}
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
