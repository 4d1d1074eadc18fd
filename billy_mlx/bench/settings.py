"""What decides which answers a benchmark comes out with, and who scores them."""

from dataclasses import dataclass, field, replace
from typing import Literal, Self

from billy_mlx.blend.blend import Blend
from billy_mlx.errors import UsageError
from billy_mlx.model.sampling import MAX_SEED, Sampling

Protocol = Literal["own", "paper"]

DEFAULT_BLEND = Blend((("creative-professional", 0.25), ("environmentalist", 0.25), ("futurist", 0.5)))
"""The four agents of arXiv 2405.06373, of which two are futurists."""
SEEDS = 3
QUICK_TASKS = ("uses", "scientific", "writing")

_RANGES = (
    ("items_per_task", 1, 1000),
    ("seeds", 1, 1000),
    ("max_tokens", 1, 4096),
    ("discussion_tokens", 1, 4096),
    ("seed", 0, MAX_SEED),
    ("rows", 1, 1024),
)
_REPEATED_EVERYWHERE = 100_000  # the most that `Sampling` takes: the prompt and all of the answer


@dataclass(frozen=True)
class ScoredBy:
    """Who scores the answers; others may as well, at any time.

    Attributes:
        judge: "self", "none" or a model.
        embeddings: "own" or a model of sentence-transformers.
        quick: whether few ideas are judged.
    """

    judge: str = "self"
    embeddings: str = "own"
    quick: bool = False


ITSELF = ScoredBy()
"""The model scores its own answers, all of them."""


@dataclass(frozen=True)
class BenchSettings:
    """What decides which answers come out, and so what a run folder can be resumed with; only `rows` does not.

    Attributes:
        model: as `--model` takes it.
        blend: that is tried; its personas are also the roles that prompts ask for.
        protocol: "paper" steers at the paper's layer and has whole lists judged.
        tasks: ids of those of our own that are asked; None is all.
        items_per_task: how many of each task, from the first on; None is all.
        tasks_file: items from there, and not our own.
        seeds: answers of an arm to an item; several, so that chance of sampling is not taken for an arm.
        max_tokens: of an answer.
        discussion_tokens: of one turn of a discussion, of which an answer takes twenty.
        seed: of the whole; the seeds of all answers derive from it.
        sampling: of all arms but those that are about it.
        arms: names or groups of the arms to play; None is all.
        others: personas that are not in the blend and are steered to for comparison; None leaves the choice to
            `others_of` in `persona_arms`.
        sweeps: played as well: "layers", "personas", "modes", "paper".
        rows: answers written at the same time.

    Raises:
        UsageError: a number is out of range, or no persona has a weight above 0.
    """

    model: str
    blend: Blend = DEFAULT_BLEND
    protocol: Protocol = "own"
    tasks: tuple[str, ...] | None = None
    items_per_task: int | None = None
    tasks_file: str | None = None
    seeds: int = SEEDS
    max_tokens: int = 256
    discussion_tokens: int = 256
    seed: int = 0
    sampling: Sampling = field(default_factory=lambda: Sampling(temperature=0.7))
    arms: tuple[str, ...] | None = None
    others: tuple[str, ...] | None = None
    sweeps: tuple[str, ...] = ()
    rows: int = 40

    def __post_init__(self) -> None:
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise UsageError(f"{name} is {value}; it goes from {low} to {high}")
        if max((weight for _, weight in self.blend.weights), default=0) <= 0:
            raise UsageError(
                f"{self.blend} has no weight above 0, and so no persona that a prompt could ask for; give one"
            )

    @classmethod
    def own(cls, model: str, blend: Blend = DEFAULT_BLEND) -> Self:
        """Return the full comparison: all items, answers of up to 256 tokens, our own sampling."""
        return cls(model, blend)

    @classmethod
    def quick(cls, model: str, blend: Blend = DEFAULT_BLEND) -> Self:
        """Return a first look, a quarter of an hour with the starter model on two slow cores: one answer to an item."""
        return cls(model, blend, tasks=QUICK_TASKS, items_per_task=2, seeds=1, max_tokens=64, discussion_tokens=32)

    @classmethod
    def paper(cls, model: str, blend: Blend = DEFAULT_BLEND) -> Self:
        """Return the paper's protocol as far as it can be followed here; `deviations_of` says how it differs.

        Source: arXiv 2510.10157.
        """
        sampling = Sampling(
            temperature=0.7,
            top_p=0.8,
            min_p=0.0,
            repetition_penalty=1.2,
            repetition_context=_REPEATED_EVERYWHERE,
        )
        return cls(model, blend, protocol="paper", max_tokens=512, discussion_tokens=512, sampling=sampling)

    @property
    def whole_lists(self) -> bool:
        """Whether an answer is judged as a whole, and not idea by idea."""
        return self.protocol == "paper"

    def decides_the_same(self, other: "BenchSettings") -> bool:
        """Whether the same answers come out."""
        return replace(self, rows=other.rows) == other
