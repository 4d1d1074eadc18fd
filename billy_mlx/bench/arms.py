"""What is held against what: the arms of a run, the items that they all answer, and what decides their answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from billy_mlx.bench.cache import digest
from billy_mlx.bench.persona_arms import persona_arms, persona_arms_left_out
from billy_mlx.bench.play import Arm
from billy_mlx.bench.prompted_arms import prompted_arms
from billy_mlx.bench.settings import BenchSettings
from billy_mlx.bench.steered_arms import SWEEPS, Steered, blend_arms, left_out, random_arms, sweep_arms
from billy_mlx.bench.tasks import Item, load_items, read_task_file
from billy_mlx.blend.prompt_tokens import prompt_tokens
from billy_mlx.blend.recipe import Recipe
from billy_mlx.errors import UsageError
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import sent_digest


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
    missing = [*left_out(model, settings), *persona_arms_left_out(Steered(model, settings))]
    return Plan([*comparison_arms(model, settings), *sweeps], planned_items(settings), settings.seeds, missing)


def comparison_arms(model: Model, settings: BenchSettings) -> list[Arm]:
    """Return the arms that `settings` ask for, or all of them if they name none, except those that `left_out` names.

    Raises:
        BillyError: there is no arm or group of a name; a persona of the blend has no vector for the model, which names
            the command that extracts it; the blend cancels or names a layer that does not exist.
    """
    steered = Steered(model, settings)
    arms = [*prompted_arms(model, settings), *blend_arms(steered), *persona_arms(steered), *random_arms(steered)]
    return _chosen(arms, settings.arms)


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
    prompts = {
        turn.prompt
        for arm in planned.arms
        for item in planned.items
        for seed in range(planned.seeds)
        for turn in _first(arm, item, seed)
    }
    in_order = sorted(prompts, key=lambda prompt: (prompt.system or "", prompt.user))
    return sent_digest(model, (prompt_tokens(model, prompt) for prompt in in_order))


def _chosen(arms: Sequence[Arm], names: tuple[str, ...] | None) -> list[Arm]:
    """Return those of `arms` that are named, by themselves or by their group; all if `names` is None."""
    if names is None:
        return list(arms)
    known = {name for arm in arms for name in (arm.name, arm.group)}
    for name in names:
        if name not in known:
            raise UsageError(f"there is no arm {name!r}; there are {', '.join(arm.name for arm in arms)}")
    return [arm for arm in arms if {arm.name, arm.group} & set(names)]


def _first(arm: Arm, item: Item, seed: int) -> list[Recipe]:
    return next(arm.play(item, seed))
