"""What has been measured about a persona vector: by a judge, on held-out answers, on text that was steered with it."""

import math
from dataclasses import dataclass

JUDGE_AUC = 0.6
"""A judge that tells the poles apart less well than this filters nothing; nor does one that puts both on the same side
of the middle of its scale, where the filter cuts."""
WEAK_AUC = 0.65
"""A vector that separates held-out answers less well than this, at half of the layers, is weak: with 120 answers a pole
chance is 0.5, give or take 0.04 (simulated)."""

MOST_PERPLEXITY = 1.5
"""Times that of the unsteered text."""
LEAST_DISTINCT = 0.85
"""Times that of the unsteered text."""
MOST_REPETITION = 0.1
"""More than in the unsteered text."""
LEAST_LENGTH = 0.5
"""Times that of the unsteered text, both cut off at the same length."""


@dataclass(frozen=True)
class Judgement:
    """How the answers were judged before their means were taken.

    Attributes:
        judge: the model that judged them; "none" without one.
        auc: how well its scores told the persona's answers from neutral ones, from 0 to 1; None if it gave none.
        medians: its median scores, 0 to 100, of the persona's answers and of neutral ones; None likewise.
        filtered: whether its scores decided which answers were kept.
        judged: answers of each pole that it scored.
    """

    judge: str = "none"
    auc: float | None = None
    medians: tuple[float, float] | None = None
    filtered: bool = False
    judged: int = 0


@dataclass(frozen=True)
class Quality:
    """How well the vector separates answers that it was not made from, at each layer.

    Attributes:
        held_out_auc: (layers,) how well the words of the answers alone tell the poles apart, along a reading that
            shares neither a question nor a system prompt with them; 0.5 is chance, 1 separates them all.
        split_half_cosine: (layers,) between what the two halves of the questions would steer with.
        auc_interval: where the AUC lies (95 %) at the layer at which texts are read. None in files of the first
            version: their AUC was taken with the system prompts in the context, and says little about the words.
    """

    held_out_auc: tuple[float, ...]
    split_half_cosine: tuple[float, ...]
    auc_interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Cell:
    """What steering one layer with one dose did to text, held against the same prompts and seeds at dose 0.

    Attributes:
        dose: in residual norms.
        effect: how much further the finished text lies along the vector, read without steering at a later layer, in
            units of the gap between the poles.
        perplexity: under the unsteered model, divided by that of the unsteered text.
        distinct: share of different word pairs, divided likewise.
        repetition: share of four-word runs that have come before, less that of the unsteered text.
        length: in tokens, divided likewise.
    """

    layer: int
    dose: float
    effect: float
    perplexity: float
    distinct: float
    repetition: float
    length: float

    @property
    def fraying(self) -> float:
        """How far the text has come apart: 0 is unsteered text, from 1 on it no longer holds."""
        return max(
            math.log(max(self.perplexity, 1e-6)) / math.log(MOST_PERPLEXITY),
            (1 - self.distinct) / (1 - LEAST_DISTINCT),
            self.repetition / MOST_REPETITION,
            (1 - self.length) / (1 - LEAST_LENGTH),
        )

    @property
    def holds(self) -> bool:
        """Whether the text is not much stranger to the model, nor much more repetitive or shorter than unsteered."""
        return self.fraying <= 1


@dataclass(frozen=True)
class Calibration:
    """Which layer to steer, and how much, for this persona and model; doses are in residual norms.

    Attributes:
        gentle: the dose of half the effect that `full` has.
        too_much: where the text no longer holds; None if no dose of the sweep came to that.
        read_layer: where the finished texts were read, after the steered one.
        at_full: the layer to steer, the dose that 1 means, and what they do to texts that had no part in choosing them.
        effect_low: the lower end of the 95 % interval of that effect, by a bootstrap over the prompts.
        judged: how many points of 100 more than unsteered text the texts at `full` got for the persona; None where no
            judge was good enough to ask.
        prompts: how many there were.
        made_with: tokens, sampling and seed, in words.
        cells: the whole sweep.
    """

    gentle: float
    too_much: float | None
    read_layer: int
    at_full: Cell
    effect_low: float
    judged: float | None
    prompts: int
    made_with: str = ""
    cells: tuple[Cell, ...] = ()

    @property
    def layer(self) -> int:
        """The layer to steer."""
        return self.at_full.layer

    @property
    def full(self) -> float:
        """What dose 1 means."""
        return self.at_full.dose

    @property
    def shows(self) -> bool:
        """Whether the persona shows in what is written at full dose."""
        return self.effect_low > 0 and (self.judged is None or self.judged > 0)


@dataclass(frozen=True)
class Outcome:
    """What writing differently did to texts, held against the same prompts and seeds written plainly.

    Attributes:
        effect: how much further the finished texts lie along the reading, read behind the plain prompt, in units of the
            gap between neutral answers and the persona's own.
        perplexity: under the unsteered model behind the plain prompt, divided by that of the plain texts.
        distinct: share of different word pairs, divided likewise.
        repetition: share of four-word runs that have come before, less that of the plain texts.
        length: in tokens, divided likewise.
    """

    effect: float
    perplexity: float
    distinct: float
    repetition: float
    length: float


@dataclass(frozen=True)
class Tried:
    """One strength and what it did."""

    strength: float
    outcome: Outcome


@dataclass(frozen=True)
class Strength:
    """How often a vector is added, layer by layer, at a dose of 1: for this persona and model.

    Attributes:
        full: the strength that a dose of 1 means.
        limit: what kept it from being more: `effect` where the texts are as much of the persona as those that its own
            system prompts call forth, `perplexity` where they are as strange to the model, `range` for the most tried.
        most_perplexity: the perplexity, as `Outcome` has it, that was not to be exceeded.
        at_full: what it did to texts to prompts that had no part in choosing it.
        effect_interval: of that effect, 95 %, by a bootstrap over the prompts.
        prompted: what the persona's own system prompts did to texts to the same prompts; None for a voice without them.
        prompts: how many there were.
        made_with: prompts, tokens, sampling and seed, in words.
        tried: the strengths that were tried first, on other prompts.
    """

    full: float
    limit: str
    most_perplexity: float
    at_full: Outcome
    effect_interval: tuple[float, float]
    prompted: Outcome | None
    prompts: int
    made_with: str = ""
    tried: tuple[Tried, ...] = ()

    @property
    def shows(self) -> bool:
        """Whether the persona shows in the words alone of what is written at full dose."""
        return self.effect_interval[0] > 0
