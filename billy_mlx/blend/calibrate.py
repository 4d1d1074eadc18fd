"""Which layer to steer for a persona, and how much of it: as much as shows, and no more than the text bears."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from billy_mlx.blend.sweep import Sweep, Trial, Tried
from billy_mlx.errors import UsageError, VectorError
from billy_mlx.extraction.card import Persona, load_held_out_prompts
from billy_mlx.extraction.evidence import Calibration, Cell
from billy_mlx.extraction.extract import Progress
from billy_mlx.extraction.judge import Judge, trait_criterion
from billy_mlx.extraction.vector import PersonaVector
from billy_mlx.measure.rising import crossing, smoothed
from billy_mlx.model.model import Model
from billy_mlx.model.sample import Sampling
from billy_mlx.steps import mapped

ENOUGH = 1.0
"""The effect that full dose is to have, if the text bears it: the gap between neutral answers and the persona's own."""

_COARSE_DOSES = (0.08, 0.16)
_COARSE_TOKENS = 48
_FINE = (0.4, 0.6, 0.8, 1.0, 1.3, 1.7)  # times the dose that the coarse ones point to
_LOWEST, _HIGHEST = 0.01, 1.0  # residual norms
_LESS = 0.8  # of a dose that does not hold on other texts
_MEASURED = 3  # times at most
_DRAWS = 10_000


@dataclass(frozen=True)
class CalibrationSettings:
    """What is tried, and on what.

    Attributes:
        layers: to try; None for six between 0.3 and 0.7 of the depth.
        prompts: how many of the held-out prompts.
        max_tokens: of every text.
        batch: texts written at the same time.
        seed: of the text to the first prompt.
    """

    layers: tuple[int, ...] | None = None
    prompts: int = 12
    max_tokens: int = 64
    batch: int = 60
    seed: int = 0
    sampling: Sampling = field(default_factory=Sampling)

    def __post_init__(self) -> None:
        most = len(load_held_out_prompts())
        for name, least, highest in (("prompts", 4, most), ("max_tokens", 8, 4096), ("batch", 1, 1024)):
            if not least <= getattr(self, name) <= highest:
                raise UsageError(f"{name} is {getattr(self, name)}; it goes from {least} to {highest}")

    def __str__(self) -> str:
        tried = "" if self.layers is None else f"layers {', '.join(map(str, self.layers))}, "
        drawn = f"temperature {self.sampling.temperature:g}, min-p {self.sampling.min_p:g}"
        return f"{tried}{self.prompts} prompts, {self.max_tokens} tokens, {drawn}, seed {self.seed}"


@dataclass(frozen=True)
class Subject:
    """What is to be calibrated: a vector, and the card by which a judge knows the persona, if there is one."""

    vector: PersonaVector
    persona: Persona | None = None


@dataclass(frozen=True)
class Calibrated:
    """A vector with its calibration."""

    vector: PersonaVector


def calibrate(
    model: Model,
    subjects: Sequence[Subject],
    *,
    settings: CalibrationSettings | None = None,
    judge: Judge | None = None,
) -> Iterator[Progress | Calibrated]:
    """Find layer and doses for each of `subjects`, yielding after every step and with every vector that is ready.

    First every layer is tried with two doses, and the one taken where most of the persona is had for what the text
    suffers. Around the dose that these point to, six more are tried there. Full is where the text is as much of the
    persona as its own answers are, or the most that the text bears (`Cell.holds`). It is then measured once more with
    other seeds, and lowered until the text holds there too.

    Args:
        model: the one the vectors belong to.
        subjects: vectors with the size of the residual stream in them, and their personas.
        settings: what is tried.
        judge: is asked as well about personas for whose answers it was good enough to filter them.

    Raises:
        UsageError: a layer does not exist, or nothing later is left to read at.
        VectorError: a vector does not say how large the residual stream is.
    """
    settings = CalibrationSettings() if settings is None else settings
    layers, trial = _plan(model, settings)
    for subject in subjects:
        if subject.vector.residual_norm is None:
            raise VectorError(
                f"{subject.vector.persona_id} came from a file that does not say how large the residual stream is; "
                f"extract a persona for this model, then import the file again"
            )
    sweep = Sweep(model)
    for number, subject in enumerate(subjects):
        one = _calibrate_one(sweep, subject, layers, trial, judge)
        found = yield from mapped(one, partial(_progress, subject.vector.persona_id, number, len(subjects)))
        yield Calibrated(replace(subject.vector, calibration=replace(found, made_with=str(settings))))


