"""Making personas ready to write with: fetched, extracted, calibrated and stored, as one job with one progress."""

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field

from billy_mlx.blend.calibrate import CalibrationSettings, Subject, calibrate
from billy_mlx.engine.fetching import fetch
from billy_mlx.engine.messages import Job, LearnVoice, Prepare, Progress, VoiceReady
from billy_mlx.engine.notes import voice_note
from billy_mlx.engine.offers import download_bytes
from billy_mlx.engine.pace import Pace
from billy_mlx.engine.work import Steps, Work
from billy_mlx.engine.workshop import Workshop
from billy_mlx.errors import BillyError
from billy_mlx.extraction.card import Persona, get_persona
from billy_mlx.extraction.extract import Extracted, extract
from billy_mlx.extraction.extract import Progress as Stage
from billy_mlx.extraction.judge import Judge
from billy_mlx.extraction.library import find_all, load_vectors, store_vector
from billy_mlx.extraction.rollouts import RolloutSettings
from billy_mlx.extraction.vector import PersonaVector
from billy_mlx.extraction.writing import extract_from_text

RANK = 2
_BATCH = 12  # answers at once: a step has to be short, as the writer's next word waits for it
_FETCHING, _EXTRACTING, _CALIBRATING = 2.0, 1.0, 0.6  # of the work, roughly: for a model, and for each persona


@dataclass(frozen=True)
class Sizes:
    """How much is sampled."""

    rollouts: RolloutSettings = field(default_factory=lambda: RolloutSettings(batch=_BATCH))
    calibration: CalibrationSettings = field(default_factory=lambda: CalibrationSettings(batch=_BATCH))


def preparing(workshop: Workshop, request: Prepare, sizes: Sizes | None = None) -> Work:
    """Begin what a `Prepare` asks for."""
    return Steps(_prepare(workshop, request, sizes or Sizes()), RANK)


def learning(workshop: Workshop, request: LearnVoice, sizes: Sizes | None = None) -> Work:
    """Begin what a `LearnVoice` asks for."""
    return Steps(_learn(workshop, request, sizes or Sizes()), RANK)


class _Whole:
    """The progress of a job in parts."""

    def __init__(self, job: Job, parts: float) -> None:
        self.done = 0.0
        self._job, self._parts, self._pace = job, parts, Pace(time.perf_counter)

    def at(self, stage: str, part: float, share: float) -> Progress:
        """Return how far the whole is when `share` of a part of this size is done."""
        whole = min(1.0, (self.done + part * share) / self._parts)
        return Progress(self._job, stage, whole, self._pace.seconds_left(whole))


def _prepare(workshop: Workshop, request: Prepare, sizes: Sizes) -> Iterator[object]:
    personas = [get_persona(persona_id) for persona_id in dict.fromkeys(request.personas)]
    count = len(personas)
    fetching = _FETCHING if request.model is not None else 0.0
    whole = _Whole(request.job, fetching + _EXTRACTING * (1 + count) + _CALIBRATING * count)
    if request.model is not None:
        for share in fetch(request.model, download_bytes(request.model)):
            yield whole.at(f"fetching {request.model}", fetching, share)
        whole.done += fetching
        workshop.load(request.model)
    vectors = yield from _extracted(workshop, request, personas, whole, sizes)
    whole.done = fetching + _EXTRACTING * (1 + count)
    yield from _calibrated(workshop, request.job, [Subject(v, _card(v)) for v in vectors], whole, sizes)


def _extracted(
    workshop: Workshop, request: Prepare, personas: Sequence[Persona], whole: _Whole, sizes: Sizes
) -> Generator[object, None, list[PersonaVector]]:
    """Extract those that have no vector, and return the vectors of all of them that are not calibrated yet."""
    model = workshop.model
    there = {} if request.again else find_all(model.fingerprint)
    missing = [persona for persona in personas if persona.id not in there]
    held = load_vectors((persona.id for persona in personas if persona.id in there), model.id, model.fingerprint)
    vectors = [vector for vector in held.values() if vector.strength is None and vector.is_difference]
    if not missing:
        return vectors
    part = _EXTRACTING * (1 + len(personas))
    for news in extract(model, missing, settings=sizes.rollouts, judge=Judge(model)):
        if isinstance(news, Extracted):
            vectors.append(news.vector)
            yield _stored(request.job, news.vector)
        else:
            yield whole.at(f"extracting {news.stage}", part, news.share)
    return vectors


def _learn(workshop: Workshop, request: LearnVoice, sizes: Sizes) -> Iterator[object]:
    whole = _Whole(request.job, _EXTRACTING + _CALIBRATING)
    steps = extract_from_text(
        workshop.model, request.persona_id, request.text, source=request.source, settings=sizes.rollouts
    )
    for news in steps:
        if isinstance(news, Stage):
            yield whole.at(news.stage, _EXTRACTING, news.share)
            continue
        yield _stored(request.job, news.vector)
        whole.done = _EXTRACTING
        yield from _calibrated(workshop, request.job, [Subject(news.vector)], whole, sizes)


def _calibrated(
    workshop: Workshop, job: Job, subjects: Sequence[Subject], whole: _Whole, sizes: Sizes
) -> Iterator[object]:
    if not subjects:
        return
    model, part = workshop.model, _CALIBRATING * len(subjects)
    for news in calibrate(model, subjects, settings=sizes.calibration):
        if isinstance(news, Stage):
            yield whole.at(f"calibrating {news.stage}", part, news.share)
        else:
            yield _stored(job, news.vector)


def _stored(job: Job, vector: PersonaVector) -> VoiceReady:
    return VoiceReady(job, voice_note(vector, store_vector(vector)))


def _card(vector: PersonaVector) -> Persona | None:
    try:
        return get_persona(vector.persona_id)
    except BillyError:  # a voice of one's own text has none
        return None
