"""A play: how one arm comes to one answer, as turns that are asked of the model."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from billy_mlx.bench.settings import BenchSettings
from billy_mlx.bench.tasks import Item
from billy_mlx.blend.blend import Blend
from billy_mlx.blend.recipe import Prompt, Recipe
from billy_mlx.model.layers import UNSTEERED, Directions
from billy_mlx.model.sampling import MAX_SEED, Sampling


@dataclass(frozen=True)
class Fallback:
    """What a play returns that could not be done as meant: a text that it took for the answer all the same."""

    text: str


Play = Generator[list[Recipe], list[str], str | Fallback]
"""Yields the recipes of turns that do not depend on each other, is sent their texts, and returns the answer."""


@dataclass(frozen=True)
class Arm:
    """One way to come to an answer.

    Attributes:
        group: of arms whose turns are written together in the same batches; costs are counted by group.
        description: what it is, in a sentence.
        blend: what it is steered with; `ALONE` where that is nothing, or random directions.
        play: from an item and the number of a seed, from 0, to the play.
        directions: what is added to the model while its turns are written.
    """

    name: str
    group: str
    description: str
    blend: Blend
    play: Callable[[Item, int], Play]
    directions: Directions = UNSTEERED


def turn(
    settings: BenchSettings,
    item: Item,
    seed: int,
    *,
    prompt: str | None = None,
    system: str | None = None,
    sampling: Sampling | None = None,
    max_tokens: int | None = None,
    number: int = 0,
) -> Recipe:
    """Return the recipe of a turn that asks for the item as it stands, but for what is given.

    Args:
        seed: its number, from 0.
        number: of the turn in its play, from 0.
    """
    return Recipe(
        Prompt.of(item.prompt if prompt is None else prompt, system=system),
        sampling=settings.sampling if sampling is None else sampling,
        seed=turn_seed(settings, item, seed, number),
        max_tokens=settings.max_tokens if max_tokens is None else max_tokens,
    )


def turn_seed(settings: BenchSettings, item: Item, seed: int, number: int = 0) -> int:
    """Return the seed of a turn: the same for every arm, whatever other items there are."""
    name = f"{settings.seed}\0{item.task}\0{item.id}\0{seed}\0{number}"
    return int.from_bytes(sha256(name.encode()).digest()[:8]) % (MAX_SEED + 1)


def single(
    settings: BenchSettings, *, sampling: Sampling | None = None, systems: Sequence[str] = ()
) -> Callable[[Item, int], Play]:
    """Return plays of one turn that asks for the item as it stands, behind one of `systems`: the seeds take turns."""

    def play(item: Item, seed: int) -> Play:
        system = systems[seed % len(systems)] if systems else None
        [text] = yield [turn(settings, item, seed, system=system, sampling=sampling)]
        return text

    return play
