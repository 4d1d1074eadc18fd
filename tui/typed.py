"""Dials out of what a writer typed: a number, layers, a whole blend. Each raises BlendError in words."""

from dataclasses import replace

from billy_mlx.blend.blend import Blend, Dose, check_norm
from billy_mlx.errors import BlendError
from billy_mlx.text import sanitize
from billy_mlx.tui.dials import Dials
from billy_mlx.tui.turning import DialRow, set_to


def typed_blend(dials: Dials, text: str) -> Dials:
    """Return the dials of a blend's text form, and with them who is muted in `dials` and not named in it."""
    typed = Dials()
    if text.strip():
        blend = Blend.parse(text)
        check_norm(blend)
        typed = Dials.of(blend)
    named = {voice.persona_id for voice in typed.voices}
    silent = tuple(voice for voice in dials.voices if voice.muted and voice.persona_id not in named)
    return replace(typed, voices=(*typed.voices, *silent))


def typed_number(dials: Dials, row: DialRow, voice: int, text: str) -> Dials:
    """Return the dials with the dose (`0.8`, `0.3r`) or a voice's weight as typed."""
    if row is DialRow.DOSE:
        changed = replace(dials, dose=Dose.parse(text))
        Blend((("any", 1.0),), changed.dose, changed.mode)  # says if the mode has no such dose
        return changed
    try:
        weight = float(text)
    except ValueError:
        raise BlendError(f"{sanitize(text[:40])!r} is not a number; give one such as 0.5 or -0.3") from None
    return set_to(dials, row, voice, weight)


def typed_layers(dials: Dials, text: str) -> Dials:
    """Return the dials with layers as typed, such as `15` or `15,16`; the mode's own for an empty text."""
    numbers = text.replace(" ", "").removeprefix("L")
    return replace(dials, layers=Blend.parse(f"any/L{numbers}").layers if numbers else None)
