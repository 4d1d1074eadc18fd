"""What an engine can do once there are manuscripts: its own kinds of jobs, writing, and reading by the sentence."""

from collections.abc import Mapping

from billy_mlx.engine.coherence import Gauge
from billy_mlx.engine.kinds import own_kinds
from billy_mlx.engine.messages import Read
from billy_mlx.engine.reading import reading
from billy_mlx.engine.work import Kind, Work
from billy_mlx.engine.workshop import Workshop
from billy_mlx.sentences import starts
from billy_mlx.write.messages import Write
from billy_mlx.write.writing import WritingJob


def kinds() -> Mapping[type, Kind]:
    """Return what begins each type of job."""
    return {**own_kinds(), Write: writing, Read: reading_sentences}


def writing(workshop: Workshop, request: Write) -> WritingJob:
    """Return the job that a `Write` asks for."""
    return WritingJob(workshop.model, request, workshop.store, Gauge if request.writing.gauge else None)


def reading_sentences(workshop: Workshop, request: Read) -> Work:
    """Return the job that a `Read` asks for; sentences are the manuscript's."""
    return reading(workshop, request, starts)
