"""A persona vector: one direction per layer, for one model, and where it came from."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from billy_mlx.errors import VectorError, VectorMismatch
from billy_mlx.formats.vectors.limits import LARGEST
from billy_mlx.model.fingerprint import Fingerprint
from billy_mlx.text import sanitize
from billy_mlx.vectors.card import PERSONA_ID
from billy_mlx.vectors.measurements import WEAK_AUC, Calibration, Judgement, Quality, Strength

if TYPE_CHECKING:
    from billy_mlx.model.model import Model

Floats = NDArray[np.float32]

PROMPT_EFFECT = "prompt-effect"
"""What the persona's system prompts add to the residual stream on the same words, less what all personas' add alike."""
MEAN_DIFFERENCE = "mean-difference"
"""The paper's: mean answer as the persona less mean neutral answer, each behind its own system prompts."""
OWN_TEXT = "own-text"
"""Mean of a writer's own text less the mean of what the model writes in its place, both behind the plain prompt."""
PRINCIPAL_COMPONENT = "pca"
"""The line that most differences between the two poles lie along."""
LOGISTIC = "logistic"
"""The weights of a logistic regression that tells the poles apart."""

CHANCE = 0.5  # the AUC of guessing

_HASH = re.compile(r"[0-9a-z]{1,64}")


@dataclass(frozen=True)
class Origin:
    """Where a persona vector came from; every field is text in the file's metadata, and empty where nobody knows.

    Attributes:
        rollouts: answers per pole that the means were taken over, as "positive/neutral of so many written".
        source: for a vector that was not extracted from a card: the writer's text, another tool's file.
        method: how the directions were taken from the answers: by one of the methods above, or the name of a function.
        common: what was taken out of it because all personas have it: of which cards' system prompts, in words.
        file_version: of the file it was extracted into, where that was an earlier one than today's.
    """

    model_id: str
    card_hash: str = ""
    question_hash: str = ""
    rollouts: str = ""
    sampling: str = ""
    versions: str = ""
    date: str = ""
    source: str = ""
    method: str = ""
    common: str = ""
    file_version: str = ""


