"""What an engine can do by itself, by the type of the request."""

from collections.abc import Mapping

from billy_mlx.engine.comparing import comparing
from billy_mlx.engine.messages import Compare, EstimateTime, LearnVoice, Prepare, Survey
from billy_mlx.engine.offers import surveying
from billy_mlx.engine.plan import estimating
from billy_mlx.engine.preparing import learning, preparing
from billy_mlx.engine.work import Kind


def own_kinds() -> Mapping[type, Kind]:
    """Return what begins each type of job."""
    return {
        Prepare: preparing,
        LearnVoice: learning,
        EstimateTime: estimating,
        Compare: comparing,
        Survey: surveying,
    }
