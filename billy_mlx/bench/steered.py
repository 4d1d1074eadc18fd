"""Arms that are steered: from a blend to plays."""

from collections.abc import Sequence
from dataclasses import replace

from billy_mlx.bench.play import Arm, single
from billy_mlx.bench.settings import BenchSettings
from billy_mlx.blend import directions as blended
from billy_mlx.blend.blend import OWN_DOSE, Blend, Dose, Mode, Unit
from billy_mlx.errors import BlendError
from billy_mlx.model.layers import Directions
from billy_mlx.model.model import Model
from billy_mlx.vectors.library import load_vectors
from billy_mlx.vectors.vector import PersonaVector

MODES = (Mode.LAYERED, Mode.PAPER, Mode.BALANCED, Mode.ORTHOGONAL)
"""The modes that are compared."""

_PART_OF_FULL = {Mode.LAYERED, Mode.BALANCED, Mode.ORTHOGONAL}
_IN_RESIDUAL_NORMS = {Mode.BALANCED, Mode.ORTHOGONAL}


def main_mode(settings: BenchSettings) -> Mode:
    """Return the mode that the comparison is about: the blend's own, or the paper's if that is the protocol."""
    mode = Mode.PAPER if settings.protocol == "paper" else Blend.parse(settings.blend).mode
    return mode if mode in MODES else Mode.BALANCED


class Steered:
    """Blends for a model under some settings.

    Raises:
        BillyError: a persona of the settings' blend has no vector for the model; names the command that extracts it.
    """

    def __init__(self, model: Model, settings: BenchSettings) -> None:
        self.settings = settings
        self.blend = Blend.parse(settings.blend)
        self._model = model
        self._vectors = load_vectors(self.blend.persona_ids, model.id, model.fingerprint)

    @property
    def main(self) -> Blend:
        """The blend that all else is held against."""
        return self.of_mode(main_mode(self.settings))

    def of_mode(self, mode: Mode) -> Blend:
        """Return the settings' blend in another mode; with its dose, where that means the same there."""
        alike = _PART_OF_FULL if self.blend.dose.unit is Unit.FULL else _IN_RESIDUAL_NORMS
        if mode is self.blend.mode or {mode, self.blend.mode} <= alike:
            return replace(self.blend, mode=mode)
        return replace(self.blend, mode=mode, dose=OWN_DOSE)

    def alone(self, persona_id: str) -> Blend:
        """Return one persona in the mode and at the dose of the main blend, where that persona is best steered."""
        return replace(self.main, weights=((persona_id, 1.0),))

    @property
    def swept(self) -> Blend:
        """The blend that sweeps over layers and personas are about: layered if the main one is, else balanced."""
        return self.of_mode(Mode.LAYERED if self.main.mode is Mode.LAYERED else Mode.BALANCED)

    def equal(self, persona_ids: Sequence[str]) -> Blend:
        """Return that of any personas in equal parts, at full dose, where the settings' blend steers."""
        weights = tuple((persona_id, 1.0) for persona_id in persona_ids)
        return replace(self.swept, weights=weights, dose=Dose(1.0))

    def arm(self, name: str, group: str, says: str, blend: Blend) -> Arm:
        """Return the arm that is steered with `blend`."""
        placed = self.placed(blend)
        return Arm(name, group, says, str(placed), single(self.settings, directions=self.directions(placed)))

    def directions(self, blend: Blend) -> Directions:
        """Return what `blend` adds, at the layer that the protocol wants."""
        return blended.directions(self.placed(blend), self.vectors(blend))

    def fault(self, blend: Blend) -> str | None:
        """Return why `blend` cannot be had, or None if it can."""
        try:
            self.directions(blend)
        except BlendError as error:
            return str(error)
        return None

    def placed(self, blend: Blend) -> Blend:
        """Return `blend` at the paper's layer, if that is the protocol and it names no layer."""
        if self.settings.protocol != "paper" or blend.layers is not None:
            return blend
        return replace(blend, layers=self.layers(replace(blend, mode=Mode.PAPER, dose=OWN_DOSE)))

    def layers(self, blend: Blend) -> tuple[int, ...]:
        """Return the layers that `blend` steers."""
        vectors = self.vectors(blend)
        return blended.steered_layers(blend, [vectors[persona_id] for persona_id in blend.persona_ids])

    def vectors(self, blend: Blend) -> dict[str, PersonaVector]:
        """Return the vectors of a blend, which need not be the settings'."""
        missing = [persona_id for persona_id in blend.persona_ids if persona_id not in self._vectors]
        self._vectors |= load_vectors(missing, self._model.id, self._model.fingerprint)
        return {persona_id: self._vectors[persona_id] for persona_id in blend.persona_ids}
