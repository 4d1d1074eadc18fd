"""What a benchmark asks and whom, from its settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from billy_mlx.bench.arms import Arm, comparison_arms, left_out
from billy_mlx.bench.kept import digest
from billy_mlx.bench.settings import Settings
from billy_mlx.bench.sweeps import Kind, sweep_arms
from billy_mlx.bench.tasks import Item, load_items, read_task_file
from billy_mlx.model.model import Model

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


def plan(model: Model, settings: Settings) -> Plan:
    """Return what `settings` want.

    Raises:
        BillyError: there is no such arm, a vector is missing, or the file of tasks cannot be read.
    """
    sweeps = [arm for kind in SWEEPS if kind in settings.sweeps for arm in sweep_arms(model, settings, kind)]
    return Plan(
        [*comparison_arms(model, settings), *sweeps], planned_items(settings), settings.seeds, left_out(model, settings)
    )


def planned_items(settings: Settings) -> list[Item]:
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
