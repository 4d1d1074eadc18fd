"""What voices do beside dose 0, own minus the mean of the others, and whether it may be chance."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from voice_arms import KNOWN, UNTOUCHED, Voice, group_of
from voice_readout import Measured
from voice_shelf import Reading

from billy_mlx.measure.statistics import Interval, holm, mean_interval, sign_flip_p, smallest_effect
from billy_mlx.measure.voice_axes import specific

Floats = NDArray[np.float64]
LEVEL, POWER = 0.05, 0.8


@dataclass(frozen=True, eq=False)
class Effect:
    """What a voice does beside dose 0, own minus the mean of the others of its group where it is `specific`.

    Attributes:
        values: (N,) of each prompt, by sentence embeddings.
        p: over prompts, `corrected` for all personas of the arm.
        own: the mean on the persona's own line alone.
        words: specific, in words of a hundred.
        surprise: nats a token more than dose 0 has.
        repeated: more than dose 0 has.
    """

    persona: str
    values: Floats
    interval: Interval | None
    p: float
    corrected: float
    own: float
    words: float
    surprise: float
    repeated: float

    @property
    def mean(self) -> float:
        """The mean over prompts."""
        return float(self.values.mean())

    @property
    def shows(self) -> bool:
        """Whether it is more than chance, and in the right direction."""
        return self.corrected < LEVEL and self.mean > 0


@dataclass(frozen=True)
class Gain:
    """What a voice does to hand-written sentences, in nats a token: specific of its own, and lost of plain ones."""

    specific: float
    interval: Interval | None
    lost: float


def in_group(scores: Floats, persona: str, *, without: Sequence[str] = ()) -> Floats:
    """Return (N,), own minus the mean of the others of the persona's group, of scores (N, P) of all `KNOWN`."""
    ids = [each for each in group_of(persona) if each not in without]
    return specific(scores[:, [KNOWN.index(each) for each in ids]], ids, persona)


def effects(measured: Mapping[Voice, Measured], arm: str) -> dict[str, Effect]:
    """Return what an arm does, by persona; p-values are corrected over all of them."""
    return _tested(_of_arm(measured, arm), measured[UNTOUCHED])


def effects_of_others(measured: Mapping[Voice, Measured], arm: str) -> dict[str, Effect]:
    """Return what the texts of the other personas of the run do on each persona's own line: it ought to be nothing."""
    own = _of_arm(measured, arm)
    others = {persona: [own[each] for each in own if each != persona and each in group_of(persona)] for persona in own}
    return _tested({persona: _mean(some) for persona, some in others.items() if some}, measured[UNTOUCHED])


def _of_arm(measured: Mapping[Voice, Measured], arm: str) -> dict[str, Measured]:
    return {voice.persona: each for voice, each in measured.items() if voice.arm == arm}


def _mean(some: Sequence[Measured]) -> Measured:
    return Measured(
        np.mean([each.positions for each in some], axis=0),
        np.mean([each.words for each in some], axis=0),
        float(np.mean([each.nats for each in some])),
        np.mean([each.repeated for each in some], axis=0),
        np.mean([each.distinct for each in some], axis=0),
    )


def _tested(measured: Mapping[str, Measured], control: Measured) -> dict[str, Effect]:
    gained = {persona: in_group(own.positions - control.positions, persona) for persona, own in measured.items()}
    chances = [sign_flip_p(values.tolist()) for values in gained.values()]
    found = {}
    for (persona, own), chance, corrected in zip(measured.items(), chances, holm(chances), strict=True):
        values, place = gained[persona], KNOWN.index(persona)
        found[persona] = Effect(
            persona,
            values,
            mean_interval(values.tolist()),
            chance,
            corrected,
            own=float((own.positions - control.positions)[:, place].mean()),
            words=float(in_group(own.words - control.words, persona).mean()),
            surprise=own.nats - control.nats,
            repeated=float((own.repeated - control.repeated).mean()),
        )
    return found


def mean_effect(found: Mapping[str, Effect]) -> Interval | None:
    """Return the mean over personas with its interval over prompts."""
    return mean_interval(np.mean([each.values for each in found.values()], axis=0).tolist()) if found else None


def ratio(over: Mapping[str, Effect], under: Mapping[str, Effect], rounds: int = 10_000) -> Interval | None:
    """Return the ratio of two mean effects of the same personas, with an interval by drawing prompts again.

    None where the interval of the second does not lie above 0: then a ratio says nothing.
    """
    both = [persona for persona in over if persona in under]
    if not both:
        return None
    first, second = (np.mean([each[persona].values for persona in both], axis=0) for each in (over, under))
    count = len(first)
    drawn = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), size=rounds) / count
    over_drawn, under_drawn = drawn @ first, drawn @ second
    if np.quantile(under_drawn, 0.025) <= 0:
        return None
    low, high = np.quantile(over_drawn / under_drawn, [0.025, 0.975])
    return Interval(float(first.mean() / second.mean()), float(low), float(high), count)


def findable(found: Mapping[str, Effect]) -> float:
    """Return the smallest mean effect that is found with a power of 0.8 at Holm's strictest level.

    That is of the persona whose texts are spread like the median one's; infinite with too few prompts for any effect.
    """
    spreads = [float(each.values.std(ddof=1)) for each in found.values() if len(each.values) > 1]
    count = min((len(each.values) for each in found.values()), default=0)
    least = 2.0 ** (1 - count)  # of the p-values of so many prompts
    if not spreads or least >= LEVEL / len(found):
        return math.inf
    return smallest_effect(float(np.median(spreads)), count, power=POWER, level=LEVEL / len(found))


def gain(own: Reading, control: Reading, persona: str) -> Gain:
    """Return by how much a persona's own sentences are likelier than without it, beyond what those of others are.

    The interval is over the subjects that all personas have a sentence about.
    """
    gains = {each: np.array(own.own[each]) - np.array(control.own[each]) for each in group_of(persona)}
    others = np.mean([gains[each] for each in gains if each != persona], axis=0)
    values = gains[persona] - others
    lost = float(np.mean(control.plain) - np.mean(own.plain))
    return Gain(float(values.mean()), mean_interval(values.tolist()), lost)


def shares_of_pair(measured: Mapping[Voice, Measured], pair: Voice, alone: str) -> tuple[float, float]:
    """Return how much of each one's effect alone a blend of two has; neither is held against the other."""
    control = measured[UNTOUCHED].positions
    ids = pair.persona.split("+")
    shares = []
    for own, other in ((ids[0], ids[1]), (ids[1], ids[0])):
        single = next(each for voice, each in measured.items() if (voice.arm, voice.persona) == (alone, own))
        whole = in_group(single.positions - control, own, without=[other]).mean()
        part = in_group(measured[pair].positions - control, own, without=[other]).mean()
        shares.append(float(part / whole) if whole > 0 else math.nan)
    return shares[0], shares[1]


def spearman(x: Sequence[float], y: Sequence[float]) -> float:
    """Return the correlation of ranks, equal values sharing theirs; not a number where all are equal."""
    ranks = [_ranks(np.asarray(values, np.float64)) for values in (x, y)]
    if min(np.ptp(each) for each in ranks) == 0:
        return math.nan
    return float(np.corrcoef(*ranks)[0, 1])


def _ranks(values: Floats) -> Floats:
    below, upto = (np.searchsorted(np.sort(values), values, side) for side in ("left", "right"))
    return (below + upto) / 2.0
