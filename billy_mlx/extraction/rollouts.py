"""Rollouts: sampled answers to the shared questions, with the residual stream averaged over each answer."""

from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256

from billy_mlx.errors import UsageError
from billy_mlx.measure.averages import Average, ResponseAverages
from billy_mlx.measure.reading import empty_average
from billy_mlx.model.cache import PromptStore
from billy_mlx.model.decode import Decoding
from billy_mlx.model.memory import check_rows
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import chat_prompt, check_length
from billy_mlx.model.rows import Row
from billy_mlx.model.sample import MAX_SEED, Sampling

_SHARED_PROMPT_BYTES = 1 << 28


@dataclass(frozen=True)
class RolloutSettings:
    """How answers are sampled; the same for every pole.

    Attributes:
        questions: how many of the shared questions are asked.
        rollouts: answers per question; they take the system prompts in turn.
        batch: answers written at the same time.
        seed: of the first answer; each one after it has the next.
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
        highest = MAX_SEED - self.questions * self.rollouts
        if not 0 <= self.seed <= highest:
            raise UsageError(f"seed is {self.seed}; for so many answers it goes from 0 to {highest}")

    def order(self, questions: int) -> list[tuple[int, int]]:
        """Return turn and question number of every answer, in the order they are written, if there are `questions`."""
        asked = range(min(self.questions, questions))
        return [(turn, question) for turn in range(self.rollouts) for question in asked]

    @property
    def hash(self) -> str:
        """A digest of what decides which answers come out, so not of the batch."""
        return sha256(repr({**asdict(self), "batch": None}).encode()).hexdigest()[:16]

    def __str__(self) -> str:
        sampling = self.sampling
        drawn = f"temperature {sampling.temperature:g}, top-p {sampling.top_p:g}, min-p {sampling.min_p:g}"
        return f"{self.max_tokens} tokens, {drawn}, seed {self.seed}"


@dataclass(frozen=True)
class Rollout:
    """One sampled answer and its response-average activations."""

    question: int
    answer: str
    average: Average


@dataclass(frozen=True)
class Progress:
    """How far the rollouts of one pole are, in tokens read and written; answers that end early make it jump ahead."""

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

    Raises:
        UsageError: the longest prompt does not fit into the model's context.
        ModelError: a batch would not fit into memory.
    """
    asked = _asked(model, system_prompts, questions, settings)
    longest = max((row for _, row in asked), key=_length)
    check_length(model, list(longest.prompt), settings.max_tokens)
    together = min(settings.batch, len(asked))
    check_rows(model, together, _length(longest), prompts=together)
    # A system prompt is read once, whatever is asked after it: the prompts that share one follow each other.
    store = PromptStore(_SHARED_PROMPT_BYTES)
    progress = Progress(pole, 0, sum(_length(row) for _, row in asked))
    rollouts: list[Rollout] = []
    for start in range(0, len(asked), settings.batch):
        batch = asked[start : start + settings.batch]
        rollouts += yield from _write(model, batch, store, progress)
        progress = replace(progress, tokens=progress.tokens + sum(_length(row) for _, row in batch))
    return rollouts


def _asked(
    model: Model, system_prompts: Sequence[str], questions: Sequence[str], settings: RolloutSettings
) -> list[tuple[int, Row]]:
    """Return the number of the question and the row for every rollout."""

    def row(question: int, turn: int) -> Row:
        system = system_prompts[turn % len(system_prompts)]
        return Row(
            prompt=tuple(chat_prompt(model.tokenizer, questions[question], system=system)),
            sampling=settings.sampling,
            seed=settings.seed + question * settings.rollouts + turn,
            max_tokens=settings.max_tokens,
        )

    return [(question, row(question, turn)) for turn, question in settings.order(len(questions))]


def _write(
    model: Model, batch: Sequence[tuple[int, Row]], store: PromptStore, before: Progress
) -> Generator[Progress, None, list[Rollout]]:
    """Write the answers of one batch; `before` is how far the pole was."""
    observer = ResponseAverages()
    answers = [""] * len(batch)
    lengths = [0] * len(batch)
    for step in Decoding(model, [row for _, row in batch], store=store, observer=observer):
        for news in step.emitted:
            most = batch[news.row][1].max_tokens
            answers[news.row] += news.text
            lengths[news.row] = most if news.finish_reason else lengths[news.row] + 1
        prompts = sum(len(row.prompt) for _, row in batch)
        # Before the first token is written, the step says what share of the prompts has been read.
        read = prompts * step.prompt_tokens_read // step.prompt_tokens if step.prompt_tokens else prompts
        yield replace(before, tokens=before.tokens + read + sum(lengths))
    averages = observer.averages()
    unseen = empty_average(model)  # of a row that never came to a token
    return [Rollout(question, answers[row], averages.get(row, unseen)) for row, (question, _) in enumerate(batch)]


def _length(row: Row) -> int:
    return len(row.prompt) + row.max_tokens
