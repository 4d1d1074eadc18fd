"""How the full dose of a blend depends on how many personas are in it, and on their angles: prints docs/blends.md.

A blend is calibrated as a persona is: the direction that is added is the blend's own at the layer it steers, and the
finished texts are read along the weighted mean of its personas' vectors. What is found is held against the rule that
`billy_mlx.blend.directions.full_dose` goes by.

    .venv/bin/python benchmarks/blends.py > docs/blends.md
"""

import argparse
import itertools
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from billy_mlx import Blend, Model, PersonaVector, load, load_vectors
from billy_mlx.blend.blend import Mode
from billy_mlx.blend.calibrate import find_full
from billy_mlx.blend.directions import steered_layers
from billy_mlx.blend.sweep import Sweep, Trial
from billy_mlx.extraction.card import load_held_out_prompts
from billy_mlx.extraction.library import find_all
from billy_mlx.model.sample import Sampling
from billy_mlx.steps import finish

_FACTORS = (0.5, 0.75, 1.0, 1.3, 1.7, 2.2)  # of the dose that the rule gives


@dataclass(frozen=True)
class Measured:
    """A blend of equal parts: how near its personas are to one another, and its full dose over the mean of theirs."""

    ids: tuple[str, ...]
    layer: int
    cohesion: float
    mean: float
    full: float
    perplexity: float

    @property
    def ratio(self) -> float:
        """The blend's own full dose, by the mean of its personas'."""
        return self.full / self.mean


def main() -> None:
    """Choose blends, calibrate each, print."""
    arguments = _arguments()
    model = load(arguments.model)
    vectors = load_vectors(find_all(model.fingerprint), model.id, model.fingerprint)
    shown = {name: vector for name, vector in vectors.items() if vector.calibration and vector.calibration.shows}
    trial = Trial(
        prompts=load_held_out_prompts()[: arguments.prompts],
        read_layer=next(v.calibration.read_layer for v in shown.values() if v.calibration),
        max_tokens=arguments.max_tokens,
        batch=60,
        seed=arguments.seed,
        sampling=Sampling(),
    )
    sweep = Sweep(model)
    chosen = [ids for size in (2, 3, 4) for ids in _spread(shown, size, arguments.blends)]
    measured = [_measure(sweep, trial, ids, shown) for ids in tqdm(chosen, disable=None)]
    print(_page(model, trial, measured))


def _spread(vectors: Mapping[str, PersonaVector], size: int, count: int) -> list[tuple[str, ...]]:
    """Return `count` groups of so many personas, from the least to the most alike."""
    groups = list(itertools.combinations(sorted(vectors), size))
    if len(groups) > 2000:
        drawn = np.random.default_rng(0).choice(len(groups), 2000, replace=False)
        groups = [groups[place] for place in sorted(drawn)]
    groups.sort(key=lambda ids: _cohesion([vectors[each] for each in ids], _layer([vectors[each] for each in ids])))
    return [groups[place] for place in np.linspace(0, len(groups) - 1, count).round().astype(int)]


def _layer(vectors: Sequence[PersonaVector]) -> int:
    equal = tuple((vector.persona_id, 1.0) for vector in vectors)
    return steered_layers(Blend(equal, mode=Mode.BALANCED), vectors)[0]


def _cohesion(vectors: Sequence[PersonaVector], layer: int) -> float:
    """Return the length of the mean of the unit vectors: 1 for personas that are the same, 0 for those that cancel."""
    units = [vector.directions[layer] / np.linalg.norm(vector.directions[layer]) for vector in vectors]
    return float(np.linalg.norm(np.mean(units, axis=0)))


def _measure(sweep: Sweep, trial: Trial, ids: tuple[str, ...], vectors: Mapping[str, PersonaVector]) -> Measured:
    own = [vectors[each] for each in ids]
    layer = _layer(own)
    mean = float(np.mean([v.calibration.full for v in own if v.calibration]))
    blend = _merged(own, layer)
    tried = finish(sweep.run(blend, trial, [(layer, factor * mean) for factor in _FACTORS]))
    cells = [each.cell for each in tried]
    full, _ = find_full(cells)
    perplexity = float(np.interp(full, [cell.dose for cell in cells], [cell.perplexity for cell in cells]))
    return Measured(ids, layer, _cohesion(own, layer), mean, full, perplexity)


