"""What making vectors takes, thought out beforehand: counted in tokens, with the speed that was measured here."""

from collections.abc import Iterator
from dataclasses import dataclass

from billy_mlx.blend.calibrate import CalibrationSettings
from billy_mlx.engine.messages import Estimated, EstimateTime
from billy_mlx.engine.sizes import Sizes
from billy_mlx.engine.work import Steps, Work
from billy_mlx.engine.workshop import Workshop
from billy_mlx.extraction.common import CARDS
from billy_mlx.extraction.extract import neutral_share
from billy_mlx.extraction.library import find_all, load_vectors
from billy_mlx.model.model import Model, seconds_for_step

_PROMPT, _SYSTEM, _JUDGED = 50, 70, 200  # tokens, roughly: of a question, of a system prompt, of what a judge is shown
_JUDGINGS = 1.5  # of each answer of both poles, roughly: not every judge is asked twice
_KEPT = "seconds for a step"


@dataclass(frozen=True)
class PreparingTimes:
    """Seconds that the parts of the work take.

    Attributes:
        neutral: for what all voices of a model share; 0 if it is there.
        extraction: for each vector.
        calibration: for each vector.
        missing: how many vectors have to be extracted.
        uncalibrated: how many have to be calibrated.
    """

    neutral: float
    extraction: float
    calibration: float
    missing: int
    uncalibrated: int

    @property
    def extracting(self) -> float:
        """Seconds for all extractions."""
        return self.neutral + self.extraction * self.missing if self.missing else 0.0

    @property
    def seconds(self) -> float:
        """For all of it."""
        return self.extracting + self.calibration * self.uncalibrated

    def extracted(self, share: float) -> float:
        """Return the seconds that a share of the extractions took, whose neutral part counts as one more of them."""
        parts = share * (1 + self.missing)
        return self.neutral * min(parts, 1.0) + self.extraction * max(0.0, parts - 1.0)


def plan_of(workshop: Workshop, missing: int, uncalibrated: int, sizes: Sizes) -> PreparingTimes:
    """Return what so many extractions and calibrations take with the model that is loaded."""
    model, rollouts = workshop.model, sizes.rollouts
    read = 1.0 / model.reading_speed
    step = _seconds_for_step(workshop, rollouts.batch)
    answers = rollouts.questions * rollouts.rollouts
    writing = _batches(answers, rollouts.batch) * rollouts.max_tokens * step
    common = 2 * len(CARDS) * (_SYSTEM + _PROMPT + rollouts.max_tokens)
    neutral = writing + (answers * _PROMPT + common) * read
    again = answers * (_SYSTEM + _PROMPT + _PROMPT + rollouts.max_tokens)
    extraction = writing + (again + 2 * answers * _JUDGED * _JUDGINGS) * read
    return PreparingTimes(
        neutral * (1.0 - neutral_share(model, rollouts)),
        extraction,
        _calibration(sizes.calibration, read, step),
        missing,
        uncalibrated,
    )


def estimating(workshop: Workshop, request: EstimateTime) -> Work:
    """Begin what an `EstimateTime` asks for."""
    return Steps(_estimate(workshop, request), rank=0)


def _estimate(workshop: Workshop, request: EstimateTime) -> Iterator[object]:
    model = workshop.model
    there = {} if request.again else find_all(model.fingerprint)
    missing = [persona_id for persona_id in request.personas if persona_id not in there]
    held = load_vectors([each for each in request.personas if each in there], model.id, model.fingerprint)
    uncalibrated = [vector for vector in held.values() if vector.strength is None and vector.is_difference]
    plan = plan_of(workshop, len(missing), len(missing) + len(uncalibrated), Sizes())
    yield Estimated(request.job, plan.seconds)


def _calibration(settings: CalibrationSettings, read: float, step: float) -> float:
    """Return the seconds for one vector: all strengths, plain texts and prompted ones, then the best again."""
    choosing, proving = (2 + len(settings.strengths)) * settings.prompts, 3 * settings.prompts
    steps = sum(_batches(texts, settings.batch) for texts in (choosing, proving)) * settings.max_tokens
    return steps * step + (choosing + proving) * (2 * _PROMPT + settings.max_tokens) * read


def _seconds_for_step(workshop: Workshop, rows: int) -> float:
    """Return the seconds in which so many rows are a token longer; measured once for a model."""
    kept = workshop.kept.get(_KEPT)
    if not isinstance(kept, float):
        model: Model = workshop.model
        kept = seconds_for_step(model, rows) if model.batches else rows * seconds_for_step(model, 1)
        workshop.kept[_KEPT] = kept
    return kept


def _batches(texts: int, batch: int) -> int:
    return -(-texts // batch)
