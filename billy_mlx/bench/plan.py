"""What a benchmark asks and whom, from its settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from billy_mlx.bench.arms import Arm, comparison_arms, left_out
from billy_mlx.bench.kept import digest
from billy_mlx.bench.play import Turn
from billy_mlx.bench.settings import BenchSettings
from billy_mlx.bench.sweeps import Kind, sweep_arms
from billy_mlx.bench.tasks import Item, load_items, read_task_file
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import chat_prompt, sent_digest

SWEEPS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Plan:
    """Every arm answers every item with every seed; `left_out` says in sentences which arms cannot."""

    arms: list[Arm]
    items: list[Item]
    seeds: int
    left_out: list[str]

    @property
    def answers(self) -> int:
        """How many there will be."""
        return len(self.arms) * len(self.items) * self.seeds


def plan(model: Model, settings: BenchSettings) -> Plan:
    """Return what `settings` want.

    Raises:
        BillyError: there is no such arm, a vector is missing, or the file of tasks cannot be read.
    """
    sweeps = [arm for kind in SWEEPS if kind in settings.sweeps for arm in sweep_arms(model, settings, kind)]
    return Plan(
        [*comparison_arms(model, settings), *sweeps], planned_items(settings), settings.seeds, left_out(model, settings)
    )


def planned_items(settings: BenchSettings) -> list[Item]:
    """Return the items that are asked, by task.

    Raises:
        UsageError: there is no such task, or the file of tasks cannot be read.
    """
    if settings.tasks_file is None:
        return load_items(settings.tasks, settings.items_per_task)
    found = read_task_file(Path(settings.tasks_file))
    tasks = dict.fromkeys(item.task for item in found)
    return [item for task in tasks for item in [each for each in found if each.task == task][: settings.items_per_task]]


def questions_digest(items: Sequence[Item]) -> str:
    """Return what changes with any question that is asked, wherever it is from."""
    return digest([(item.task, item.id, item.prompt) for item in items])


def prompts_digest(model: Model, planned: Plan) -> str:
    """Return what changes with any token that is sent for the first turns of an answer, and with what ends it.

    What later turns say depends on the answers before; the same template sends it.
    """
    turns = {(turn.system, turn.prompt) for arm in planned.arms for item in planned.items for turn in _first(arm, item)}
    in_order = sorted(turns, key=lambda turn: (turn[0] or "", turn[1]))
    return sent_digest(model, (chat_prompt(model.tokenizer, prompt, system=system) for system, prompt in in_order))


def _first(arm: Arm, item: Item) -> list[Turn]:
    return next(arm.play(item, 0))
