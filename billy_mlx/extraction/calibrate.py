"""How much of a persona is full: as much as its own system prompts make of the text, and no stranger to the model."""

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from billy_mlx.blend.blend import Blend, Dose, Mode
from billy_mlx.blend.directions import directions
from billy_mlx.errors import UsageError, VectorError
from billy_mlx.extraction.extraction import ExtractionProgress
from billy_mlx.extraction.sweep import Sweep, SweepText, SweepWriting, Way, effects, outcome
from billy_mlx.measure.statistics import crossing, isotonic
from billy_mlx.model.layers import Directions
from billy_mlx.model.model import Model
from billy_mlx.model.sampling import Sampling
from billy_mlx.steps import mapped
from billy_mlx.vectors.card import Persona, load_held_out_prompts
from billy_mlx.vectors.measurements import Outcome, Strength, Tried
from billy_mlx.vectors.vector import PersonaVector

LEAST_PERPLEXITY = 1.2
"""Times that of plain texts, which a persona may reach whatever its system prompts do."""
UNPROMPTED_PERPLEXITY = 1.5
"""Times that of plain texts, which a voice may reach that has no system prompts to be held against."""

STRENGTHS = (1.0, 2.0, 3.0)
_CHOOSING = 0.7  # of the work, roughly; the rest is measuring on other prompts
_FRAYING = 1.5
_DRAWS = 10_000


@dataclass(frozen=True)
class CalibrationSettings:
    """What is tried, and on what.

    Attributes:
        strengths: to try, rising.
        prompts: how many of the held-out prompts the strength is chosen on; as many others it is measured on.
        max_tokens: of every text.
        batch: texts written at the same time.
        seed: of the text to the first prompt.
    """

    strengths: tuple[float, ...] = STRENGTHS
    prompts: int = 12
    max_tokens: int = 40
    batch: int = 64
    seed: int = 0
    sampling: Sampling = field(default_factory=Sampling)

    def __post_init__(self) -> None:
        most = len(load_held_out_prompts()) // 2
        for name, least, highest in (("prompts", 4, most), ("max_tokens", 8, 4096), ("batch", 1, 1024)):
            if not least <= getattr(self, name) <= highest:
                raise UsageError(f"{name} is {getattr(self, name)}; it goes from {least} to {highest}")
        rising = all(a < b for a, b in zip((0.0, *self.strengths), self.strengths, strict=False))
        if not self.strengths or not rising or self.strengths[-1] > 100:
            raise UsageError("strengths to try are positive numbers that rise, up to 100")

    def __str__(self) -> str:
        drawn = f"temperature {self.sampling.temperature:g}, min-p {self.sampling.min_p:g}"
        return f"{self.prompts} prompts and as many others, {self.max_tokens} tokens, {drawn}, seed {self.seed}"


@dataclass(frozen=True)
class Subject:
    """What is to be calibrated: a vector, and its card, if there is one, whose system prompts it is held against."""

    vector: PersonaVector
    persona: Persona | None = None


@dataclass(frozen=True)
class Calibrated:
    """A vector with its full strength."""

    vector: PersonaVector


def calibrate(
    model: Model, subjects: Sequence[Subject], *, settings: CalibrationSettings | None = None
) -> Iterator[ExtractionProgress | Calibrated]:
    """Find the full strength of each of `subjects`, yielding after every step and with every vector that is ready.

    Full is the largest strength whose texts are no stranger to the model than those to the same prompts behind the
    card's own system prompts (or `LEAST_PERPLEXITY` times plain texts, if that is more), and lie no further along the
    reading than those. What it does is then measured on other prompts, which had no part in choosing it.

    Args:
        model: the one the vectors belong to.
        subjects: vectors that can be added layer by layer, and their personas.
        settings: what is tried.

    Raises:
        VectorError: a vector came from another tool's file.
    """
    settings = CalibrationSettings() if settings is None else settings
    for subject in subjects:
        if not subject.vector.is_difference:
            raise VectorError(
                f"{subject.vector.persona_id} came from another tool's file, which is used as that tool does, in mode "
                f"raw: there is nothing to calibrate"
            )
    sweep = Sweep(model)
    for number, subject in enumerate(subjects):
        one = _calibrate_one(sweep, subject, settings)
        found = yield from mapped(one, partial(_progress, subject.vector.persona_id, number, len(subjects)))
        yield Calibrated(replace(subject.vector, strength=found))


