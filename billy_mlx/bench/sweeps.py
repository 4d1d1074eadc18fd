"""Sweeps: where and how much, of how many personas, and in which mode."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from billy_mlx.bench.play import Arm
from billy_mlx.bench.settings import BenchSettings
from billy_mlx.bench.steered import Steered
from billy_mlx.blend.blend import Blend, Dose, Mode
from billy_mlx.errors import UsageError
from billy_mlx.model.model import Model
from billy_mlx.vectors.card import bundled_ids
from billy_mlx.vectors.library import find_all

Kind = Literal["layers", "personas", "modes"]

Cells = list[tuple[str, Blend]]
"""Name and blend of each."""

DEPTHS = 6
DOSES = (0.25, 0.5, 1.0, 2.0)
MOST_PERSONAS = 7


def sweep_arms(model: Model, settings: BenchSettings, kind: Kind) -> list[Arm]:
    """Return a cell of the sweep per arm, all in one group; cells that cannot be had are left out.

    "layers" is the blend at six depths evenly spread over the model, at each with 0.25, 0.5, 1 and 2 times full.
    "personas" are blends of one to seven in equal parts: those of the blend first, then the paper's that have vectors;
    each steers where its own personas want it. Both are layered if the comparison is about that mode, else balanced.
    "modes" are all of them at their own dose, and paper and raw also at the size of balanced: raw, which steers every
    layer, with the full dose spread evenly over them, as doses add up over layers.

    Raises:
        BillyError: there is no such sweep, or a persona of the blend has no vector for the model.
    """
    sweeps: dict[str, Callable[[Model, Steered], Cells]] = {
        "layers": _layers,
        "personas": _personas,
        "modes": _modes,
    }
    if kind not in sweeps:
        raise UsageError(f"there is no sweep {kind!r}; there are {', '.join(sweeps)}")
    steered = Steered(model, settings)
    return [
        steered.arm(name, f"sweep {kind}", f"A cell of the sweep over {kind}.", blend)
        for name, blend in sweeps[kind](model, steered)
        if steered.fault(blend) is None
    ]


def _layers(model: Model, steered: Steered) -> Cells:
    count = model.fingerprint.layers
    # In a model of fewer blocks than depths, two of them are the same layer.
    layers = dict.fromkeys(depth * count // (DEPTHS + 1) for depth in range(1, DEPTHS + 1))
    return [
        (f"layer={layer},dose={dose:g}", replace(steered.swept, layers=(layer,), dose=Dose(dose)))
        for layer in layers
        for dose in DOSES
    ]


def _personas(model: Model, steered: Steered) -> Cells:
    there = find_all(model.fingerprint)
    own = steered.blend.persona_ids
    order = [
        *own,
        *(persona_id for persona_id in bundled_ids("paper") if persona_id in there and persona_id not in own),
    ]
    return [
        (f"personas={count}", steered.equal(order[:count])) for count in range(1, min(MOST_PERSONAS, len(order)) + 1)
    ]


def _modes(_: Model, steered: Steered) -> Cells:
    own = [(f"mode={mode}", steered.of_mode(mode)) for mode in Mode]
    paper, raw = steered.of_mode(Mode.PAPER), steered.of_mode(Mode.RAW)
    share = Dose(1 / len(steered.layers(steered.placed(raw))))
    return [
        *own,
        ("mode=paper,norm=balanced", replace(paper, dose=Dose(1.0))),
        ("mode=raw,norm=balanced", replace(raw, dose=share)),
    ]
