"""What an engine can do by itself, by the type of the request."""

from collections.abc import Iterator, Mapping

from billy_mlx.blend.blend import Blend, Mode
from billy_mlx.blend.directions import steered_layers
from billy_mlx.engine.jobs import Kind, Steps, Work, Workshop
from billy_mlx.engine.messages import Compare, Compared, EstimateTime, LearnVoice, Prepare, Survey
from billy_mlx.engine.model_catalogue import surveying
from billy_mlx.engine.preparing import estimating, learning, preparing
from billy_mlx.vectors.library import find_all, load_vectors
from billy_mlx.vectors.vector import cosines_at


def own_kinds() -> Mapping[type, Kind]:
    """Return what begins each type of job."""
    return {
        Prepare: preparing,
        LearnVoice: learning,
        EstimateTime: estimating,
        Compare: comparing,
        Survey: surveying,
    }


def comparing(workshop: Workshop, request: Compare) -> Work:
    """Begin what a `Compare` asks for."""
    return Steps(_compare(workshop, request), rank=0)


def _compare(workshop: Workshop, request: Compare) -> Iterator[object]:
    model = workshop.model
    vectors = load_vectors(find_all(model.fingerprint), model.id, model.fingerprint)
    if vectors:
        held = list(vectors.values())
        alone = Blend(tuple((persona_id, 1.0) for persona_id in vectors), mode=Mode.BALANCED)
        layer = steered_layers(alone, held)[0]  # where one layer is steered, if only one is
        matrix = tuple(tuple(row) for row in cosines_at(held, layer))
        yield Compared(request.job, tuple(vectors), matrix, layer)