def _calibrate_one(sweep: Sweep, subject: Subject, settings: CalibrationSettings) -> Generator[float, None, Strength]:
    vector = subject.vector
    prompted = [] if subject.persona is None else [Way(system_prompts=subject.persona.prompts)]
    choosing, proving = _trials(settings)
    ways = [*prompted, *(Way(_at_strength(vector, strength)) for strength in settings.strengths)]
    written = yield from mapped(sweep.run(choosing, ways), lambda share: _CHOOSING * share)
    control = sweep.control(choosing)
    goal = outcome(vector, written.pop(0), control) if prompted else None
    tried = tuple(
        Tried(strength, outcome(vector, own, control))
        for strength, own in zip(settings.strengths, written, strict=True)
    )
    full, limit = find_full(tried, goal, measurable=vector.is_measurable)
    ways = [*prompted, Way(_at_strength(vector, full))]
    proof = yield from mapped(sweep.run(proving, ways), lambda share: _CHOOSING + (1 - _CHOOSING) * share)
    control = sweep.control(proving)
    return Strength(
        full=full,
        limit=limit,
        most_perplexity=most_perplexity(goal),
        at_full=outcome(vector, proof[-1], control),
        effect_interval=_interval(vector, proof[-1], control),
        prompted=outcome(vector, proof[0], control) if prompted else None,
        prompts=settings.prompts,
        made_with=str(settings),
        tried=tried,
    )


def most_perplexity(prompted: Outcome | None) -> float:
    """Return what perplexity texts may reach, in that of plain ones."""
    return UNPROMPTED_PERPLEXITY if prompted is None else max(LEAST_PERPLEXITY, prompted.perplexity)


def find_full(tried: Sequence[Tried], prompted: Outcome | None, *, measurable: bool = True) -> tuple[float, str]:
    """Return the full strength by what was tried, in rising order, and what limits it.

    Noise is smoothed away: effect and perplexity can only rise with the strength. Where the effect is not `measurable`,
    as the reading tells the poles apart by chance only, it limits nothing.
    """
    strengths = [each.strength for each in tried]
    surprise = [math.log(max(each.outcome.perplexity, 1e-6)) for each in tried]
    ends = {"range": strengths[-1]}
    too_strange = crossing(strengths, surprise, math.log(most_perplexity(prompted)))
    if too_strange is not None:
        ends["perplexity"] = too_strange
    enough = 1.0 if prompted is None else prompted.effect
    effects_tried = [each.outcome.effect for each in tried]
    reached = crossing(strengths, effects_tried, enough) if measurable and enough > 0 else None
    if reached is not None:
        ends["effect"] = reached
    limit = min(ends, key=lambda name: ends[name])
    return max(ends[limit], 0.05 * strengths[0]), limit


def doses_of(found: Strength) -> tuple[float | None, float | None]:
    """Return the dose of half the effect that a dose of 1 has, and that from which text frays; None where unknown.

    Text frays where it is half as much again stranger to the model, in nats, than it may be at a dose of 1.
    """
    strengths = [each.strength for each in found.tried]
    reached = [each.outcome.effect for each in found.tried]
    at_full = float(np.interp(found.full, [0.0, *strengths], [0.0, *isotonic(reached)]))
    half = crossing(strengths, reached, at_full / 2) if at_full > 0 else None
    surprise = [math.log(max(each.outcome.perplexity, 1e-6)) for each in found.tried]
    frays = crossing(strengths, surprise, _FRAYING * math.log(found.most_perplexity))
    return None if half is None else half / found.full, None if frays is None else frays / found.full


def _at_strength(vector: PersonaVector, strength: float) -> Directions:
    bare = replace(vector, strength=None)
    blend = Blend(((vector.persona_id, 1.0),), dose=Dose(strength), mode=Mode.LAYERED)
    return directions(blend, {vector.persona_id: bare})


def _trials(settings: CalibrationSettings) -> tuple[SweepWriting, SweepWriting]:
    """Return the trial in which the strength is chosen and that in which it is measured, on other prompts and seeds."""
    prompts = load_held_out_prompts()
    parts = prompts[: settings.prompts], prompts[len(prompts) // 2 :][: settings.prompts]
    first, second = (
        SweepWriting(
            part, settings.max_tokens, settings.batch, settings.seed + number * len(prompts), settings.sampling
        )
        for number, part in enumerate(parts)
    )
    return first, second


def _interval(vector: PersonaVector, written: Sequence[SweepText], control: Sequence[SweepText]) -> tuple[float, float]:
    """Return the 95 % interval of the mean effect, by a bootstrap over the prompts."""
    found = effects(vector, written, control)
    drawn = np.random.default_rng(0).integers(len(found), size=(_DRAWS, len(found)))
    low, high = np.quantile(found[drawn].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def _progress(persona_id: str, number: int, whole: int, share: float) -> ExtractionProgress:
    return ExtractionProgress(f"{persona_id} ({number + 1} of {whole})", (number + share) / whole)