def _calibrate_one(
    sweep: Sweep, subject: Subject, layers: Sequence[int], trial: Trial, judge: Judge | None
) -> Generator[float, None, Calibration]:
    vector = subject.vector
    short = replace(trial, max_tokens=min(_COARSE_TOKENS, trial.max_tokens), prompts=trial.prompts[::2])
    places = [(layer, dose) for layer in layers for dose in _COARSE_DOSES]
    coarse = yield from mapped(sweep.run(vector, short, places), lambda share: 0.4 * share)
    layer = best_layer([tried.cell for tried in coarse])
    around, _ = find_full([tried.cell for tried in coarse if tried.cell.layer == layer])
    places = [(layer, factor * min(max(around, _LOWEST), _HIGHEST)) for factor in _FINE]
    fine = yield from mapped(sweep.run(vector, trial, places), lambda share: 0.4 + 0.5 * share)
    row = [tried.cell for tried in fine]
    full, too_much = find_full(row)
    at_full = yield from mapped(_measured(sweep, vector, trial, layer, full), lambda share: 0.9 + 0.1 * share)
    judged = yield from _judged(judge, subject, trial.prompts, at_full)
    return Calibration(
        gentle=gentle_dose(row, at_full.cell.dose),
        too_much=too_much,
        read_layer=trial.read_layer,
        at_full=at_full.cell,
        effect_low=_lower_end(at_full),
        judged=judged,
        prompts=len(trial.prompts),
        cells=tuple(tried.cell for tried in (*coarse, *fine)),
    )


def best_layer(cells: Sequence[Cell]) -> int:
    """Return the layer that gives the most effect for what it costs the text, summed over the doses tried there.

    Layers at which the text holds nowhere count only if there are no others.
    """

    def bought(layer: int) -> tuple[bool, float]:
        row = [cell for cell in cells if cell.layer == layer]
        cost = sum(max(cell.fraying, 0.05) for cell in row)
        return any(cell.holds for cell in row), sum(cell.effect for cell in row) / cost

    return max(sorted({cell.layer for cell in cells}), key=bought)


def find_full(row: Sequence[Cell]) -> tuple[float, float | None]:
    """Return the full dose, by one layer's cells by rising dose, and the dose that is too much, if any of them is.

    Full is where the effect is enough, or short of that where the text holds just so. Noise is smoothed away: both
    can only rise with the dose.
    """
    doses = [cell.dose for cell in row]
    too_much = crossing(doses, [cell.fraying for cell in row], 1.0)
    enough = crossing(doses, [cell.effect for cell in row], ENOUGH)
    ends = [dose for dose in (too_much, enough) if dose is not None]
    return min(ends, default=doses[-1]), too_much


def gentle_dose(row: Sequence[Cell], full: float) -> float:
    """Return the dose of half the effect that the dose `full` has, by one layer's cells by rising dose."""
    doses, effects = [cell.dose for cell in row], [cell.effect for cell in row]
    at_full = float(np.interp(full, [0.0, *doses], [0.0, *smoothed(effects)]))
    half = crossing(doses, effects, at_full / 2) if at_full > 0 else None
    return full / 2 if half is None else half


def _measured(
    sweep: Sweep, vector: PersonaVector, trial: Trial, layer: int, dose: float
) -> Generator[float, None, Tried]:
    """Return what `dose`, or as much less of it as holds, does to texts with other seeds."""
    others = replace(trial, seed=trial.seed + len(trial.prompts))
    for left in range(_MEASURED, 0, -1):
        [tried] = yield from mapped(sweep.run(vector, others, [(layer, dose)]), lambda share: share / _MEASURED)
        if tried.cell.holds or left == 1:
            break
        dose *= _LESS
    return tried


def _plan(model: Model, settings: CalibrationSettings) -> tuple[tuple[int, ...], Trial]:
    """Return the layers to try, and the trial."""
    count = model.fingerprint.layers
    layers = settings.layers or tuple(sorted({round(depth * (count - 1)) for depth in np.linspace(0.3, 0.7, 6)}))
    if layers[-1] > count - 2:
        raise UsageError(
            f"layer {layers[-1]} cannot be calibrated: texts are read at a later layer, and the last one is {count - 1}"
        )
    trial = Trial(
        prompts=load_held_out_prompts()[: settings.prompts],
        read_layer=max(count * 3 // 4, layers[-1] + 1),
        max_tokens=settings.max_tokens,
        batch=settings.batch,
        seed=settings.seed,
        sampling=settings.sampling,
    )
    return layers, trial


def _judged(
    judge: Judge | None, subject: Subject, prompts: Sequence[str], tried: Tried
) -> Generator[float, None, float | None]:
    """Return how many points more than the control the texts get for the persona; None if nobody can tell."""
    known = subject.vector.judgement
    if judge is None or subject.persona is None or known is None or known.judge != judge.name or not known.filtered:
        return None
    texts = (tried.written, tried.control)
    answers = [(prompt, each.text) for own in texts for prompt, each in zip(prompts, own, strict=True)]
    scores = yield from mapped(judge.score(trait_criterion(subject.persona), answers), lambda _: 1.0)
    halves = scores[: len(prompts)], scores[len(prompts) :]
    steered, unsteered = ([score for score in half if score is not None] for half in halves)
    return float(np.mean(steered) - np.mean(unsteered)) if steered and unsteered else None


def _lower_end(tried: Tried) -> float:
    """Return the lower end of the 95 % interval of the mean effect, by a bootstrap over the prompts."""
    count = len(tried.effects)
    drawn = np.random.default_rng(0).integers(count, size=(_DRAWS, count))
    return float(np.quantile(tried.effects[drawn].mean(axis=1), 0.025))


def _progress(persona_id: str, number: int, whole: int, share: float) -> Progress:
    return Progress(f"{persona_id} ({number + 1} of {whole})", (number + share) / whole)