def _merged(vectors: Sequence[PersonaVector], layer: int) -> PersonaVector:
    """Return the mean of `vectors`, in which at the steered layer all count the same, as in mode `balanced`."""
    mean = sum(vectors[1:], vectors[0]) * (1 / len(vectors))
    directions = mean.directions.copy()
    directions[layer] = np.mean([v.directions[layer] / np.linalg.norm(v.directions[layer]) for v in vectors], axis=0)
    return replace(mean, persona_id="blend", directions=directions)


def _page(model: Model, trial: Trial, measured: Sequence[Measured]) -> str:
    command = " ".join([".venv/bin/python benchmarks/blends.py", *sys.argv[1:], "> docs/blends.md"])
    rows = [
        f"| {' + '.join(each.ids)} | {each.layer} | {each.cohesion:.2f} | {each.mean:.3f} | {each.full:.3f} "
        f"| {each.ratio:.2f} | ×{each.perplexity:.2f} |"
        for each in measured
    ]
    lines = [
        "# The full dose of a blend",
        "",
        f"Model `{model.id}`, {len(trial.prompts)} prompts, {trial.max_tokens} tokens, read at layer "
        f"{trial.read_layer}; equal parts, mode `balanced`. Made by",
        "",
        f"    {command}",
        "",
        "*Cohesion* is the length of the mean of the personas' unit vectors at the steered layer: 1 where they are the",
        "same, 0.71, 0.58 and 0.5 for two, three and four that have nothing in common. *Mean* is the mean of their own",
        "full doses, *full* the dose found for the blend, both in residual norms; *ratio* is the second by the first.",
        "",
        "| blend | layer | cohesion | mean | full | ratio | perplexity |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *rows,
        "",
        *_summary(measured),
    ]
    return "\n".join(lines)


def _summary(measured: Sequence[Measured]) -> list[str]:
    ratios = np.array([each.ratio for each in measured])
    logs = np.log([each.cohesion for each in measured]), np.log(ratios)
    slope, low, high = _slope(*logs)
    by_size = [
        f"{size} personas {np.median([each.ratio for each in measured if len(each.ids) == size]):.2f}"
        for size in sorted({len(each.ids) for each in measured})
    ]
    return [
        f"Median ratio {np.median(ratios):.2f} (quartiles {np.quantile(ratios, 0.25):.2f} and "
        f"{np.quantile(ratios, 0.75):.2f}); by number: {', '.join(by_size)}.",
        f"A power of the cohesion that fits best: {slope:+.2f} (95 % interval {low:+.2f} to {high:+.2f}, bootstrap "
        "over the blends).",
        "",
        "The rule is the mean, whatever their number and angles (`billy_mlx.blend.directions.full_dose`): a ratio of 1",
        "or more says that the text bears it, and a power whose interval holds 0 that the angles ask for no other.",
        "",
        "| in short | measured | aim |",
        "| --- | --- | --- |",
        f"| full dose found for a blend / mean of its personas', median | {np.median(ratios):.2f} | >= 1 |",
    ]


def _slope(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Return the slope of y over x, and its 95 % interval."""
    drawn = np.random.default_rng(0).integers(len(x), size=(2000, len(x)))
    slopes = [np.polyfit(x[places], y[places], 1)[0] for places in drawn if np.ptp(x[places]) > 0]
    low, high = np.quantile(slopes, [0.025, 0.975])
    return float(np.polyfit(x, y, 1)[0]), float(low), float(high)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--blends", type=int, default=5, help="of each size")
    parser.add_argument("--prompts", type=int, default=12)
    parser.add_argument("--max-tokens", type=int, default=64)
    parser.add_argument("--seed", type=int, default=200)
    return parser.parse_args()


if __name__ == "__main__":
    main()