@dataclass(frozen=True, eq=False)
class PersonaVector:
    """A direction per layer that moves the model's answers towards a persona. A value: `+`, `-` and `*` work.

    Attributes:
        persona_id: the card's id. Of a sum it is the sum in words, which no file takes: to keep one, give it an id of
            its own with `dataclasses.replace`.
        fingerprint: the model it belongs to.
        directions: (layers, D) float32 in units of the residual stream, not normalised: what is steered with. By
            `origin.method`, what the persona's prompts add on the same words, or the difference of two means.
        neutral_mean: (layers, D) mean residual of the neutral answers; None where another tool's file does not say.
        residual_norm: (layers,) mean norm of the residual over neutral response tokens; None likewise.
        projection_scale: (layers,) distance between the poles along `reading`.
        reading_vector: (layers, D) what texts are read along: mean answer of the persona less mean neutral answer, both
            read behind the plain prompt as any text is; None where that is `directions` too.
        judgement: how its answers were judged; None if that is not known, as the next two.
        quality: how well it separates held-out answers.
        calibration: which layer to steer alone, and how much, in files of the first version; of a sum or a multiple
            there is none, as the next.
        strength: how often it is added layer by layer at a dose of 1.

    Source: arXiv 2510.10157, eq. 1.
    """

    persona_id: str
    fingerprint: Fingerprint
    origin: Origin
    directions: Floats
    neutral_mean: Floats | None
    residual_norm: Floats | None
    projection_scale: Floats
    reading_vector: Floats | None = None
    judgement: Judgement | None = None
    quality: Quality | None = None
    calibration: Calibration | None = None
    strength: Strength | None = None

    @classmethod
    def of(cls, model: "Model", persona_id: str, directions: ArrayLike, *, source: str = "") -> "PersonaVector":
        """Return directions of your own as a vector of a model, to be blended in the mode raw.

        What is not given is not known: no text is placed along it in gaps between poles, but in lengths of itself.

        Args:
            model: a loaded one.
            persona_id: what to call it.
            directions: (layers, D), in units of the residual stream.
            source: where they are from, in words.

        Raises:
            VectorError: they are of another shape, or hold what no model's could.
        """
        array = np.asarray(directions, np.float32)
        shape = _shape_of(model.fingerprint)
        if array.shape != shape:
            raise VectorError(f"the directions are of shape {array.shape}, and those of {model.id} are {shape}")
        scale = np.linalg.norm(array, axis=-1)
        origin = Origin(model.id, source=source or "directions in memory")
        vector = cls(persona_id, model.fingerprint, origin, array, None, None, np.asarray(scale, np.float32))
        fault = find_fault(vector)
        if fault is not None:
            raise VectorError(f"these directions cannot be a vector: {fault}")
        return vector

    def __add__(self, other: "PersonaVector") -> "PersonaVector":
        if not isinstance(other, PersonaVector):
            return NotImplemented
        self._require_same_model(other)
        reading = self.reading + other.reading
        return self._with(self.directions + other.directions, reading, f"{self.persona_id} + {other.persona_id}")

    def __radd__(self, other: int) -> "PersonaVector":
        return self if other == 0 else NotImplemented  # 0 is what sum() begins with

    def __sub__(self, other: "PersonaVector") -> "PersonaVector":
        if not isinstance(other, PersonaVector):
            return NotImplemented
        self._require_same_model(other)
        reading = self.reading - other.reading
        return self._with(self.directions - other.directions, reading, f"{self.persona_id} - {other.persona_id}")

    def __mul__(self, factor: float) -> "PersonaVector":
        if not isinstance(factor, int | float | np.floating):
            return NotImplemented
        by = np.float32(factor)
        return self._with(self.directions * by, self.reading * by, self.persona_id)

    __rmul__ = __mul__

    def __neg__(self) -> "PersonaVector":
        return self * -1.0

    @property
    def reading(self) -> Floats:
        """What texts are read along, (layers, D)."""
        return self.directions if self.reading_vector is None else self.reading_vector

    @property
    def is_measurable(self) -> bool:
        """Whether text can be placed between the poles: not where chance could tell the words apart as well."""
        interval = None if self.quality is None else self.quality.auc_interval
        return interval is None or interval[0] > CHANCE

    @property
    def is_difference(self) -> bool:
        """Whether its directions are differences of mean activations of this model, as far as anybody knows.

        Only those can be added layer by layer: what another tool's file holds may be of any length, or increments.
        """
        return self.neutral_mean is not None

    @property
    def is_former(self) -> bool:
        """Whether the version before has made it, so that it is used as that version did."""
        return self.origin.file_version == "1"

    @property
    def tensors(self) -> dict[str, Floats]:
        """The arrays there are, under the names that a file gives them."""
        arrays = {
            "persona_vector": self.directions,
            "neutral_mean": self.neutral_mean,
            "residual_norm": self.residual_norm,
            "projection_scale": self.projection_scale,
            "reading_vector": self.reading_vector,
        }
        return {name: array for name, array in arrays.items() if array is not None}

    @property
    def weakness(self) -> str | None:
        """Why it is likely to be weak, as the end of a sentence; None if nothing measured speaks against it."""
        if self.quality is not None and self.quality.auc_interval is None:
            # Of the first version. The best of many layers would be good by chance.
            auc = median(self.quality.held_out_auc)
            if auc < WEAK_AUC:
                return f"it can hardly be told from plain writing ({auc:.2f} of 1, and 0.5 is chance)"
        shown = self.calibration if self.strength is None else self.strength
        if shown is not None and self.is_measurable and not shown.shows:
            return "it does not show in what is written with it"
        return None

    @property
    def unmeasured(self) -> str | None:
        """Why no text is placed along it, as the end of a sentence; None if texts are."""
        if self.is_measurable:
            return None
        return "it cannot be measured with this model: by its words it is told from neutral answers by chance only"

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

    def _with(self, directions: Floats, reading: Floats, persona_id: str) -> "PersonaVector":
        return replace(
            self,
            directions=directions,
            reading_vector=reading,
            persona_id=persona_id,
            projection_scale=np.linalg.norm(reading, axis=-1),
            judgement=None,
            quality=None,
            calibration=None,
            strength=None,
        )


def find_fault(vector: PersonaVector) -> str | None:
    """Return why `vector` cannot be one persona's of a real model, as the end of a sentence, or None if it can."""
    if not PERSONA_ID.fullmatch(vector.persona_id):
        return f"its id is {sanitize(vector.persona_id)[:80]!r}, and ids are lower-case letters, digits, - and _"
    if not all(map(_HASH.fullmatch, (vector.fingerprint.base, vector.fingerprint.weights))):
        # They name the folder that a vector is kept in.
        base, weights = (sanitize(each)[:80] for each in (vector.fingerprint.base, vector.fingerprint.weights))
        return f"{base!r} and {weights!r} cannot be the fingerprint of a model"
    for name, array in vector.tensors.items():
        if not np.isfinite(array).all():
            return f"{name} holds a number that is not finite"
        if np.abs(array).max() > LARGEST:
            return f"{name} holds {np.abs(array).max():.3g}, and nothing in a model goes beyond {LARGEST:g}"
    if vector.residual_norm is not None and not (vector.residual_norm > 0).all():
        return "residual_norm holds a number that is not positive"
    if (vector.projection_scale < 0).any():
        return "projection_scale holds a negative number"
    return None


def read_layer(layers: int) -> int:
    """Return the layer at which texts are read, of so many: late, where what was said is in the stream."""
    return layers * 3 // 4


def cosines_at(vectors: Sequence[PersonaVector], layer: int) -> list[list[float]]:
    """Return the matrix of cosines between `vectors` at one layer; a vector that is zero there has 0 with all."""
    values = np.stack([vector.directions[layer] for vector in vectors])
    units = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
    cosines: list[list[float]] = (units @ units.T).tolist()
    return cosines


def _shape_of(fingerprint: Fingerprint) -> tuple[int, int]:
    return fingerprint.layers, fingerprint.width
