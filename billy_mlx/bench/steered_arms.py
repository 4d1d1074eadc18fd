"""Arms that are steered: blends and their personas alone, random directions, and the cells of sweeps."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from billy_mlx.bench.play import Arm, single
from billy_mlx.bench.result import CONTROL
from billy_mlx.bench.settings import BenchSettings
from billy_mlx.blend import directions as blended
from billy_mlx.blend.blend import ALONE, OWN_DOSE, Blend, Dose, Mode, Unit
from billy_mlx.errors import BlendError, UsageError
from billy_mlx.model.layers import Directions
from billy_mlx.model.model import Model
from billy_mlx.vectors.card import bundled_ids
from billy_mlx.vectors.library import find_all, load_vectors
from billy_mlx.vectors.vector import PersonaVector

Sweep = Literal["layers", "personas", "modes", "paper"]
SWEEPS: tuple[Sweep, ...] = get_args(Sweep)
Cells = list[tuple[str, Blend]]
"""Name and blend of each."""
Doubles = NDArray[np.float64]

MODES = (Mode.LAYERED, Mode.PAPER, Mode.BALANCED, Mode.ORTHOGONAL)
"""The modes that are compared."""

RANDOM_DIRECTIONS = 5
DEPTHS = 6
DOSES = (0.25, 0.5, 1.0, 2.0)
MOST_PERSONAS = 7
PAPER_LAYERS = (12, 16, 20, 24)
"""Of the paper's ablation, counted as it does: of hidden states, the first of which is the embedding."""
PAPER_DEPTH = 32
"""Blocks of the model whose layers these are, Llama-3.1-8B."""
COEFFICIENTS = (0.1, 0.5, 1.0, 1.5, 2.0, 2.5, 5.0)
"""From the least to the most of the paper's ablation; those between are our own choice."""

_PART_OF_FULL = {Mode.LAYERED, Mode.BALANCED, Mode.ORTHOGONAL}
_IN_RESIDUAL_NORMS = {Mode.BALANCED, Mode.ORTHOGONAL}
_DESCRIPTIONS = {
    Mode.LAYERED: "The blend layer by layer: at every layer what it adds there to what it has added below.",
    Mode.PAPER: "The blend as the paper adds it: the mean of the vectors times a coefficient, at the paper's layer.",
    Mode.BALANCED: "The blend of the personas' unit vectors, dosed in the layer's own residual norm.",
    Mode.ORTHOGONAL: "The blend of unit vectors that were made orthogonal to each other, dosed like billy-balanced.",
}
_ORTHOGONAL = f"billy-{Mode.ORTHOGONAL}"


def main_mode(settings: BenchSettings) -> Mode:
    """Return the mode that the comparison is about: the blend's own, or the paper's if that is the protocol."""
    mode = Mode.PAPER if settings.protocol == "paper" else settings.blend.mode
    return mode if mode in MODES else Mode.BALANCED


def main_arm(settings: BenchSettings) -> str:
    """Return the name of the blend that the comparison is about."""
    return f"billy-{main_mode(settings)}"


class Steered:
    """Blends for a model under some settings.

    Raises:
        BillyError: a persona of the settings' blend has no vector for the model; names the command that extracts it.
    """

    def __init__(self, model: Model, settings: BenchSettings) -> None:
        self.settings = settings
        self.blend = settings.blend
        self.model = model
        self._vectors = load_vectors(model, self.blend.persona_ids)

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

    def arm(self, name: str, group: str, description: str, blend: Blend) -> Arm:
        """Return the arm that is steered with `blend`."""
        placed = self.placed(blend)
        return Arm(name, group, description, placed, single(self.settings), self.directions(placed))

    def directions(self, blend: Blend) -> Directions:
        """Return what `blend` adds, at the layer that the protocol wants."""
        return blended.directions(self.placed(blend), self.vectors(blend))

    def fault(self, blend: Blend) -> str | None:
        """Return why `blend` cannot be made, or None if it can."""
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
        self._vectors |= load_vectors(self.model, missing)
        return {persona_id: self._vectors[persona_id] for persona_id in blend.persona_ids}


def blend_arms(steered: Steered) -> list[Arm]:
    """Return each persona alone, the blend in every mode that it can have, and the blend at dose 0."""
    main, called = steered.main, main_arm(steered.settings)
    alone = f"alone, in the mode and at the dose of {called}."
    arms = [
        steered.arm(f"persona:{persona_id}", "personas", f"{persona_id} {alone}", steered.alone(persona_id))
        for persona_id in main.persona_ids
    ]
    for mode in MODES:
        blend, named = steered.of_mode(mode), f"billy-{mode}" in (steered.settings.arms or ())
        if mode is not Mode.ORTHOGONAL or named or steered.fault(blend) is None:
            arms.append(steered.arm(f"billy-{mode}", "billy", _DESCRIPTIONS[mode], blend))
    control = replace(main, dose=Dose(0.0))
    return [
        *arms,
        steered.arm(CONTROL, CONTROL, "The blend at dose 0: the control for all that is steered.", control),
    ]


def left_out(model: Model, settings: BenchSettings) -> list[str]:
    """Return which arms that `settings` ask for cannot be made and why, a sentence each."""
    if settings.arms is not None and "billy" not in settings.arms:
        return []
    steered = Steered(model, settings)
    fault = steered.fault(steered.of_mode(Mode.ORTHOGONAL))
    return [] if fault is None else [f"The arm {_ORTHOGONAL} is left out: {fault}."]


