"""Rollouts: sampled answers to the shared questions, with the residual stream averaged over each answer."""

from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256

from billy_mlx.errors import UsageError
from billy_mlx.measure.averages import Average, ResponseAverages
from billy_mlx.model.cache import PromptStore
from billy_mlx.model.decode import Decoding
from billy_mlx.model.load import Model
from billy_mlx.model.memory import check_rows
from billy_mlx.model.prompt import chat_prompt
from billy_mlx.model.rows import Row
from billy_mlx.model.sample import Sampling

_SHARED_PROMPT_BYTES = 1 << 28


@dataclass(frozen=True)
class RolloutSettings:
    """How answers are sampled; the same for every pole.

    Attributes:
        questions: how many of the shared questions are asked.
        rollouts: answers per question; they take the system prompts in turn.
        batch: answers written at the same time.
    """

    questions: int = 24
    rollouts: int = 5
    max_tokens: int = 64
    batch: int = 60
    seed: int = 0
    sampling: Sampling = field(default_factory=Sampling)

    def __post_init__(self) -> None:
        for name, most in (("questions", 1000), ("rollouts", 1000), ("max_tokens", 4096), ("batch", 1024)):
            if not 1 <= getattr(self, name) <= most:
                raise UsageError(f"{name} is {getattr(self, name)}; it goes from 1 to {most}")

    @property
    def hash(self) -> str:
        """A digest of what decides which answers come out, so not of the batch."""
        return sha256(repr({**asdict(self), "batch": None}).encode()).hexdigest()[:16]

    def __str__(self) -> str:
        return f"{self.max_tokens} tokens, temperature {self.sampling.temperature:g}, seed {self.seed}"


@dataclass(frozen=True)
class Rollout:
    """One sampled answer and its response-average activations."""

    question: int
    answer: str
    average: Average


@dataclass(frozen=True)
class Progress:
    """How far the rollouts of one pole are, in tokens; answers that end early make it jump ahead."""

    pole: str
    tokens: int
    total: int


def roll_out(
    model: Model, pole: str, system_prompts: Sequence[str], questions: Sequence[str], settings: RolloutSettings
) -> Generator[Progress, None, list[Rollout]]:
    """Write the answers of one pole, yielding after every step.

    Args:
        pole: a name for it, shown with the progress.
        system_prompts: taken in turn, so that every question meets them evenly.
    """
    asked = [
        (
            question,
            Row(
                prompt=tuple(
                    chat_prompt(model.tokenizer, questions[question], system=system_prompts[turn % len(system_prompts)])
                ),
                sampling=settings.sampling,
                seed=settings.seed + question * settings.rollouts + turn,
                max_tokens=settings.max_tokens,
            ),
        )
        for turn in range(settings.rollouts)
        for question in range(min(settings.questions, len(questions)))
    ]
    longest = max(len(row.prompt) for _, row in asked)
    check_rows(model, min(settings.batch, len(asked)), longest + settings.max_tokens)
    # A system prompt is read once, whatever is asked after it: the prompts that share one follow each other.
    store = PromptStore(_SHARED_PROMPT_BYTES)
    rollouts: list[Rollout] = []
    for start in range(0, len(asked), settings.batch):
        batch = asked[start : start + settings.batch]
        written = yield from _write(model, pole, [row for _, row in batch], store, start, len(asked))
        rollouts += [
            Rollout(question, answer, average) for (question, _), (answer, average) in zip(batch, written, strict=True)
        ]
    return rollouts


def _write(
    model: Model, pole: str, rows: list[Row], store: PromptStore, done: int, total: int
) -> Generator[Progress, None, list[tuple[str, Average]]]:
    observer = ResponseAverages()
    answers = [""] * len(rows)
    written = [0] * len(rows)
    length = rows[0].max_tokens
    for step in Decoding(model, rows, store=store, observer=observer):
        for news in step.emitted:
            answers[news.row] += news.text
            written[news.row] = length if news.finish_reason else written[news.row] + 1
        yield Progress(pole, done * length + sum(written), total * length)
    averages = observer.averages()
    return [(answer, averages[row]) for row, answer in enumerate(answers)]
