"""What an engine can do once there are manuscripts: its own kinds of jobs, and writing."""

from collections.abc import Mapping

from billy_mlx.engine.kinds import own_kinds
from billy_mlx.engine.work import Kind
from billy_mlx.engine.workshop import Workshop
from billy_mlx.write.messages import Write
from billy_mlx.write.writing import WritingJob


def kinds() -> Mapping[type, Kind]:
    """Return the kinds of jobs by the type of their request."""
    return {**own_kinds(), Write: writing}


def writing(workshop: Workshop, request: Write) -> WritingJob:
    """Return the job that a `Write` asks for."""
    return WritingJob(workshop.model, request, workshop.store)
