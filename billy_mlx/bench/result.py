"""What a benchmark found: plain values, so that a report, a JSON document and a second look need nothing else.

No number here stands alone: every mean and every difference has its interval.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from billy_mlx.model.adapter import apart, with_adapter

FEWEST_ITEMS = 5
"""Over fewer, a difference is shown and not claimed."""

CONTROL = "dose-0"
"""The arm that all that is steered is held against."""


@dataclass(frozen=True)
class ScoredAnswer:
    """What one answer scored.

    Attributes:
        values: by metric; None where it has no meaning for this answer.
        matched: the same, of the answer cut to the length that all arms reach for this item.
    """

    arm: str
    task: str
    item: str
    seed: int
    values: Mapping[str, float | None]
    matched: Mapping[str, float | None]


@dataclass(frozen=True)
class Estimate:
    """A mean over items with the interval of a bootstrap over items (95 %)."""

    mean: float
    low: float
    high: float
    items: int

    @property
    def enough(self) -> bool:
        """Whether there are items enough to claim anything."""
        return self.items >= FEWEST_ITEMS

    def within(self, least: float, most: float) -> "Estimate":
        """Return it with the interval cut off where no value can be; the mean stays in it."""
        return replace(self, low=min(max(self.low, least), self.mean), high=max(min(self.high, most), self.mean))


@dataclass(frozen=True)
class Mean:
    """What an arm scores on the average; `task` None is all tasks."""

    arm: str
    task: str | None
    metric: str
    matched: bool
    estimate: Estimate


@dataclass(frozen=True)
class Comparison:
    """By how much `arm` scores more than `against` on the same items with the same seeds; `task` None is all tasks."""

    arm: str
    against: str
    task: str | None
    metric: str
    matched: bool
    estimate: Estimate


@dataclass(frozen=True)
class GroupCost:
    """What the answers of a group of arms took.

    Attributes:
        arms: in the group; they were written in the same batches.
        queries: answers.
        tokens_in: of all prompts as they were sent.
        tokens_forwarded: through the model; what a prompt shares with another one counts once.
    """

    group: str
    arms: tuple[str, ...]
    queries: int
    turns: int
    wall_seconds: float
    tokens_in: int
    tokens_out: int
    tokens_forwarded: int
    peak_memory_gb: float
    rows_at_once: int


@dataclass(frozen=True)
class VectorCost:
    """What making the vectors of the blend takes, once; None where that is not known.

    Attributes:
        tokens: in and out, at most: answers may have ended before.
        wall_seconds: for the tokens out, at the speed of this run.
        source: how they were made.
    """

    personas: tuple[str, ...]
    tokens: int | None
    wall_seconds: float | None
    source: str


@dataclass(frozen=True)
class Reliability:
    """How far a judge or rater can be relied on.

    Attributes:
        rater: "judge: MODEL, CRITERION", or "human: NAME, CRITERION".
        criterion: what it scores.
        checks: what it was asked to tell apart, and the AUC with its interval: 0.5 is chance.
        usable: whether its scores count; those of a person count unchecked.
        verdict: in a sentence.
    """

    rater: str
    criterion: str
    checks: Mapping[str, Estimate]
    usable: bool
    verdict: str


@dataclass(frozen=True)
class Projection:
    """What a blend or a prompt carries on a persona's axis, in residual norms of the layer.

    Attributes:
        place: "steered layer", where it is arithmetic but for prompts, or "last layer", where it is measured.
        persona: whose axis.
    """

    arm: str
    place: str
    layer: int
    persona: str
    estimate: Estimate


@dataclass(frozen=True)
class Example:
    """Texts of several arms to one item."""

    item: str
    prompt: str
    texts: Mapping[str, str]


@dataclass(frozen=True)
class ArmNote:
    """What an arm is, in a sentence, and its blend if it has one."""

    name: str
    group: str
    says: str
    blend: str | None


@dataclass(frozen=True)
class Result:
    """Everything a benchmark found.

    Attributes:
        main: the blend that all is about, whether it was compared or not.
        made_with: command, versions, model, fingerprint, machine, date, protocol, sampling: name to value.
        metrics: name to what it is, in a sentence with its direction and source.
        limits: what the numbers can not support, a sentence each.
        deviations: from the paper, a sentence each.
    """

    main: str
    made_with: Mapping[str, str]
    arms: tuple[ArmNote, ...]
    metrics: Mapping[str, str]
    means: tuple[Mean, ...]
    comparisons: tuple[Comparison, ...]
    costs: tuple[GroupCost, ...]
    vectors: VectorCost | None
    reliability: tuple[Reliability, ...]
    projections: tuple[Projection, ...]
    examples: tuple[Example, ...]
    limits: tuple[str, ...] = ()
    deviations: tuple[str, ...] = ()
    scored: tuple[ScoredAnswer, ...] = field(default=(), repr=False)


def to_json(result: Result) -> str:
    """Return everything that was found, as JSON of two spaces' indent that ends with a newline."""
    return msgspec.json.format(msgspec.json.encode(result), indent=2).decode() + "\n"


def redact_path(name: str) -> str:
    """Return the last part of an absolute path, or any other text as it is; reports name no folder of this machine."""
    model, adapter = apart(name)
    if adapter is not None:
        return with_adapter(redact_path(model), redact_path(adapter))
    path = Path(name)
    return path.name if path.is_absolute() else name
