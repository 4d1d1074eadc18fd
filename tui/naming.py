"""What voices are called on the screen: as the writer named them, or by the words of `billy_mlx.blend.naming`."""

from collections.abc import Mapping, Sequence

from billy_mlx.blend.blend import Blend
from billy_mlx.blend.naming import name_of, numbered
from billy_mlx.text import sanitize
from billy_mlx.tui.dials import Dials

Names = Mapping[str, str]
"""What people call a persona, by id."""


def voice_names(voices: Sequence[Blend], titles: Names, saved: Mapping[str, Dials]) -> tuple[str, ...]:
    """Return a name for each voice, no two the same.

    Args:
        voices: a blend each.
        titles: of the personas.
        saved: blends that the writer kept, by the name that they gave it.
    """
    given: dict[Blend, str] = {}
    for name, dials in saved.items():
        given.setdefault(dials.blend(), sanitize(name))
    return numbered([given.get(voice) or name_of(voice, titles) for voice in voices])


def dials_name(dials: Dials, titles: Names) -> str:
    """Return what dials are called: their blend, and who is muted beside it."""
    muted = ", ".join(sanitize(titles.get(persona_id, persona_id)) for persona_id in dials.muted)
    return name_of(dials.blend(), titles) + (f", {muted} muted" if muted else "")
