"""Making personas ready to write with: fetched, extracted, calibrated and stored, as one job with one progress."""

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field

from billy_mlx.engine.descriptions import vector_info
from billy_mlx.engine.eta import Eta, Stopwatch
from billy_mlx.engine.jobs import BackgroundJob, JobContext, RunningJob
from billy_mlx.engine.messages import Estimated, EstimateTime, Job, LearnVoice, Prepare, Progress, VoiceReady
from billy_mlx.engine.model_catalogue import download_bytes, fetch
from billy_mlx.errors import BillyError
from billy_mlx.extraction.calibrate import CalibrationSettings, Subject, calibrate
from billy_mlx.extraction.common import CARDS
from billy_mlx.extraction.extract import extract, neutral_share
from billy_mlx.extraction.extraction import Extracted
from billy_mlx.extraction.extraction import ExtractionProgress as Stage
from billy_mlx.extraction.judge import Judge
from billy_mlx.extraction.own_text import extract_from_text
from billy_mlx.extraction.rollouts import RolloutSettings
from billy_mlx.model.model import Model, seconds_for_step
from billy_mlx.vectors.card import Persona, get_persona
from billy_mlx.vectors.library import find_all, load_vectors, store_vector
from billy_mlx.vectors.vector import PersonaVector

_BATCH = 12  # answers at once: a step has to be short, as the writer's next word waits for it


@dataclass(frozen=True)
class Sizes:
    """How much is sampled."""

    rollouts: RolloutSettings = field(default_factory=lambda: RolloutSettings(batch=_BATCH))
    calibration: CalibrationSettings = field(default_factory=lambda: CalibrationSettings(batch=_BATCH))


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


def plan_of(shared: JobContext, missing: int, uncalibrated: int, sizes: Sizes) -> PreparingTimes:
    """Return what so many extractions and calibrations take with the model that is loaded."""
    model, rollouts = shared.model, sizes.rollouts
    read = 1.0 / model.reading_speed
    step = _seconds_for_step(shared, rollouts.batch)
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


def estimating(shared: JobContext, request: EstimateTime) -> RunningJob:
    """Begin what an `EstimateTime` asks for."""
    return BackgroundJob(_estimate(shared, request), rank=0)


def _estimate(shared: JobContext, request: EstimateTime) -> Iterator[object]:
    model = shared.model
    there = {} if request.again else find_all(model.fingerprint)
    missing = [persona_id for persona_id in request.personas if persona_id not in there]
    held = load_vectors(model, [each for each in request.personas if each in there])
    uncalibrated = [vector for vector in held.values() if vector.strength is None and vector.is_difference]
    plan = plan_of(shared, len(missing), len(missing) + len(uncalibrated), Sizes())
    yield Estimated(request.job, plan.seconds)


def _calibration(settings: CalibrationSettings, read: float, step: float) -> float:
    """Return the seconds for one vector: all strengths, plain texts and prompted ones, then the best again."""
    choosing, proving = (2 + len(settings.strengths)) * settings.prompts, 3 * settings.prompts
    steps = sum(_batches(texts, settings.batch) for texts in (choosing, proving)) * settings.max_tokens
    return steps * step + (choosing + proving) * (2 * _PROMPT + settings.max_tokens) * read


def _seconds_for_step(shared: JobContext, rows: int) -> float:
    """Return the seconds in which so many rows are a token longer; measured once for a model."""
    kept = shared.kept.get(_KEPT)
    if not isinstance(kept, float):
        model: Model = shared.model
        kept = seconds_for_step(model, rows) if model.batches else rows * seconds_for_step(model, 1)
        shared.kept[_KEPT] = kept
    return kept


