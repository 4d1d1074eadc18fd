"""What a report calls models and files: where they lie on this machine is nobody else's business."""

from dataclasses import replace
from pathlib import Path

from billy_mlx.model.model import Model


def as_told(model: Model) -> Model:
    """Return `model` under the name that a report has for it."""
    return replace(model, id=without_place(model.id))


def without_place(name: str) -> str:
    """Return the last part of an absolute path, or any other text as it is."""
    path = Path(name)
    return path.name if path.is_absolute() else name
