"""Rollouts: sampled answers to the shared questions, with the residual stream averaged over each answer."""

from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from hashlib import sha256

from billy_mlx.blend.recipe import Prompt, Recipe
from billy_mlx.blend.writer import Writer
from billy_mlx.errors import UsageError, VectorError
from billy_mlx.extraction.pole import Pole, Rollout
from billy_mlx.measure.activations import ResponseAverages, Text, empty_average, read_averages
from billy_mlx.model.cache import PromptStore
from billy_mlx.model.memory import check_rows
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import chat_prompt, check_length, sent_digest
from billy_mlx.model.sampling import MAX_SEED, Sampling
from billy_mlx.steps import mapped

_SHARED_PROMPT_BYTES = 1 << 28
_READING = 0.2  # of the work on an answer that is read a second time, roughly


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
    rollouts: int = 1
    max_tokens: int = 64
    batch: int = 48
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
    model: Model,
    name: str,
    system_prompts: Sequence[str | None],
    questions: Sequence[str],
    settings: RolloutSettings,
) -> Generator[float, None, Pole]:
    """Write the answers of one pole that are not kept yet, yielding after every step what share of the pole is done.

    What is written behind a system prompt is read behind the plain prompt as well, which is the one that `generate`
    sends without a persona: the same words, so that only the system prompt is between the two readings.

    Args:
        name: of the pole.
        system_prompts: taken in turn, from another one on for every question, so that they are used evenly however few
            answers there are; None is the plain prompt, which `generate` sends without a persona.
        plain: read every answer behind the plain prompt as well.

    Raises:
        VectorError: all answers are empty.
        UsageError: the longest prompt does not fit into the model's context.
        ModelError: a batch would not fit into memory.
        BillyError: the disk takes no more.
    """
    pole, asked = begin_pole(model, name, system_prompts, questions, settings)
    plain = [each.plain for each in asked] if pole.plain else None
    yield from write_answers(model, pole, [each.recipe for each in asked], settings.batch, plain=plain)
    return pole


def begin_pole(
    model: Model, name: str, system_prompts: Sequence[str | None], questions: Sequence[str], settings: RolloutSettings
) -> tuple[Pole, list["_Asked"]]:
    """Return a pole with those of its answers that are kept, and what is asked for all of them.

    Answers are kept under the tokens that are really sent for them: those to another chat template are not found.
    """
    asked = _asked(model, system_prompts, questions, settings)
    plain = any(system is not None for system in system_prompts)
    sent = [*(tokens_of(each.recipe) for each in asked), *((each.plain for each in asked) if plain else ())]
    key = sent_digest(model, sent, name, settings.hash, "plain" * plain)
    numbers, systems = [each.question for each in asked], [each.system for each in asked]
    return Pole(name, key, numbers, model.fingerprint, plain=plain, systems=systems), asked


def write_answers(
    model: Model, pole: Pole, recipes: Sequence[Recipe], batch: int, *, plain: Sequence[tuple[int, ...]] | None = None
) -> Generator[float, None, None]:
    """Write the answers that `pole` still lacks, one for each of `recipes`, yielding what share of them is done.

    Args:
        recipes: with the tokens of their prompts; the model alone writes.
        plain: the plain prompt for each of `recipes`, behind which its answer is read as well.

    Raises:
        VectorError: all of them are empty. They are not kept: whatever is wrong can be put right.
        BillyError: as `roll_out` does.
    """
    if pole.done < len(recipes):
        longest = max(recipes, key=_length)
        check_length(model, list(tokens_of(longest)), longest.max_tokens)
        together = min(batch, len(recipes))
        check_rows(model, together, _length(longest), prompts=together, averaged=True)
    # A system prompt is read once, whatever is asked after it: the prompts that share one follow each other.
    store = PromptStore(_SHARED_PROMPT_BYTES)
    total = sum(map(_length, recipes))
    writing = 1.0 if plain is None else 1.0 - _READING
    while pole.done < len(recipes):
        batch_of = slice(pole.done, pole.done + batch)
        batch_recipes, before = recipes[batch_of], sum(map(_length, recipes[: pole.done]))
        done = _Part(before / total, sum(map(_length, batch_recipes)) / total)
        written = _write(model, batch_recipes, pole.asked[batch_of], store)
        rollouts = yield from mapped(written, partial(_share, done, total, writing))
        if plain is not None:
            reading = _read_again(model, rollouts, plain[batch_of])
            rollouts = yield from mapped(reading, partial(_share_read, done, len(rollouts)))
        pole.add(rollouts)
    if pole.empty == len(recipes):
        pole.discard()
        raise VectorError(
            f"{model.id} gives nothing but empty answers for {pole.name}, so that no voice can be made "
            f"and nothing is kept; choose another model, or correct the chat template or end tokens of this one"
        )


