"""From what another tool's file holds to a persona vector of a model."""

from datetime import date
from pathlib import Path

import numpy as np

from billy_mlx.errors import VectorError, VectorMismatch
from billy_mlx.extraction.library import find_all, vector_path
from billy_mlx.extraction.vector import Floats, Origin, PersonaVector, find_fault
from billy_mlx.extraction.vector_file import load_vector, to_content
from billy_mlx.formats.vectors.control_vector import ControlVector
from billy_mlx.formats.vectors.limits import LARGEST, refusal
from billy_mlx.formats.vectors.torch_file import TensorRows
from billy_mlx.model.fingerprint import Fingerprint
from billy_mlx.text import sanitize


def to_vector(
    foreign: ControlVector | TensorRows,
    persona_id: str,
    model_id: str,
    fingerprint: Fingerprint,
    residual_norm: Floats | None,
) -> PersonaVector:
    """Return the vector that another tool's file is for a model; what the file does not say is unknown.

    Args:
        residual_norm: (layers,) of the model, None if nobody knows.

    Raises:
        VectorMismatch: it does not fit the model.
        VectorError: a number is not finite or too large, or all are zero.
    """
    tool, directions = _fitted(foreign, model_id, fingerprint)
    source = f"{tool}: {sanitize(foreign.path.name)}"
    vector = PersonaVector(
        persona_id=persona_id,
        fingerprint=fingerprint,
        origin=Origin(model_id=model_id, date=date.today().isoformat(), source=source),
        directions=directions,
        neutral_mean=None,
        residual_norm=residual_norm,
        projection_scale=np.linalg.norm(np.clip(directions, -LARGEST, LARGEST), axis=-1),
    )
    fault = find_fault(vector)
    if fault is not None:
        raise refusal(foreign.path, fault)
    if not directions.any():
        raise refusal(foreign.path, "it holds nothing but zeros")
    return vector


def doubt_about(foreign: ControlVector | TensorRows, model_id: str, fingerprint: Fingerprint) -> str | None:
    """Return what speaks against a file being for that model although it may fit, as a sentence, or None."""
    if isinstance(foreign, ControlVector) and foreign.contradicts(fingerprint.architecture):
        name = sanitize(foreign.path.name)
        return f"{name} says it is for {foreign.model_hint}, but {model_id} is {fingerprint.architecture}"
    return None


def _fitted(foreign: ControlVector | TensorRows, model_id: str, fingerprint: Fingerprint) -> tuple[str, Floats]:
    """Return which tool wrote a file, and its directions (layers, D): the number of rows of a `.pt` tells."""
    layers, width = fingerprint.layers, fingerprint.width
    if isinstance(foreign, ControlVector):
        return "control vector", foreign.as_layers(model_id, layers, width)
    name, (count, own) = sanitize(str(foreign.path)), foreign.values.shape
    remedy = "name the model it was made for with --model"
    if own != width:
        raise VectorMismatch(f"{name} has rows of width {own}, but {model_id} has {width}; {remedy}")
    if count == layers + 1:
        return "persona_vectors", _without_embedding(foreign.values)
    if count == layers:
        return "hidden-directions", foreign.values  # row B is block B
    raise VectorMismatch(
        f"{name} has {count} rows, but {model_id} has {layers} layers, for which there are {layers} or {layers + 1}; "
        f"{remedy}"
    )


def _without_embedding(rows: Floats) -> Floats:
    """Return (layers, D) of what persona_vectors stores, (layers + 1, D): block B is row B + 1, and the last is zero.

    Its rows are the hidden states of transformers: the embedding, then the output of every block, of which the last has
    gone through the model's final norm and is no longer what the last block hands on.
    """
    return np.concatenate([rows[1:-1], np.zeros_like(rows[:1])])


def rival_of(vector: PersonaVector) -> Path | None:
    """Return the file, the user's or a bundled one, that is found for just that persona and model until now."""
    found = find_all(vector.fingerprint).get(vector.persona_id)
    place = vector_path(vector.persona_id, vector.fingerprint)
    return found if found is not None and found.parent.name == place.parent.name else None


def holds(path: Path, vector: PersonaVector) -> bool:
    """Whether the file at `path` is that of this very vector."""
    try:
        arrays, metadata = to_content(load_vector(path))
    except VectorError:
        return False
    own_arrays, own_metadata = to_content(vector)
    same = arrays.keys() == own_arrays.keys() and all(np.array_equal(arrays[name], own_arrays[name]) for name in arrays)
    return same and metadata == own_metadata


def measured_norms(model_id: str, fingerprint: Fingerprint) -> tuple[str, Floats] | None:
    """Return whose vector says what the model's residual norms (layers,) are, and the norms; None if none does.

    They are the model's own, whatever the persona, and count only where they were measured here.
    """
    for persona_id, path in find_all(fingerprint).items():
        try:
            vector = load_vector(path)
            vector.require_base(model_id, fingerprint)
        except VectorError:
            continue  # what is wrong with it is said where it is used
        if vector.residual_norm is not None and vector.neutral_mean is not None:
            return persona_id, vector.residual_norm
    return None
