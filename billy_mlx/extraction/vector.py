"""A persona vector: one direction per layer, for one model, and where it came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from billy_mlx.errors import VectorMismatch
from billy_mlx.extraction.card import PERSONA_ID
from billy_mlx.model.fingerprint import Fingerprint
from billy_mlx.text import sanitize

Floats = NDArray[np.float32]

LARGEST = 1e8
"""No number of a vector is larger: far beyond any residual stream, and its squares, summed over any width, still fit
into a float32."""


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

    @property
    def tensors(self) -> dict[str, Floats]:
        """The arrays under the names that a file gives them."""
        return {
            "persona_vector": self.directions,
            "neutral_mean": self.neutral_mean,
            "residual_norm": self.residual_norm,
            "projection_scale": self.projection_scale,
        }

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
    for name, array in vector.tensors.items():
        if not np.isfinite(array).all():
            return f"{name} holds a number that is not finite"
        if np.abs(array).max() > LARGEST:
            return f"{name} holds {np.abs(array).max():.3g}, and nothing in a model goes beyond {LARGEST:g}"
    if not (vector.residual_norm > 0).all():
        return "residual_norm holds a number that is not positive"
    if (vector.projection_scale < 0).any():
        return "projection_scale holds a negative number"
    return None


def _shape_of(fingerprint: Fingerprint) -> tuple[int, int]:
    return fingerprint.layers, fingerprint.width
