"""The dials of a blend: what it would be, and the voices that are left out of it for now. Values, no Textual here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from billy_mlx.blend.blend import DEFAULT_MODE, OWN_DOSE, Blend, Dose, Mode, Unit
from billy_mlx.errors import BlendError

LIMIT = 1.0
"""The largest weight of either sign that a dial gives; a blend that is typed may have more."""
_MUTED = " muted "  # in a text form, between the blend and the ids of those who are left out of it


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
