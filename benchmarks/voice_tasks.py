"""What voices are asked to write, and how it is put to a model: from the frozen benchmarks/voices.toml to requests."""

import hashlib
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from billy_mlx.blend.blend import ALONE
from billy_mlx.blend.recipe import Recipe
from billy_mlx.engine.messages import Job
from billy_mlx.errors import UsageError
from billy_mlx.manuscript.context.guide import Guide
from billy_mlx.manuscript.context.parts import REQUESTS
from billy_mlx.manuscript.passage import Work
from billy_mlx.model.model import Model
from billy_mlx.write.messages import Write
from billy_mlx.write.recipes import context_for, recipe_for

FROZEN = Path(__file__).parent / "voices.toml"
HALVES = ("decide", "report")
_STORIES = ("Write ", "Tell ", "Describe ", "Continue ")  # chat prompts that are answered at length


@dataclass(frozen=True)
class Kind:
    """A kind of writing.

    Attributes:
        table: of voices.toml that its texts come from.
        max_tokens: that are written unless more or fewer are asked for.
        prompts: that are written to unless fewer are asked for; None for all there are.
        says: what is done, for the page.
        seeds: that a prompt is written with at most; None for as many as are asked for.
    """

    table: str
    max_tokens: int
    prompts: int | None
    says: str
    seeds: int | None = None


KINDS = {
    "chat": Kind("chat", 40, None, "answering a message"),
    "continuation": Kind("continuation", 40, None, "going on with a passage of some 60 words"),
    "scene": Kind("scenes", 80, None, "going on with a plain scene of some 500 words, in the studio's own frame"),
    "rewrite": Kind("passages", 160, None, "writing a passage of some 90 words anew, in the studio's own frame"),
    "length": Kind("chat", 900, 8, "answering at length", seeds=1),
}


@dataclass(frozen=True)
class Task:
    """One thing to write: `number` is its place in its half, counted from 0, and goes with it into the seed."""

    kind: str
    half: str
    number: int
    text: str


@cache
def _frozen() -> dict[str, Any]:
    return tomllib.loads(FROZEN.read_text(encoding="utf-8"))


def load_tasks(kind: str, half: str, most: int | None = None) -> tuple[Task, ...]:
    """Return what is written to of one kind in one half, the first `most` of it."""
    texts = enumerate(text.strip() for text in _frozen()[KINDS[kind].table][half])
    fitting = [(at, text) for at, text in texts if kind != "length" or text.startswith(_STORIES)]
    return tuple(Task(kind, half, *each) for each in fitting[: KINDS[kind].prompts if most is None else most])


def load_seeds(half: str, most: int | None = None) -> tuple[int, ...]:
    """Return the seeds of a half, to which a prompt's number is added."""
    seeds = tuple(_frozen()["seeds"][half])
    if most is not None and not 0 < most <= len(seeds):
        raise UsageError(f"{most} seeds were asked for; of the half {half} {len(seeds)} are frozen in {FROZEN.name}")
    return seeds[:most]


def load_seed(name: str) -> int:
    """Return the seed of the `random` directions or of the `pairs` that are drawn."""
    return int(_frozen()["seeds"][name])


def asked(model: Model, task: Task, system: str | None, *, max_tokens: int) -> Recipe:
    """Return the recipe that a task is; with `system` whoever answers is told who it is.

    In the studio's frame that is told where a writer tells it: as what the model must always know.
    """
    if task.kind == "continuation":
        recipe = Recipe.of(REQUESTS["continue"], system=system, prefix=task.text)
    elif task.kind in ("scene", "rewrite"):
        recipe = _in_the_frame(model, task, system)
    else:
        recipe = Recipe.of(task.text, system=system)
    return replace(recipe, max_tokens=max_tokens)


def digest(*parts: object) -> str:
    """Return 32 hexadecimal digits over the `repr` of plain values."""
    return hashlib.sha256("\0".join(map(repr, parts)).encode()).hexdigest()[:32]


def _in_the_frame(model: Model, task: Task, system: str | None) -> Recipe:
    """Return what the studio would send."""
    work: Work = "rewrite" if task.kind == "rewrite" else "continue"
    end = len(task.text)
    write = Write(
        job=Job(0),
        work=work,
        text=task.text,
        cursor=end,
        guide=Guide(memory=system or ""),
        voices=(ALONE,),
        seed=0,
        selection=(0, end) if work == "rewrite" else None,
    )
    return recipe_for(model, write, context_for(model, write).prompt)
