"""A blend as a control vector, for llama.cpp and repeng."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from billy_mlx.blend.blend import Blend
from billy_mlx.blend.directions import directions
from billy_mlx.errors import UsageError
from billy_mlx.files import write_atomically
from billy_mlx.formats.vectors.control_vector import control_vector_bytes
from billy_mlx.model.model import Model
from billy_mlx.vectors.library import accept_vectors, load_vectors
from billy_mlx.vectors.vector import PersonaVector


def export_control_vector(
    model: Model, voice: Blend | str, path: str | Path, *, vectors: Mapping[str, PersonaVector] | None = None
) -> Sequence[int]:
    """Write what a blend adds, at a strength of 1, as a GGUF file, whole or not at all; return the layers it steers.

    llama.cpp adds it at every token, those of the prompt too.

    Args:
        model: it is for.
        voice: a blend, or the text of one.
        path: of the file, which is replaced if there is one.
        vectors: in memory, by id; others are loaded from disk.

    Raises:
        UsageError: a control vector cannot say what the blend does, or it does nothing.
        BillyError: a vector is missing or foreign, the weights cancel, or the file cannot be written.
    """
    blend = Blend.of(voice)
    own = {} if vectors is None else accept_vectors(vectors, model.id, model.fingerprint)
    missing = [each for each in blend.persona_ids if each not in own]
    content, layers = control_vector(blend, {**load_vectors(model, missing), **own}, model.fingerprint.architecture)
    write_atomically(Path(path), content)
    return layers


def control_vector(
    blend: Blend, vectors: Mapping[str, PersonaVector], architecture: str
) -> tuple[bytes, Sequence[int]]:
    """Return the content of a GGUF file that adds what `blend` does, and the layers it steers.

    Args:
        blend: whose vectors are all in `vectors`.
        vectors: by id.
        architecture: the kind of model, such as llama.

    Raises:
        UsageError: a control vector cannot say what the blend does, or it does nothing.
        BillyError: the weights cancel.
    """
    if blend.norm_preserving:
        raise UsageError("A control vector cannot say /np, and llama.cpp keeps no norms; leave it out of the blend")
    by_layer = directions(blend, vectors).by_layer
    steered = sorted(layer for layer, direction in by_layer.items() if direction.any())
    if not steered:
        raise UsageError(f"{blend} steers nothing, so that its control vector would be empty")
    if 0 in steered:
        others = replace(blend, layers=tuple(layer for layer in steered if layer > 0) or (1,))
        raise UsageError(f"{blend} steers layer 0, which no control vector can; leave it out, as in {others}")
    return control_vector_bytes(by_layer, architecture), steered
