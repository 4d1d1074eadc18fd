"""What a blend is called where a writer passes."""

from collections.abc import Mapping

from billy_mlx.blend.blend import Blend


def name_of(blend: Blend | None, titles: Mapping[str, str]) -> str:
    """Return the titles of a blend's voices, the loudest first; `titles` are those of personas by id."""
    heard = [] if blend is None else sorted(blend.weights, key=lambda voice: -abs(voice[1]))
    return " and ".join(titles.get(persona, persona) for persona, weight in heard if weight) or "the model alone"
