"""Making personas ready to write with: fetched, extracted, calibrated and stored, as one job with one progress."""

import time
from collections.abc import Generator, Iterator, Sequence

from billy_mlx.blend.calibrate import Subject, calibrate
from billy_mlx.engine.fetching import fetch
from billy_mlx.engine.messages import Job, LearnVoice, Prepare, Progress, VoiceReady
from billy_mlx.engine.notes import voice_note
from billy_mlx.engine.offers import download_bytes
from billy_mlx.engine.pace import Pace, Stopwatch
from billy_mlx.engine.plan import PreparingTimes, plan_of
from billy_mlx.engine.sizes import Sizes
from billy_mlx.engine.work import Steps, Work
from billy_mlx.engine.workshop import Workshop
from billy_mlx.errors import BillyError
from billy_mlx.extraction.card import Persona, get_persona
from billy_mlx.extraction.extract import Extracted, extract
from billy_mlx.extraction.extract import ExtractionProgress as Stage
from billy_mlx.extraction.judge import Judge
from billy_mlx.extraction.library import find_all, load_vectors, store_vector
from billy_mlx.extraction.own_text import extract_from_text
from billy_mlx.extraction.vector import PersonaVector

RANK = 2
_FETCHING = 0.4  # of the whole that begins with it, roughly: nothing is known of a model that is not there
_OF_TEXT = 0.5  # of an extraction is that of a text that is there, roughly


def preparing(workshop: Workshop, request: Prepare, sizes: Sizes | None = None) -> Work:
    """Begin what a `Prepare` asks for."""
    watch = Stopwatch(time.perf_counter)
    return Steps(watch.timing(_prepare(workshop, request, sizes or Sizes(), watch)), RANK)


def learning(workshop: Workshop, request: LearnVoice, sizes: Sizes | None = None) -> Work:
    """Begin what a `LearnVoice` asks for."""
    watch = Stopwatch(time.perf_counter)
    return Steps(watch.timing(_learn(workshop, request, sizes or Sizes(), watch)), RANK)


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
        self._pace = Pace(lambda: watch.seconds, seconds)

    def at(self, stage: str, seconds: float) -> Progress:
        """Return how far the whole is when so many `seconds` of the part under way are done."""
        share = min(1.0, (self.done + seconds) / self._seconds)
        return Progress(self._job, stage, self._before + (1 - self._before) * share, self._pace.seconds_left(share))


def _prepare(workshop: Workshop, request: Prepare, sizes: Sizes, watch: Stopwatch) -> Iterator[object]:
    personas = [get_persona(persona_id) for persona_id in dict.fromkeys(request.personas)]
    fetching = 0.0
    if request.model is not None:
        fetching, pace = _FETCHING, Pace(time.perf_counter)
        for share in fetch(request.model, download_bytes(request.model)):
            whole_share = fetching * share
            yield Progress(request.job, f"downloading {request.model}", whole_share, pace.seconds_left(whole_share))
        workshop.load(request.model)
    model = workshop.model
    there = {} if request.again else find_all(model.fingerprint)
    missing = [persona for persona in personas if persona.id not in there]
    held = load_vectors((persona.id for persona in personas if persona.id in there), model.id, model.fingerprint)
    vectors = [vector for vector in held.values() if vector.strength is None and vector.is_difference]
    plan = plan_of(workshop, len(missing), len(missing) + len(vectors), sizes)
    whole = _Whole(request.job, watch, plan.seconds, fetching)
    if missing:
        vectors += yield from _extracted(workshop, request.job, missing, plan, whole, sizes)
    whole.done = plan.extracting
    subjects = [Subject(vector, _card(vector)) for vector in vectors]
    yield from _calibrated(workshop, request.job, subjects, plan, whole, sizes)


def _extracted(
    workshop: Workshop, job: Job, missing: Sequence[Persona], plan: PreparingTimes, whole: _Whole, sizes: Sizes
) -> Generator[object, None, list[PersonaVector]]:
    vectors = []
    for news in extract(workshop.model, missing, settings=sizes.rollouts, judge=Judge(workshop.model)):
        if isinstance(news, Extracted):
            vectors.append(news.vector)
            yield _stored(job, news.vector)
        else:
            yield whole.at(f"preparing {news.stage}", plan.extracted(news.share))
    return vectors


def _learn(workshop: Workshop, request: LearnVoice, sizes: Sizes, watch: Stopwatch) -> Iterator[object]:
    plan = plan_of(workshop, 1, 1, sizes)
    extracting = plan.neutral + _OF_TEXT * plan.extraction
    whole = _Whole(request.job, watch, extracting + plan.calibration)
    steps = extract_from_text(
        workshop.model, request.persona_id, request.text, source=request.source, settings=sizes.rollouts
    )
    for news in steps:
        if isinstance(news, Stage):
            yield whole.at(news.stage, extracting * news.share)
            continue
        yield _stored(request.job, news.vector)
        whole.done = extracting
        yield from _calibrated(workshop, request.job, [Subject(news.vector)], plan, whole, sizes)


def _calibrated(
    workshop: Workshop, job: Job, subjects: Sequence[Subject], plan: PreparingTimes, whole: _Whole, sizes: Sizes
) -> Iterator[object]:
    if not subjects:
        return
    part = plan.calibration * len(subjects)
    for news in calibrate(workshop.model, subjects, settings=sizes.calibration):
        if isinstance(news, Stage):
            yield whole.at(f"measuring {news.stage}", part * news.share)
        else:
            yield _stored(job, news.vector)


def _stored(job: Job, vector: PersonaVector) -> VoiceReady:
    return VoiceReady(job, voice_note(vector, store_vector(vector)))


def _card(vector: PersonaVector) -> Persona | None:
    try:
        return get_persona(vector.persona_id)
    except BillyError:  # a voice of one's own text has none
        return None