def _batches(texts: int, batch: int) -> int:
    return -(-texts // batch)


RANK = 2
_FETCHING = 0.4  # of the whole that begins with it, roughly: nothing is known of a model that is not there
_OF_TEXT = 0.5  # of an extraction is that of a text that is there, roughly


def preparing(shared: JobContext, request: Prepare, sizes: Sizes | None = None) -> RunningJob:
    """Begin what a `Prepare` asks for."""
    watch = Stopwatch(time.perf_counter)
    return BackgroundJob(watch.timing(_prepare(shared, request, sizes or Sizes(), watch)), RANK)


def learning(shared: JobContext, request: LearnVoice, sizes: Sizes | None = None) -> RunningJob:
    """Begin what a `LearnVoice` asks for."""
    watch = Stopwatch(time.perf_counter)
    return BackgroundJob(watch.timing(_learn(shared, request, sizes or Sizes(), watch)), RANK)


class _Whole:
    """The progress of a job whose plan is known.

    Args:
        seconds: that it is thought to take.
        before: what share of the whole was done before that began.

    Attributes:
        done: seconds of the parts that are over.
    """

    def __init__(self, job: Job, watch: Stopwatch, seconds: float, before: float = 0.0) -> None:
        self.done = 0.0
        self._job, self._before, self._seconds = job, before, max(seconds, 1e-6)
        self._pace = Eta(lambda: watch.seconds, seconds)

    def at(self, stage: str, seconds: float) -> Progress:
        """Return how far the whole is when so many `seconds` of the part under way are done."""
        share = min(1.0, (self.done + seconds) / self._seconds)
        return Progress(self._job, stage, self._before + (1 - self._before) * share, self._pace.seconds_left(share))


def _prepare(shared: JobContext, request: Prepare, sizes: Sizes, watch: Stopwatch) -> Iterator[object]:
    personas = [get_persona(persona_id) for persona_id in dict.fromkeys(request.personas)]
    fetching = 0.0
    if request.model is not None:
        fetching, pace = _FETCHING, Eta(time.perf_counter)
        for share in fetch(request.model, download_bytes(request.model)):
            whole_share = fetching * share
            yield Progress(request.job, f"downloading {request.model}", whole_share, pace.seconds_left(whole_share))
        shared.load(request.model)
    model = shared.model
    there = {} if request.again else find_all(model.fingerprint)
    missing = [persona for persona in personas if persona.id not in there]
    held = load_vectors(model, (persona.id for persona in personas if persona.id in there))
    vectors = [vector for vector in held.values() if vector.strength is None and vector.is_difference]
    plan = plan_of(shared, len(missing), len(missing) + len(vectors), sizes)
    whole = _Whole(request.job, watch, plan.seconds, fetching)
    if missing:
        vectors += yield from _extracted(shared, request.job, missing, plan, whole, sizes)
    whole.done = plan.extracting
    subjects = [Subject(vector, _card(vector)) for vector in vectors]
    yield from _calibrated(shared, request.job, subjects, plan, whole, sizes)


def _extracted(
    shared: JobContext, job: Job, missing: Sequence[Persona], plan: PreparingTimes, whole: _Whole, sizes: Sizes
) -> Generator[object, None, list[PersonaVector]]:
    vectors = []
    for news in extract(shared.model, missing, settings=sizes.rollouts, judge=Judge(shared.model)):
        if isinstance(news, Extracted):
            vectors.append(news.vector)
            yield _stored(job, news.vector)
        else:
            yield whole.at(f"preparing {news.stage}", plan.extracted(news.share))
    return vectors


def _learn(shared: JobContext, request: LearnVoice, sizes: Sizes, watch: Stopwatch) -> Iterator[object]:
    plan = plan_of(shared, 1, 1, sizes)
    extracting = plan.neutral + _OF_TEXT * plan.extraction
    whole = _Whole(request.job, watch, extracting + plan.calibration)
    steps = extract_from_text(
        shared.model, request.persona_id, request.text, source=request.source, settings=sizes.rollouts
    )
    for news in steps:
        if isinstance(news, Stage):
            yield whole.at(news.stage, extracting * news.share)
            continue
        yield _stored(request.job, news.vector)
        whole.done = extracting
        yield from _calibrated(shared, request.job, [Subject(news.vector)], plan, whole, sizes)


def _calibrated(
    shared: JobContext, job: Job, subjects: Sequence[Subject], plan: PreparingTimes, whole: _Whole, sizes: Sizes
) -> Iterator[object]:
    if not subjects:
        return
    part = plan.calibration * len(subjects)
    for news in calibrate(shared.model, subjects, settings=sizes.calibration):
        if isinstance(news, Stage):
            yield whole.at(f"measuring {news.stage}", part * news.share)
        else:
            yield _stored(job, news.vector)


def _stored(job: Job, vector: PersonaVector) -> VoiceReady:
    return VoiceReady(job, vector_info(vector, store_vector(vector)))


def _card(vector: PersonaVector) -> Persona | None:
    try:
        return get_persona(vector.persona_id)
    except BillyError:  # a voice of one's own text has none
        return None