@dataclass(frozen=True)
class _Part:
    """What share of all the answers a batch is, and what share comes before it."""

    before: float
    own: float


@dataclass(frozen=True)
class _Asked:
    """An answer to be.

    Attributes:
        question: its number.
        system: the number of its system prompt.
        recipe: by which it is written.
        plain: the tokens of the plain prompt to the same question.
    """

    question: int
    system: int
    recipe: Recipe
    plain: tuple[int, ...]


def _asked(
    model: Model, system_prompts: Sequence[str | None], questions: Sequence[str], settings: RolloutSettings
) -> list[_Asked]:
    """Return every rollout, those with the same system prompt together."""

    def asked(question: int, turn: int) -> _Asked:
        system = (question + turn) % len(system_prompts)
        prompt, plain = (
            tuple(chat_prompt(model.tokenizer, questions[question], system=each))
            for each in (system_prompts[system], None)
        )
        seed = settings.seed + question * settings.rollouts + turn
        return _Asked(question, system, answer_recipe(prompt, settings, seed), plain)

    every = [asked(question, turn) for turn, question in settings.order(len(questions))]
    return sorted(every, key=lambda each: each.system)


def _write(
    model: Model, recipes: Sequence[Recipe], questions: Sequence[int], store: PromptStore
) -> Generator[int, None, list[Rollout]]:
    """Write the answers of one batch, yielding how many tokens of it are read and written; an early end jumps ahead."""
    observer = ResponseAverages()
    writer = Writer(model, recipes, store=store, observer=observer)
    prompts = sum(len(tokens_of(recipe)) for recipe in recipes)
    ends = model.tokenizer.eos_token_ids
    seen: list[list[int]] = [[] for _ in recipes]  # as the observer sees them, also those that spell half a character
    for step in writer:
        for news in step.emitted:
            seen[news.row] += [] if news.token is None or news.token in ends else [news.token]
        # Before the first token is written, the step says what share of the prompts has been read.
        read = prompts * step.prompt_tokens_read // step.prompt_tokens if step.prompt_tokens else prompts
        yield read + sum(map(writer.done, range(len(recipes))))
    averages = observer.averages()
    unseen = empty_average(model)  # of a row that never came to a token
    return [
        Rollout(question, take.text, tuple(tokens), averages.get(at, unseen))
        for at, (question, take, tokens) in enumerate(zip(questions, writer.takes(), seen, strict=True))
    ]


def _read_again(
    model: Model, rollouts: Sequence[Rollout], prompts: Sequence[tuple[int, ...]]
) -> Generator[int, None, list[Rollout]]:
    """Return `rollouts` with what their tokens are behind `prompts`, yielding how many are read."""
    texts = [
        Text(prompt, rollout.tokens if rollout.average.tokens else ())
        for prompt, rollout in zip(prompts, rollouts, strict=True)
    ]
    averages = yield from read_averages(model, texts)
    return [replace(rollout, plain=average) for rollout, average in zip(rollouts, averages, strict=True)]


def _share(part: _Part, total: float, writing: float, tokens: int) -> float:
    return part.before + min(tokens / total, part.own) * writing


def _share_read(part: _Part, texts: int, read: int) -> float:
    return part.before + part.own * (1.0 - _READING * (1.0 - read / texts))


def answer_recipe(prompt: tuple[int, ...], settings: RolloutSettings, seed: int) -> Recipe:
    """Return the recipe of the answer to the tokens of a prompt; what a model thinks first is a part of it."""
    return Recipe(
        Prompt(tokens=prompt),
        sampling=settings.sampling,
        seed=seed,
        max_tokens=settings.max_tokens,
        steer_thinking=True,
    )


def tokens_of(recipe: Recipe) -> tuple[int, ...]:
    """Return the tokens of a prompt that is given in tokens."""
    return recipe.prompt.tokens or ()


def _length(recipe: Recipe) -> int:
    return len(tokens_of(recipe)) + recipe.max_tokens
