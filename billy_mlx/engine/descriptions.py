"""What the engine tells about a model and about its persona vectors."""

from pathlib import Path

from billy_mlx.engine.messages import ModelInfo, VectorInfo
from billy_mlx.errors import BillyError
from billy_mlx.extraction.calibrate import doses_of
from billy_mlx.model.load import STARTER
from billy_mlx.model.model import Model
from billy_mlx.vectors.library import card_changed, find_all, is_bundled
from billy_mlx.vectors.vector import PersonaVector, read_layer
from billy_mlx.vectors.vector_file import load_vector


def model_info(model: Model) -> ModelInfo:
    """Return what is known of a loaded model."""
    return ModelInfo(
        id=model.id,
        layers=model.fingerprint.layers,
        width=model.fingerprint.width,
        chat=getattr(model.tokenizer, "chat_template", None) is not None,
        batches=model.batches,
        demonstration=model.id == STARTER,
    )


def vector_infos(model: Model) -> tuple[dict[str, VectorInfo], tuple[str, ...]]:
    """Return what is known of every vector there is for a model, and a sentence for each that cannot be read."""
    notes: dict[str, VectorInfo] = {}
    faults: list[str] = []
    for persona_id, path in find_all(model.fingerprint).items():
        try:
            notes[persona_id] = vector_info(load_vector(path), path)
        except BillyError as error:
            faults.append(str(error))
    return notes, tuple(faults)


def vector_info(vector: PersonaVector, path: Path) -> VectorInfo:
    """Return what is known of a vector, which is in the file at `path`."""
    found, quality = vector.strength, vector.quality
    gentle, too_much = _doses(vector)
    layer = read_layer(len(vector.directions))
    return VectorInfo(
        persona_id=vector.persona_id,
        weakness=vector.weakness,
        outdated=card_changed(vector),
        gentle=gentle,
        too_much=too_much,
        strength=None if found is None else found.full,
        layer=None if vector.calibration is None else vector.calibration.layer,
        auc=None if quality is None else quality.held_out_auc[layer],
        effect=_effect(vector),
        own=not is_bundled(path),
        source=vector.origin.source,
    )


def _doses(vector: PersonaVector) -> tuple[float | None, float | None]:
    """Return the doses that are gentle and too much, where 1 is full; None where that is not known."""
    if vector.strength is not None:
        return doses_of(vector.strength)
    found = vector.calibration
    if found is None:
        return None, None
    return found.gentle / found.full, None if found.too_much is None else found.too_much / found.full


def _effect(vector: PersonaVector) -> float | None:
    """Return the lower end of what a full dose was measured to do; None if nobody has measured it."""
    if vector.strength is not None:
        return vector.strength.effect_interval[0]
    return None if vector.calibration is None else vector.calibration.effect_low
