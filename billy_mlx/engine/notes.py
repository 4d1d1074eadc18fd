"""What the engine tells of a model and of its persona vectors."""

from pathlib import Path
from statistics import median

from billy_mlx.engine.messages import ModelNote, VoiceNote
from billy_mlx.errors import BillyError
from billy_mlx.extraction.library import card_changed, find_all, is_bundled
from billy_mlx.extraction.vector import PersonaVector
from billy_mlx.extraction.vector_file import load_vector
from billy_mlx.model.load import STARTER
from billy_mlx.model.model import Model


def model_note(model: Model) -> ModelNote:
    """Return what is known of a loaded model."""
    return ModelNote(
        id=model.id,
        layers=model.fingerprint.layers,
        width=model.fingerprint.width,
        chat=getattr(model.tokenizer, "chat_template", None) is not None,
        batches=model.batches,
        demonstration=model.id == STARTER,
    )


def voice_notes(model: Model) -> tuple[dict[str, VoiceNote], tuple[str, ...]]:
    """Return what is known of every vector there is for a model, and a sentence for each that cannot be read."""
    notes: dict[str, VoiceNote] = {}
    faults: list[str] = []
    for persona_id, path in find_all(model.fingerprint).items():
        try:
            notes[persona_id] = voice_note(load_vector(path), path)
        except BillyError as error:
            faults.append(str(error))
    return notes, tuple(faults)


def voice_note(vector: PersonaVector, path: Path) -> VoiceNote:
    """Return what is known of a vector, which is in the file at `path`."""
    found, quality = vector.calibration, vector.quality
    return VoiceNote(
        persona_id=vector.persona_id,
        weakness=vector.weakness,
        outdated=card_changed(vector),
        gentle=None if found is None else found.gentle / found.full,
        too_much=None if found is None or found.too_much is None else found.too_much / found.full,
        layer=None if found is None else found.layer,
        auc=None if quality is None else median(quality.held_out_auc),
        own=not is_bundled(path),
        source=vector.origin.source,
    )
