"""What an engine can do by itself, by the type of the request."""

from collections.abc import Mapping

from billy_mlx.engine.work import Kind


def own_kinds() -> Mapping[type, Kind]:
    """Return what begins each type of job."""
    return {}
