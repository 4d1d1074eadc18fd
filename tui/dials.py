"""The dials of a blend: what they make of it, what a key, a click or a typed line makes of them, and what doses mean.

Values, no Textual here.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from statistics import median_low

from billy_mlx.blend.blend import DEFAULT_MODE, OWN_DOSE, Blend, Dose, Mode, Unit, check_norm
from billy_mlx.engine.messages import VectorInfo
from billy_mlx.errors import BlendError
from billy_mlx.text import sanitize

LIMIT = 1.0
"""The largest weight of either sign that a dial gives; a blend that is typed may have more."""
_MUTED = " muted "  # in a text form, between the blend and the ids of those who are left out of it
_TOPS = {Unit.FULL: 2.0, Unit.RESIDUAL_NORMS: 0.5, Unit.COEFFICIENT: 4.0}
_WEIGHT_STEPS = (0.05, 0.25)
_DOSE_STEPS = {Unit.FULL: _WEIGHT_STEPS, Unit.RESIDUAL_NORMS: (0.01, 0.05), Unit.COEFFICIENT: (0.1, 0.5)}
_OF_ONE_LAYER = (Mode.BALANCED, Mode.ORTHOGONAL)
"""Modes that steer one layer where nobody names any, and the vectors say which."""


@dataclass(frozen=True)
class DialVoice:
    """One persona of the blend; a muted one keeps its weight and is not heard."""

    persona_id: str
    weight: float
    muted: bool = False


@dataclass(frozen=True)
class Dials:
    """Voices in the order they came, and how they are added (`Blend` says what the rest means)."""

    voices: tuple[DialVoice, ...] = ()
    dose: Dose = OWN_DOSE
    mode: Mode = DEFAULT_MODE
    layers: tuple[int, ...] | None = None
    everywhere: bool = False
    norm_preserving: bool = False

    @classmethod
    def of(cls, blend: Blend) -> "Dials":
        """Return the dials that stand for a blend."""
        voices = tuple(DialVoice(persona_id, weight) for persona_id, weight in blend.weights)
        return cls(voices, blend.dose, blend.mode, blend.layers, blend.everywhere, blend.norm_preserving)

    @classmethod
    def parse(cls, text: str, read: Callable[[str], Blend] = Blend.stored) -> "Dials":
        """Return the dials of a text form, as `text` gives it: a blend, as `read` takes it, and who of it is muted.

        Raises:
            BlendError: it is no blend, or somebody is muted who is not in it.
        """
        blend, _, ids = text.partition(_MUTED)
        dials, muted = cls.of(read(blend)), {persona_id for persona_id in ids.split(",") if persona_id}
        if strange := muted.difference(voice.persona_id for voice in dials.voices):
            raise BlendError(f"{min(strange)!r} is muted but not in the blend; remove it after the word muted")
        return replace(dials, voices=tuple(replace(one, muted=one.persona_id in muted) for one in dials.voices))

    @property
    def muted(self) -> tuple[str, ...]:
        """The ids of those who are left out."""
        return tuple(voice.persona_id for voice in self.voices if voice.muted)

    def text(self) -> str:
        """Return the text form of all voices, such as `comic:0.3+noir:0.6@1/layered muted comic`."""
        return f"{self._blend(self.voices)}{_MUTED}{','.join(self.muted)}".removesuffix(_MUTED)

    def blend(self) -> Blend:
        """Return the blend that is to be heard."""
        return self._blend(voice for voice in self.voices if not voice.muted)

    @property
    def keeps_norm(self) -> bool:
        """Whether each token keeps its norm: never in layered, whatever was chosen for other modes."""
        return self.norm_preserving and self.mode is not Mode.LAYERED

    def adding(self, persona_id: str) -> "Dials":
        """Return the dials with one more voice: full if nobody else speaks, else half of that."""
        if any(voice.persona_id == persona_id for voice in self.voices):
            return self
        weight = LIMIT / 2 if self.blend().weights else LIMIT
        return replace(self, voices=(*self.voices, DialVoice(persona_id, weight)))

    def without(self, index: int) -> "Dials":
        """Return the dials without one of the voices."""
        return replace(self, voices=self.voices[:index] + self.voices[index + 1 :])

    def with_voice(self, index: int, voice: DialVoice) -> "Dials":
        """Return the dials with another voice in the place of one."""
        return replace(self, voices=(*self.voices[:index], voice, *self.voices[index + 1 :]))

    def with_mode(self, mode: Mode) -> "Dials":
        """Return the dials in another mode, and with that mode's own dose if this one means nothing there.

        A coefficient is a mode's own, and neither kept nor brought into others; layered has no residual norms.
        """
        foreign = (Unit.COEFFICIENT, Unit.RESIDUAL_NORMS) if mode is Mode.LAYERED else (Unit.COEFFICIENT,)
        if mode not in (Mode.PAPER, Mode.RAW) and self.dose.unit not in foreign:
            return replace(self, mode=mode)
        return replace(self, mode=mode, dose=Blend((("any", 1.0),), mode=mode).dose)

    def _blend(self, voices: Iterable[DialVoice]) -> Blend:
        weights = tuple((voice.persona_id, voice.weight) for voice in voices)
        return Blend(weights, self.dose, self.mode, self.layers, self.everywhere, self.keeps_norm)


class DialRow(Enum):
    """What one row of the panel turns."""

    DOSE = auto()
    VOICE = auto()
    MODE = auto()
    LAYERS = auto()
    POSITIONS = auto()
    NORM = auto()


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


def rows_of(dials: Dials, *, advanced: bool) -> tuple[DialRow, ...]:
    """Return the rows, from the top: the dose, then the voices, so that voice `n` is row `n + 1`."""
    fold = (DialRow.MODE, DialRow.LAYERS, DialRow.POSITIONS, DialRow.NORM) if advanced else ()
    return (DialRow.DOSE, *(DialRow.VOICE for _ in dials.voices), *fold)


def stepped(
    dials: Dials,
    row: DialRow,
    voice: int,
    step: int,
    notes: Mapping[str, VectorInfo],
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


def scale_of(dials: Dials, notes: Mapping[str, VectorInfo]) -> DoseScale:
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


def _is_heard(voice: DialVoice, notes: Mapping[str, VectorInfo]) -> bool:
    return not voice.muted and voice.persona_id in notes


def _is_of(mode: Mode, note: VectorInfo) -> bool:
    return (note.strength is not None) is (mode is Mode.LAYERED)


def _mean(pairs: list[tuple[float | None, float]]) -> float | None:
    known = [(value, weight) for value, weight in pairs if value is not None]
    total = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / total if total else None


def _turned(value: float, step: float, low: float, high: float) -> float:
    """Return `value` moved by `step` as far as `low` and `high` let it; one that lies beyond them is not pulled in."""
    moved = min(value + step, max(high, value)) if step > 0 else max(value + step, min(low, value))
    return round(moved, 2) + 0.0  # no -0.0


def _shifted(
    dials: Dials, step: int, notes: Mapping[str, VectorInfo], layer_count: int | None
) -> tuple[int, ...] | None:
    if dials.layers is None:
        usual = _usual_layer(dials, notes, layer_count) if dials.mode in _OF_ONE_LAYER else None
        return None if usual is None else (usual,)
    moved = tuple(layer + step for layer in dials.layers)
    is_there = min(moved) >= 0 and (layer_count is None or max(moved) < layer_count)
    return moved if is_there else dials.layers


def _usual_layer(dials: Dials, notes: Mapping[str, VectorInfo], layer_count: int | None) -> int | None:
    """Return the layer that is steered where nobody names one, as `steered_layers` has it; None if nobody knows."""
    heard = [notes.get(voice.persona_id) for voice in dials.voices]
    middle = None if layer_count is None else layer_count // 2
    found = [middle if note is None or note.layer is None else note.layer for note in heard]
    known = [layer for layer in found if layer is not None]
    return median_low(known) if known else None
