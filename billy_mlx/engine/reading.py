"""Reading in the background: how much each sentence is of each persona. A text that was read is known again."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from billy_mlx.engine.jobs import BackgroundJob, JobContext
from billy_mlx.engine.messages import ParagraphScored, Read, SentenceScores
from billy_mlx.errors import BillyError, VectorError
from billy_mlx.measure.sentence_scores import Scale, SentenceReader
from billy_mlx.model.model import Model
from billy_mlx.vectors.library import find_all, load_vectors
from billy_mlx.vectors.vector import PersonaVector, read_layer

_RANK = 1  # before extraction, which takes minutes
_MOST_KEPT = 20_000  # paragraphs, some hundred novels' pages
_KEPT = "reading"


def reading(shared: JobContext, request: Read) -> BackgroundJob:
    """Return the job that a `Read` asks for."""
    return BackgroundJob(_read(shared, request), _RANK)


@dataclass(eq=False)
class _Readings:
    """What was read with one set of vectors.

    Attributes:
        vectors: by file, when each was changed last.
        reader: None if there is no vector to score with.
        known: by paragraph, the oldest first.
    """

    vectors: dict[str, int]
    reader: SentenceReader | None
    known: dict[str, tuple[SentenceScores, ...]] = field(default_factory=dict)

    def keep(self, paragraph: str, sentences: tuple[SentenceScores, ...]) -> None:
        while len(self.known) >= _MOST_KEPT:
            del self.known[next(iter(self.known))]
        self.known[paragraph] = sentences


def _read(shared: JobContext, request: Read) -> Iterator[ParagraphScored | None]:
    readings = _readings(shared)
    yield None
    for paragraph in request.paragraphs:
        if paragraph not in readings.known:
            yield from _read_one(readings, paragraph)
        yield ParagraphScored(request.job, paragraph, readings.known.get(paragraph, ()))


def _read_one(readings: _Readings, paragraph: str) -> Iterator[None]:
    if readings.reader is None:
        return
    for found in readings.reader.read(paragraph):
        if found is None:
            yield None
        else:
            readings.keep(paragraph, tuple(SentenceScores(each.start, each.end, each.scores) for each in found))


def _readings(shared: JobContext) -> _Readings:
    """Return what is known already, if the vectors are still the same; otherwise all is to be read anew."""
    model = shared.model
    files = {str(path): _changed_ns(path) for path in find_all(model.fingerprint).values()}
    kept = shared.kept.get(_KEPT)
    if isinstance(kept, _Readings) and kept.vectors == files:
        return kept
    scales = _scales(model)
    readings = _Readings(files, SentenceReader(model, scales) if scales else None)
    shared.kept[_KEPT] = readings
    return readings


def _changed_ns(path: Path) -> int:
    """Return when a file was changed last. Raises VectorError if it has vanished since it was found."""
    try:
        return path.stat().st_mtime_ns
    except OSError as error:
        raise VectorError(
            f"{path} cannot be read any more: {error.strerror or error}; the other personas still colour the text"
        ) from error


def _scales(model: Model) -> dict[str, Scale]:
    """Return by persona how to measure it; a vector that does not say what is neutral, or cannot be read, has none."""
    scales: dict[str, Scale] = {}
    for persona_id in find_all(model.fingerprint):
        with suppress(BillyError):  # told of when the model was loaded
            vector = load_vectors(model, [persona_id])[persona_id]
            scale = scale_of(vector)
            if scale is not None:
                scales[persona_id] = scale
    return scales


def scale_of(vector: PersonaVector) -> Scale | None:
    """Return how to measure a persona; None where its words cannot be told from neutral ones, or nothing says so."""
    if vector.neutral_mean is None or not vector.is_measurable:
        return None
    found = vector.calibration  # of the first version, whose units are those of the layer it was read at
    layer = read_layer(len(vector.directions)) if found is None else found.read_layer
    unit = float(vector.projection_scale[layer])
    return Scale(layer, vector.reading[layer].copy(), vector.neutral_mean[layer].copy(), unit)
