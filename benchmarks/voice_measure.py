"""What is to be measured, and its measuring, wherever the texts come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from voice_arms import ARMS, CONTROL, KNOWN, UNTOUCHED, Voice, draw_pairs, half_and_half, label, voice_of
from voice_effects import Gain, effects, effects_of_others, gain, shares_of_pair, spearman
from voice_length import at_lengths
from voice_page import Section, shown_prompted
from voice_readout import Measured, Ruler, Texts
from voice_shelf import Reading
from voice_tasks import KINDS, Task, load_tasks

from billy_mlx.vectors.card import SentenceSet, bundled_ids


class Source(Protocol):
    """Where texts and readings come from: a model, or a file, which may not have all of them."""

    def texts(self, voices: Sequence[Voice], tasks: Sequence[Task], seeds: int, max_tokens: int) -> Texts:
        """Return the texts of `voices`, for every task those of all seeds."""

    def readings(self, voices: Sequence[Voice], sentences: SentenceSet) -> dict[Voice, Reading]:
        """Return how likely the sentences are under `voices`."""


@dataclass(frozen=True)
class Plan:
    """What is to be measured.

    Attributes:
        prompts: of each kind at most; None for as many as the kind has.
        max_tokens: None for what is usual for the kind.
        weights: at which `layered` is tried.
        pairs: how many half-and-half blends are; as weights and likelihood, in the first kind of writing alone.
    """

    personas: tuple[str, ...] = bundled_ids("writing")
    kinds: tuple[str, ...] = ("chat",)
    half: str = "decide"
    prompts: int | None = None
    seeds: int = 3
    max_tokens: int | None = None
    arms: tuple[str, ...] = ARMS
    dose: float = 1.0
    weights: tuple[float, ...] = ()
    pairs: int = 0
    likelihood: bool = True


def measure(
    plan: Plan, kind: str, source: Source, ruler: Ruler, sentences: SentenceSet, *, first: bool = True
) -> Section:
    """Return what the voices of a plan do in one kind of writing."""
    bench = _Bench(plan, kind, source, ruler, load_tasks(kind, plan.half, plan.prompts))
    arms = [arm for arm in ARMS if arm in plan.arms and arm != CONTROL]
    labels = {arm: label(arm, plan.dose) for arm in arms}
    texts = bench.texts([UNTOUCHED, *(voice_of(arm, who, plan.dose) for who in plan.personas for arm in arms)])
    empty = Section(kind, len(bench.tasks), bench.seeds, bench.max_tokens, effects={})
    if kind == "length":
        found = at_lengths(ruler, texts, list(labels.values()))
        return replace(empty, lengths=found)
    measured = ruler.measure_all(texts)
    section = replace(
        empty,
        effects={arm: effects(measured, own) for arm, own in labels.items()},
        others=effects_of_others(measured, label("layered", plan.dose)),
        gains=_gains(source, list(measured), sentences, labels) if first and plan.likelihood else {},
    )
    if not first:
        return section
    chosen = shown_prompted(section)
    return replace(section, weights=bench.weights(chosen, measured), pairs=bench.pairs(chosen, measured))


@dataclass(frozen=True, eq=False)
class _Bench:
    """One kind of writing of a plan."""

    plan: Plan
    kind: str
    source: Source
    ruler: Ruler
    tasks: Sequence[Task]

    @property
    def max_tokens(self) -> int:
        return KINDS[self.kind].max_tokens if self.plan.max_tokens is None else self.plan.max_tokens

    @property
    def seeds(self) -> int:
        most = KINDS[self.kind].seeds
        return self.plan.seeds if most is None else min(most, self.plan.seeds)

    def texts(self, voices: Sequence[Voice]) -> Texts:
        return self.source.texts(voices, self.tasks, self.seeds, self.max_tokens)

    def weights(
        self, personas: Sequence[str], measured: Mapping[Voice, Measured]
    ) -> dict[str, tuple[list[float], float]]:
        """Return each persona's own effect at every weight, and how well the ranks of both agree."""
        tried = {
            persona: [voice_of("layered", persona, self.plan.dose, weight) for weight in self.plan.weights]
            for persona in personas
        }
        missing = dict.fromkeys(voice for voices in tried.values() for voice in voices if voice not in measured)
        every = {**measured, **self.ruler.measure_all(self.texts(list(missing)))} if missing else measured
        found = {}
        for persona, voices in tried.items():
            if voices and all(voice in every for voice in voices):
                place, control = KNOWN.index(persona), every[UNTOUCHED]
                own = [float((every[voice].positions - control.positions)[:, place].mean()) for voice in voices]
                found[persona] = own, spearman(self.plan.weights, own)
        return found

    def pairs(self, personas: Sequence[str], measured: Mapping[Voice, Measured]) -> dict[str, tuple[float, float]]:
        """Return what share of the two voices alone each half-and-half blend of two has."""
        alone = [each for each in personas if voice_of("layered", each, self.plan.dose) in measured]
        voices = [half_and_half(*pair, self.plan.dose) for pair in draw_pairs(alone, self.plan.pairs)]
        if not voices:
            return {}
        blended = self.ruler.measure_all(self.texts(voices))
        every = {**measured, **blended}
        return {pair.persona: shares_of_pair(every, pair, label("layered", self.plan.dose)) for pair in blended}


def _gains(
    source: Source, voices: Sequence[Voice], sentences: SentenceSet, labels: Mapping[str, str]
) -> dict[str, dict[str, Gain]]:
    """Return by arm and persona what an arm does to hand-written sentences."""
    readings = source.readings(voices, sentences)
    control = readings.get(UNTOUCHED)
    if control is None:
        return {}
    found: dict[str, dict[str, Gain]] = {arm: {} for arm in labels}
    for voice, reading in readings.items():
        for arm, own in labels.items():
            if voice.arm == own:
                found[arm][voice.persona] = gain(reading, control, voice.persona)
    return found
