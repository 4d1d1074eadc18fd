"""What doses of a blend mean to a writer: gentle, full, too much; as calibrated for its personas."""

from collections.abc import Mapping
from dataclasses import dataclass

from billy_mlx.blend.blend import Mode, Unit
from billy_mlx.engine.messages import VoiceNote
from billy_mlx.tui.dials import Dials, DialVoice

_TOPS = {Unit.FULL: 2.0, Unit.RESIDUAL_NORMS: 0.5, Unit.COEFFICIENT: 4.0}


@dataclass(frozen=True)
class DoseScale:
    """What doses mean.

    Attributes:
        unit: in which they are.
        gentle: from here on there is half of the effect; None if that is not known.
        too_much: above this text frays; None if that is not known.
        top: where the dial ends.
    """

    unit: Unit
    gentle: float | None
    too_much: float | None
    top: float

    def word(self, amount: float) -> str:
        """Return what a dose of `amount` is, in a word or two."""
        if amount == 0:
            return "off"
        if self.unit is not Unit.FULL:
            return "resid. norms" if self.unit is Unit.RESIDUAL_NORMS else "coefficient"
        if self.too_much is not None and amount > self.too_much:
            return "too much"
        if amount >= 1:
            return "full"
        return "gentle" if self.gentle is None or amount >= self.gentle else "a hint"


def scale_of(dials: Dials, notes: Mapping[str, VoiceNote]) -> DoseScale:
    """Return what doses of this blend mean: of several voices the mean of their own, by weight, as `Blend` has it.

    What was measured layer by layer says nothing of one layer alone, and the other way round.
    """
    unit = dials.dose.unit
    if unit is not Unit.FULL:
        return DoseScale(unit, None, None, _TOPS[unit])
    heard = [(notes[voice.persona_id], abs(voice.weight)) for voice in dials.voices if _is_heard(voice, notes)]
    heard = [(note, weight) for note, weight in heard if _is_of(dials.mode, note)]
    gentle = _mean([(note.gentle, weight) for note, weight in heard])
    too_much = _mean([(note.too_much, weight) for note, weight in heard])
    top = _TOPS[unit] if too_much is None else min(max(1.5, 1.25 * too_much), 3.0)
    return DoseScale(unit, gentle, too_much, top)


def _is_heard(voice: DialVoice, notes: Mapping[str, VoiceNote]) -> bool:
    return not voice.muted and voice.persona_id in notes


def _is_of(mode: Mode, note: VoiceNote) -> bool:
    return (note.strength is not None) is (mode is Mode.LAYERED)


def _mean(pairs: list[tuple[float | None, float]]) -> float | None:
    known = [(value, weight) for value, weight in pairs if value is not None]
    total = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / total if total else None
