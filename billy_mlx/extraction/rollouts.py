"""Rollouts: sampled answers to the shared questions, with the residual stream averaged over each answer."""

from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from hashlib import sha256

from billy_mlx.errors import UsageError, VectorError
from billy_mlx.extraction.pole import Pole, Rollout
from billy_mlx.measure.averages import ResponseAverages
from billy_mlx.measure.reading import empty_average
from billy_mlx.model.answers import Answers
from billy_mlx.model.cache import PromptStore
from billy_mlx.model.decode import Decoding
from billy_mlx.model.memory import check_rows
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import chat_prompt, check_length
from billy_mlx.model.rows import Row
from billy_mlx.model.sample import MAX_SEED, Sampling
from billy_mlx.model.sent import sent_digest
from billy_mlx.steps import mapped

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

    @classmethod
    def paper(cls, *, batch: int = 20, seed: int = 0) -> "RolloutSettings":
        """Return the paper's: ten answers to each question, up to 1000 tokens, drawn as the model gives them.

        Source: arXiv 2507.21509, whose pipeline arXiv 2510.10157 takes over.
        """
        sampling = Sampling(temperature=1.0, top_p=1.0, min_p=0.0)
        return cls(rollouts=10, max_tokens=1000, batch=batch, seed=seed, sampling=sampling)

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


def roll_out(
    model: Model, name: str, system_prompts: Sequence[str], questions: Sequence[str], settings: RolloutSettings
) -> Generator[float, None, Pole]:
    """Write the answers of one pole that are not kept yet, yielding after every step what share of the pole is done.

    Args:
        name: of the pole.
        system_prompts: taken in turn, so that every question meets them evenly.

    Raises:
        VectorError: all answers are empty.
        UsageError: the longest prompt does not fit into the model's context.
        ModelError: a batch would not fit into memory.
        BillyError: the disk takes no more.
    """
    pole, rows = begin_pole(model, name, system_prompts, questions, settings)
    yield from write_answers(model, pole, rows, settings.batch)
    return pole


def begin_pole(
    model: Model, name: str, system_prompts: Sequence[str], questions: Sequence[str], settings: RolloutSettings
) -> tuple[Pole, list[Row]]:
    """Return a pole with those of its answers that are kept, and the rows of all of them.

    Answers are kept under the tokens that are really sent for them: those to another chat template are not found.
    """
    asked = _asked(model, system_prompts, questions, settings)
    rows = [row for _, row in asked]
    key = sent_digest(model, (row.prompt for row in rows), name, settings.hash)
    return Pole(name, key, [question for question, _ in asked], model.fingerprint), rows


def write_answers(model: Model, pole: Pole, rows: Sequence[Row], batch: int) -> Generator[float, None, None]:
    """Write the answers that `pole` still lacks, one for each of `rows`, yielding what share of them is done.

    Raises:
        VectorError: all of them are empty. They are not kept: whatever is wrong can be put right.
        BillyError: as `roll_out` does.
    """
    if pole.done < len(rows):
        longest = max(rows, key=_length)
        check_length(model, list(longest.prompt), longest.max_tokens)
        together = min(batch, len(rows))
        check_rows(model, together, _length(longest), prompts=together)
    # A system prompt is read once, whatever is asked after it: the prompts that share one follow each other.
    store = PromptStore(_SHARED_PROMPT_BYTES)
    total = sum(map(_length, rows))
    while pole.done < len(rows):
        next_rows = rows[pole.done : pole.done + batch]
        questions = pole.asked[pole.done : pole.done + batch]
        before = sum(map(_length, rows[: pole.done]))
        pole.add((yield from mapped(_write(model, next_rows, questions, store), partial(_share, before, total))))
    if pole.empty == len(rows):
        pole.discard()
        raise VectorError(
            f"{model.id} gives nothing but empty answers for {pole.name}, of which no vector can be made, and none is "
            f"kept; put its chat template or its end tokens right, or take another model"
        )


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
    model: Model, rows: Sequence[Row], questions: Sequence[int], store: PromptStore
) -> Generator[int, None, list[Rollout]]:
    """Write the answers of one batch, yielding how many tokens of it are read and written; an early end jumps ahead."""
    observer = ResponseAverages()
    answers = Answers(rows, model.tokenizer.eos_token_ids)
    prompts = sum(len(row.prompt) for row in rows)
    for step in Decoding(model, rows, store=store, observer=observer):
        answers.take(step)
        # Before the first token is written, the step says what share of the prompts has been read.
        read = prompts * step.prompt_tokens_read // step.prompt_tokens if step.prompt_tokens else prompts
        yield read + sum(answers.done)
    averages = observer.averages()
    unseen = empty_average(model)  # of a row that never came to a token
    return [
        Rollout(question, text, tuple(tokens), averages.get(at, unseen))
        for at, (question, text, tokens) in enumerate(zip(questions, answers.texts, answers.tokens, strict=True))
    ]


def _share(before: int, total: int, tokens: int) -> float:
    return (before + tokens) / total


def _length(row: Row) -> int:
    return len(row.prompt) + row.max_tokens
