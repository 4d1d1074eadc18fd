"""What an engine can do by itself, by the type of the request."""

from collections.abc import Iterator, Mapping

from billy_mlx.blend.blend import Blend, Mode
from billy_mlx.blend.directions import steered_layers
from billy_mlx.engine.jobs import BackgroundJob, JobContext, JobFactory, RunningJob
from billy_mlx.engine.messages import Compare, Compared, EstimateTime, LearnVoice, ListModels, Prepare, Read
from billy_mlx.engine.model_catalogue import listing_models
from billy_mlx.engine.preparing import estimating, learning, preparing
from billy_mlx.engine.reading import reading
from billy_mlx.vectors.library import find_all, load_vectors
from billy_mlx.vectors.vector import cosines_at


def engine_job_types() -> Mapping[type, JobFactory]:
    """Return what begins each type of job."""
    return {
        Prepare: preparing,
        LearnVoice: learning,
        EstimateTime: estimating,
        Compare: comparing,
        Read: reading,
        ListModels: listing_models,
    }


def comparing(shared: JobContext, request: Compare) -> RunningJob:
    """Begin what a `Compare` asks for."""
    return BackgroundJob(_compare(shared, request), rank=0)


def _compare(shared: JobContext, request: Compare) -> Iterator[object]:
    model = shared.model
    vectors = load_vectors(model, find_all(model.fingerprint))
    if vectors:
        held = list(vectors.values())
        alone = Blend(tuple((persona_id, 1.0) for persona_id in vectors), mode=Mode.BALANCED)
        layer = steered_layers(alone, held)[0]  # where one layer is steered, if only one is
        matrix = tuple(tuple(row) for row in cosines_at(held, layer))
        yield Compared(request.job, tuple(vectors), matrix, layer)
