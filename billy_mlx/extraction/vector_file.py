"""Persona vectors as safetensors files: where it came from in the metadata, nothing believed that cannot be true."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import TypeVar

import numpy as np
import safetensors
import safetensors.numpy

from billy_mlx.errors import VectorError
from billy_mlx.extraction.evidence_text import (
    calibration_text,
    judgement_text,
    parse_calibration,
    parse_judgement,
    parse_quality,
    parse_strength,
    quality_text,
    strength_text,
)
from billy_mlx.extraction.vector import MEAN_DIFFERENCE, OWN_TEXT, Floats, Origin, PersonaVector, find_fault
from billy_mlx.files import write_atomically
from billy_mlx.model.fingerprint import Fingerprint
from billy_mlx.text import sanitize

FORMAT = "billy-persona-vector-2"
FORMERLY = "billy-persona-vector-1"
"""Files of the first version: texts are read along the directions, which hold the system prompts as well."""
MAX_FILE_BYTES = 1 << 29

_ALWAYS = ("persona_vector", "projection_scale")
_PERHAPS = ("neutral_mean", "residual_norm", "reading_vector")  # other tools' files do not say

_MOST_EVIDENCE = 1 << 18  # characters
_Evidence = TypeVar("_Evidence")


def save_vector(vector: PersonaVector, path: Path) -> None:
    """Write `vector` as safetensors, whole or not at all.

    Raises:
        VectorError: it could not be loaded again; for a sum of vectors, see `persona_id`.
        BillyError: it cannot be written.
    """
    fault = find_fault(vector)
    if fault is not None:
        raise VectorError(f"{path} was not saved: {fault}; extract the vector again, or give a sum an id of its own")
    arrays, metadata = to_content(vector)
    write_atomically(path, safetensors.numpy.save(arrays, {"format": FORMAT, **metadata}))


def load_vector(path: Path) -> PersonaVector:
    """Read a persona vector.

    Raises:
        VectorError: the file is missing, damaged, holds something else, or a number in it is not finite or too large.
    """
    arrays, metadata = _read(path)
    found = metadata.get("format", "nothing known")
    if found not in (FORMAT, FORMERLY):
        raise _bad(path, f"it says it is {sanitize(found)[:60]!r}, not {FORMAT!r}")
    try:
        return from_content(arrays, metadata if found == FORMAT else formerly(metadata, arrays))
    except ValueError as error:
        raise _bad(path, str(error)) from error


def formerly(metadata: Mapping[str, str], arrays: Mapping[str, Floats]) -> dict[str, str]:
    """Return the metadata of a file of the first version, with what it left unsaid."""
    ours = "neutral_mean" in arrays  # else another tool's
    method = "" if not ours else OWN_TEXT if metadata.get("source") else MEAN_DIFFERENCE
    return {**metadata, "method": method, "file_version": "1" if ours else ""}


def to_content(vector: PersonaVector) -> tuple[dict[str, Floats], dict[str, str]]:
    """Return the tensors and the metadata by which a file carries `vector`."""
    fingerprint = {f"fingerprint.{name}": str(value) for name, value in asdict(vector.fingerprint).items()}
    evidence = {
        "judgement": None if vector.judgement is None else judgement_text(vector.judgement),
        "quality": None if vector.quality is None else quality_text(vector.quality),
        "calibration": None if vector.calibration is None else calibration_text(vector.calibration),
        "strength": None if vector.strength is None else strength_text(vector.strength),
    }
    known = {name: text for name, text in evidence.items() if text is not None}
    metadata = {"persona_id": vector.persona_id, **asdict(vector.origin), **fingerprint, **known}
    return {name: np.ascontiguousarray(array, np.float32) for name, array in vector.tensors.items()}, metadata


def from_content(arrays: Mapping[str, Floats], metadata: Mapping[str, str]) -> PersonaVector:
    """Return the vector that tensors and metadata of a stranger's file are.

    Raises:
        ValueError: they are not one; its text says why, as the end of a sentence.
    """
    layers, width = _checked_shapes(arrays)
    fingerprint = _fingerprint(metadata)
    if (fingerprint.layers, fingerprint.width) != (layers, width):
        said = f"{fingerprint.layers} of {fingerprint.width}"
        raise ValueError(f"its tensors have {layers} layers of {width}, and its model's fingerprint says {said}")
    origin = {f.name: sanitize(metadata[f.name])[:2000] for f in fields(Origin) if f.name in metadata}
    vector = PersonaVector(
        persona_id=sanitize(metadata.get("persona_id", "")),
        fingerprint=fingerprint,
        origin=Origin(**{"model_id": "an unnamed model", **origin}),
        directions=arrays["persona_vector"],
        neutral_mean=arrays.get("neutral_mean"),
        residual_norm=arrays.get("residual_norm"),
        projection_scale=arrays["projection_scale"],
        reading_vector=arrays.get("reading_vector"),
        judgement=_evidence(metadata, "judgement", parse_judgement),
        quality=_evidence(metadata, "quality", lambda text: parse_quality(text, layers)),
        calibration=_evidence(metadata, "calibration", lambda text: parse_calibration(text, layers)),
        strength=_evidence(metadata, "strength", parse_strength),
    )
    fault = find_fault(vector)
    if fault is not None:
        raise ValueError(fault)
    return vector


def _read(path: Path) -> tuple[dict[str, Floats], dict[str, str]]:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise _bad(path, f"it is larger than {MAX_FILE_BYTES >> 20} MiB")
        # Unlike mx.load, the safetensors library refuses truncated files and overlapping tensors.
        with safetensors.safe_open(path, framework="np") as file:
            names = set(file.keys())
            if not {*_ALWAYS} <= names <= {*_ALWAYS, *_PERHAPS}:
                raise _bad(path, f"it holds {sanitize(', '.join(sorted(names)))[:200] or 'no tensors'}")
            for name in sorted(names):  # before they are read: NumPy has no types for some that a file may hold
                if file.get_slice(name).get_dtype() != "F32":
                    raise _bad(path, f"{name} is {file.get_slice(name).get_dtype()}, not F32")
            return {name: file.get_tensor(name) for name in sorted(names)}, file.metadata() or {}
    except OSError as error:
        raise _bad(path, error.strerror or str(error)) from error
    except safetensors.SafetensorError as error:
        raise _bad(path, sanitize(str(error))[:200]) from error


def _checked_shapes(arrays: Mapping[str, Floats]) -> tuple[int, int]:
    shape = arrays["persona_vector"].shape
    if len(shape) != 2 or 0 in shape:
        raise ValueError(f"its vector has shape {shape}, not (layers, width)")
    whole = ("persona_vector", "neutral_mean", "reading_vector")
    expected: dict[str, tuple[int, ...]] = dict.fromkeys(whole, shape)
    for name, array in arrays.items():
        if array.shape != expected.get(name, shape[:1]):
            raise ValueError(f"{name} is {array.shape}, not {expected.get(name, shape[:1])}")
    return shape[0], shape[1]


def _fingerprint(metadata: Mapping[str, str]) -> Fingerprint:
    def text(name: str) -> str:
        return sanitize(metadata[f"fingerprint.{name}"])[:200]

    try:
        layers, width, vocabulary = (int(text(name)) for name in ("layers", "width", "vocabulary"))
        return Fingerprint(text("architecture"), layers, width, vocabulary, text("base"), text("weights"))
    except (KeyError, ValueError) as error:
        raise ValueError("its metadata lacks the fingerprint of a model") from error


def _evidence(metadata: Mapping[str, str], name: str, parse: Callable[[str], _Evidence]) -> _Evidence | None:
    text = metadata.get(name)
    if text is None:
        return None
    try:
        if len(text) > _MOST_EVIDENCE:
            raise ValueError("it is too long")
        return parse(text)
    except ValueError as error:
        raise ValueError(f"what it says of its {name} cannot be: {sanitize(str(error))[:200]}") from error


def _bad(path: Path, why: str) -> VectorError:
    return VectorError(f"{path} cannot be used as a persona vector: {why}; extract it again or remove the file")
