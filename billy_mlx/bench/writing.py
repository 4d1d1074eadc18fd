"""One batch of turns through the model, and what it took."""

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import mlx.core as mx

from billy_mlx.bench.play import Turn
from billy_mlx.model.answers import Answers
from billy_mlx.model.decode import Decoding
from billy_mlx.model.memory import check_rows
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import chat_prompt, check_length
from billy_mlx.model.rows import Row
from billy_mlx.model.thinking import Thinking


@dataclass(frozen=True)
class TurnText:
    """The text of a turn, and the turn's share of what its batch took.

    Attributes:
        wall_seconds: an equal part of the batch's.
        tokens_forwarded: likewise; the parts add up to the whole.
        peak_memory_gb: of the whole batch.
        rows_at_once: rows of the batch.
    """

    text: str
    finish_reason: str
    tokens_in: int
    tokens_out: int
    tokens_forwarded: int
    wall_seconds: float
    peak_memory_gb: float
    rows_at_once: int


def write(model: Model, turns: Sequence[Turn]) -> Generator[int, None, list[TurnText]]:
    """Return what the model writes to each of `turns`, yielding how many of their tokens need no longer be waited for.

    Raises:
        UsageError: a prompt does not fit into the model's context.
        ModelError: the batch does not fit into memory.
    """
    began = time.perf_counter()
    mx.reset_peak_memory()
    rows = [_row(model, turn) for turn in turns]
    prompts = len({(row.prompt, row.directions.everywhere and row.directions.key) for row in rows})
    check_rows(model, len(rows), max(len(row.prompt) + row.max_tokens for row in rows), prompts=prompts)
    answers = Answers(rows, model.tokenizer.eos_token_ids)
    reasons = [""] * len(rows)
    decoding = Decoding(model, rows)
    for step in decoding:
        answers.take(step)
        for news in step.emitted:
            reasons[news.row] = news.finish_reason or ""
        yield sum(answers.done)
    seconds, peak = (time.perf_counter() - began) / len(rows), mx.get_peak_memory() / 1e9
    each, rest = divmod(decoding.forwarded, len(rows))
    return [
        TurnText(
            text=answers.texts[place],
            finish_reason=reasons[place],
            tokens_in=len(row.prompt),
            tokens_out=len(answers.tokens[place]),
            tokens_forwarded=each + (place < rest),
            wall_seconds=seconds,
            peak_memory_gb=peak,
            rows_at_once=len(rows),
        )
        for place, row in enumerate(rows)
    ]


def _row(model: Model, turn: Turn) -> Row:
    prompt = chat_prompt(model.tokenizer, turn.prompt, system=turn.system)
    check_length(model, prompt, turn.max_tokens)
    return Row(
        prompt=tuple(prompt),
        directions=turn.directions,
        sampling=turn.sampling,
        seed=turn.seed,
        max_tokens=turn.max_tokens,
        thinking=Thinking.of(model.tokenizer, prompt, asked=False),
    )
