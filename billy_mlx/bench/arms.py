"""The arms of the comparison: what is held against what, on the same items with the same seeds."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from billy_mlx.bench.discussion import discussion
from billy_mlx.bench.play import Arm, Play, Turn, single, turn
from billy_mlx.bench.result import CONTROL
from billy_mlx.bench.roles import roles
from billy_mlx.bench.settings import BenchSettings
from billy_mlx.bench.steered import MODES, Steered, main_mode
from billy_mlx.bench.tasks import Item
from billy_mlx.bench.verbalized import verbalized
from billy_mlx.blend.blend import Blend, Dose, Mode
from billy_mlx.errors import UsageError
from billy_mlx.model.layers import Directions
from billy_mlx.model.model import Model

__all__ = ["Arm", "Play", "Turn", "comparison_arms", "left_out", "main_arm"]

RANDOM_DIRECTIONS = 5

_SAYS = {
    Mode.LAYERED: "The blend layer by layer: at every layer what it adds there to what it has added below.",
    Mode.PAPER: "The blend as the paper adds it: the mean of the vectors times a coefficient, at the paper's layer.",
    Mode.BALANCED: "The blend of the personas' unit vectors, dosed in the layer's own residual norm.",
    Mode.ORTHOGONAL: "The blend of unit vectors that were made orthogonal to each other, dosed like billy-balanced.",
}
_ORTHOGONAL = f"billy-{Mode.ORTHOGONAL}"

_MULTI_ROLE = (
    "Think about the task below as each of these people in turn:\n\n{roles}\n\n"
    "Let them take up each other's thoughts. Then give one answer with the best of all of them, and nothing but the "
    "answer.\n\nThe task:\n\n{task}"
)


Doubles = NDArray[np.float64]


def comparison_arms(model: Model, settings: BenchSettings) -> list[Arm]:
    """Return the arms that `settings` ask for, all of them if they name none, but for those that `left_out` tells of.

    Raises:
        BillyError: there is no arm or group of a name; a persona of the blend has no vector for the model, which names
            the command that extracts it; the blend cancels or names a layer that does not exist.
    """
    steered = Steered(model, settings)
    return _chosen([*_unsteered(model, settings), *_blends(steered), *_random(steered)], settings.arms)


def main_arm(settings: BenchSettings) -> str:
    """Return the name of the blend that the comparison is about."""
    return f"billy-{main_mode(settings)}"


def left_out(model: Model, settings: BenchSettings) -> list[str]:
    """Return in a sentence each which arms that `settings` ask for cannot be had, and why."""
    if settings.arms is not None and "billy" not in settings.arms:
        return []
    steered = Steered(model, settings)
    fault = steered.fault(steered.of_mode(Mode.ORTHOGONAL))
    return [] if fault is None else [f"The arm {_ORTHOGONAL} is left out: {fault}."]


def _chosen(arms: Sequence[Arm], names: tuple[str, ...] | None) -> list[Arm]:
    """Return those of `arms` that are named, by themselves or by their group; all if `names` is None."""
    if names is None:
        return list(arms)
    known = {name for arm in arms for name in (arm.name, arm.group)}
    for name in names:
        if name not in known:
            raise UsageError(f"there is no arm {name!r}; there are {', '.join(arm.name for arm in arms)}")
    return [arm for arm in arms if {arm.name, arm.group} & set(names)]


def _unsteered(model: Model, settings: BenchSettings) -> list[Arm]:
    def alone(name: str, temperature: float) -> Arm:
        sampling = replace(settings.sampling, temperature=temperature)
        says = f"One unsteered answer at temperature {temperature:g}."
        return Arm(name, name, says, None, single(settings, sampling=sampling))

    def multi_role(item: Item, seed: int) -> Play:
        cast = "\n".join(f"- {role}" for role in roles(Blend.parse(settings.blend)))
        [text] = yield [turn(settings, item, seed, prompt=_MULTI_ROLE.format(roles=cast, task=item.prompt))]
        return text

    several = "One prompt that asks the unsteered model to think as each of the blend's personas."
    discussed = "Four roles from the blend's personas discuss over five rounds; all are the same unsteered model."
    stated = "One prompt asks for five answers with their probabilities; one below 0.10 is taken (arXiv 2510.01171)."
    return [
        alone("single-0.7", 0.7),
        alone("single-1.0", 1.0),
        Arm("multi-role", "multi-role", several, None, multi_role),
        Arm("discussion", "discussion", discussed, None, discussion(model, settings)),
        Arm("verbalized", "verbalized", stated, None, verbalized(model, settings)),
    ]


def _blends(steered: Steered) -> list[Arm]:
    main, called = steered.main, main_arm(steered.settings)
    alone = f"alone, in the mode and at the dose of {called}."
    arms = [
        steered.arm(f"persona:{persona_id}", "personas", f"{persona_id} {alone}", steered.alone(persona_id))
        for persona_id in main.persona_ids
    ]
    for mode in MODES:
        blend, named = steered.of_mode(mode), f"billy-{mode}" in (steered.settings.arms or ())
        if mode is not Mode.ORTHOGONAL or named or steered.fault(blend) is None:
            arms.append(steered.arm(f"billy-{mode}", "billy", _SAYS[mode], blend))
    control = replace(main, dose=Dose(0.0))
    return [
        *arms,
        steered.arm(CONTROL, CONTROL, "The blend at dose 0: the control for all that is steered.", control),
    ]


def _random(steered: Steered) -> list[Arm]:
    settings, like = steered.settings, steered.directions(steered.main)
    says = f"A random direction, as long as that of {main_arm(settings)} and at the same place."
    return [
        Arm(f"random-{n}", "random", says, None, single(settings, directions=random_directions(like, settings.seed, n)))
        for n in range(1, RANDOM_DIRECTIONS + 1)
    ]


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


def _orthonormal(columns: Doubles) -> tuple[Doubles, Doubles]:
    """Return Q, of orthonormal columns, and R with a diagonal that is not negative; `columns` are Q @ R."""
    q, r = np.linalg.qr(columns)
    signs = np.where(np.diag(r) < 0, -1.0, 1.0)
    return q * signs, r * signs[:, None]