def random_arms(steered: Steered) -> list[Arm]:
    """Return arms that are steered as far as the main blend, and anywhere."""
    settings, like = steered.settings, steered.directions(steered.main)
    description = f"A random direction, as long as that of {main_arm(settings)} and at the same place."
    drawn = {f"random-{n}": random_directions(like, settings.seed, n) for n in range(1, RANDOM_DIRECTIONS + 1)}
    return [Arm(name, "random", description, ALONE, single(settings), directions) for name, directions in drawn.items()]


def random_directions(like: Directions, seed: int, number: int) -> Directions:
    """Return directions of the same norms, at the same layers and positions, that point anywhere.

    Where several layers are steered they have the same angles among each other, too: directions that mean nothing add
    up to as much over the layers as those that mean something do.

    Args:
        like: what is to be imitated.
        seed: of the whole benchmark.
        number: of this one among the random ones.
    """
    layers = list(like.by_layer)
    if not layers:
        return like
    held = np.stack([like.by_layer[layer] for layer in layers], axis=1).astype(np.float64)  # (D, layers)
    drawn = [np.random.default_rng([seed, number, layer]).normal(size=len(held)) for layer in layers]
    anywhere, _ = _orthonormal(np.stack(drawn, axis=1))
    _, among = _orthonormal(held)
    turned = anywhere @ among
    by_layer = {layer: np.asarray(turned[:, place], np.float32) for place, layer in enumerate(layers)}
    return Directions(by_layer, everywhere=like.everywhere, norm_preserving=like.norm_preserving)


def sweep_arms(model: Model, settings: BenchSettings, kind: Sweep) -> list[Arm]:
    """Return a cell of the sweep per arm, all in one group; cells that cannot be made are left out.

    "layers" is the blend at six depths evenly spread over the model, at each with 0.25, 0.5, 1 and 2 times full.
    "personas" are blends of one to seven in equal parts: those of the blend first, then the paper's that have vectors;
    each steers where its own personas want it. Both are layered if the comparison is about that mode, else balanced.
    "modes" are all of them at their own dose, and paper and raw also at the size of balanced: raw, which steers every
    layer, with the full dose spread evenly over them, as doses add up over layers.
    "paper" is the paper's ablation: its mode at its layers (`paper_layers`), at each with `COEFFICIENTS`.

    Raises:
        BillyError: there is no such sweep, or a persona of the blend has no vector for the model.
    """
    sweeps: dict[str, Callable[[Model, Steered], Cells]] = {
        "layers": _layer_cells,
        "personas": _persona_cells,
        "modes": _mode_cells,
        "paper": _paper_cells,
    }
    if kind not in sweeps:
        raise UsageError(f"there is no sweep {kind!r}; there are {', '.join(sweeps)}")
    steered = Steered(model, settings)
    return [
        steered.arm(name, f"sweep {kind}", f"A cell of the sweep over {kind}.", blend)
        for name, blend in sweeps[kind](model, steered)
        if steered.fault(blend) is None
    ]


def paper_layers(count: int) -> tuple[int, ...]:
    """Return the layers of the paper's ablation in a model of `count` blocks, counted from 0: at the same depths."""
    return tuple(dict.fromkeys(max(0, layer * count // PAPER_DEPTH - 1) for layer in PAPER_LAYERS))


def _paper_cells(model: Model, steered: Steered) -> Cells:
    blend = steered.of_mode(Mode.PAPER)
    return [
        (f"layer={layer},alpha={amount:g}", replace(blend, layers=(layer,), dose=Dose(amount, Unit.COEFFICIENT)))
        for layer in paper_layers(model.fingerprint.layers)
        for amount in COEFFICIENTS
    ]


def _layer_cells(model: Model, steered: Steered) -> Cells:
    count = model.fingerprint.layers
    # In a model of fewer blocks than depths, two of them are the same layer.
    layers = dict.fromkeys(depth * count // (DEPTHS + 1) for depth in range(1, DEPTHS + 1))
    return [
        (f"layer={layer},dose={dose:g}", replace(steered.swept, layers=(layer,), dose=Dose(dose)))
        for layer in layers
        for dose in DOSES
    ]


def _persona_cells(model: Model, steered: Steered) -> Cells:
    there = find_all(model.fingerprint)
    own = steered.blend.persona_ids
    order = [
        *own,
        *(persona_id for persona_id in bundled_ids("paper") if persona_id in there and persona_id not in own),
    ]
    return [
        (f"personas={count}", steered.equal(order[:count])) for count in range(1, min(MOST_PERSONAS, len(order)) + 1)
    ]


def _mode_cells(_: Model, steered: Steered) -> Cells:
    own = [(f"mode={mode}", steered.of_mode(mode)) for mode in Mode]
    paper, raw = steered.of_mode(Mode.PAPER), steered.of_mode(Mode.RAW)
    share = Dose(1 / len(steered.layers(steered.placed(raw))))
    return [
        *own,
        ("mode=paper,norm=balanced", replace(paper, dose=Dose(1.0))),
        ("mode=raw,norm=balanced", replace(raw, dose=share)),
    ]


def _orthonormal(columns: Doubles) -> tuple[Doubles, Doubles]:
    """Return Q, of orthonormal columns, and R with a diagonal that is not negative; `columns` are Q @ R."""
    q, r = np.linalg.qr(columns)
    signs = np.where(np.diag(r) < 0, -1.0, 1.0)
    return q * signs, r * signs[:, None]
