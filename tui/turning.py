"""Turning dials: which rows there are, and what a key, a click or a number makes of one. Values, no Textual here."""

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum, auto
from statistics import median_low

from billy_mlx.blend.blend import Blend, Mode, Unit
from billy_mlx.engine.messages import VoiceNote
from billy_mlx.tui.dials import LIMIT, Dials
from billy_mlx.tui.scale import scale_of

_WEIGHT_STEPS = (0.05, 0.25)
_DOSE_STEPS = {Unit.FULL: _WEIGHT_STEPS, Unit.RESIDUAL_NORMS: (0.01, 0.05), Unit.COEFFICIENT: (0.1, 0.5)}

_OF_ONE_LAYER = (Mode.BALANCED, Mode.ORTHOGONAL)
"""Modes that steer one layer where nobody names any, and the vectors say which."""


class DialRow(Enum):
    """What one row of the panel turns."""

    DOSE = auto()
    VOICE = auto()
    MODE = auto()
    LAYERS = auto()
    POSITIONS = auto()
    NORM = auto()


def rows_of(dials: Dials, *, advanced: bool) -> tuple[DialRow, ...]:
    """Return the rows, from the top: the dose, then the voices, so that voice `n` is row `n + 1`."""
    fold = (DialRow.MODE, DialRow.LAYERS, DialRow.POSITIONS, DialRow.NORM) if advanced else ()
    return (DialRow.DOSE, *(DialRow.VOICE for _ in dials.voices), *fold)


def stepped(
    dials: Dials,
    row: DialRow,
    voice: int,
    step: int,
    notes: Mapping[str, VoiceNote],
    *,
    coarse: bool,
    layer_count: int | None = None,
) -> Dials:
    """Return the dials with one row turned by a step up (1) or down (-1); `voice` counts where the row is one.

    Layers are turned from the one that the vectors want, or where some are named; `layer_count` is how many the model
    has, if that is known.
    """
    match row:
        case DialRow.DOSE:
            size, top = _DOSE_STEPS[dials.dose.unit][coarse], scale_of(dials, notes).top
            return set_to(dials, row, voice, _turned(dials.dose.amount, step * size, 0.0, top))
        case DialRow.VOICE:
            size = _WEIGHT_STEPS[coarse]
            return set_to(dials, row, voice, _turned(dials.voices[voice].weight, step * size, -LIMIT, LIMIT))
        case DialRow.MODE:
            modes = list(Mode)
            return dials.with_mode(modes[(modes.index(dials.mode) + step) % len(modes)])
        case DialRow.LAYERS:
            return replace(dials, layers=_shifted(dials, step, notes, layer_count))
        case DialRow.POSITIONS:
            return replace(dials, everywhere=not dials.everywhere)
        case DialRow.NORM:
            # Layered has no such choice; what is chosen for the other modes stays.
            return dials if dials.mode is Mode.LAYERED else replace(dials, norm_preserving=not dials.norm_preserving)


def set_to(dials: Dials, row: DialRow, voice: int, value: float) -> Dials:
    """Return the dials with the dose or a weight at `value`; the same dials for any other row.

    Raises:
        BlendError: the value is out of any range.
    """
    if row is DialRow.DOSE:
        return replace(dials, dose=replace(dials.dose, amount=value))
    if row is DialRow.VOICE:
        Blend(((dials.voices[voice].persona_id, value),))
        return dials.with_voice(voice, replace(dials.voices[voice], weight=value))
    return dials


def _turned(value: float, step: float, low: float, high: float) -> float:
    """Return `value` moved by `step` as far as `low` and `high` let it; one that lies beyond them is not pulled in."""
    moved = min(value + step, max(high, value)) if step > 0 else max(value + step, min(low, value))
    return round(moved, 2) + 0.0  # no -0.0


def _shifted(
    dials: Dials, step: int, notes: Mapping[str, VoiceNote], layer_count: int | None
) -> tuple[int, ...] | None:
    if dials.layers is None:
        usual = _usual_layer(dials, notes, layer_count) if dials.mode in _OF_ONE_LAYER else None
        return None if usual is None else (usual,)
    moved = tuple(layer + step for layer in dials.layers)
    is_there = min(moved) >= 0 and (layer_count is None or max(moved) < layer_count)
    return moved if is_there else dials.layers


def _usual_layer(dials: Dials, notes: Mapping[str, VoiceNote], layer_count: int | None) -> int | None:
    """Return the layer that is steered where nobody names one, as `steered_layers` has it; None if nobody knows."""
    heard = [notes.get(voice.persona_id) for voice in dials.voices]
    middle = None if layer_count is None else layer_count // 2
    found = [middle if note is None or note.layer is None else note.layer for note in heard]
    known = [layer for layer in found if layer is not None]
    return median_low(known) if known else None
