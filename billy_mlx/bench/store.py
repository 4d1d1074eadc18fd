"""A run folder: the settings of a benchmark, the answers as they came, and what they cost.

Answers are lines of answers.jsonl, and what some of them took is a line of costs.jsonl that also says how many answers
there are with them. That line is written last: answers that no cost speaks for are not there, and are made again.
"""

import shlex
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import msgspec

from billy_mlx import lock
from billy_mlx.bench.result import CONTROL, GroupCost
from billy_mlx.bench.settings import ITSELF, BenchSettings, ScoredBy
from billy_mlx.blend.blend import Blend
from billy_mlx.errors import BillyError
from billy_mlx.files import write_atomically
from billy_mlx.jsonl import DAMAGED, append_lines, keep_only, read_lines
from billy_mlx.text import sanitize

FINGERPRINT = "fingerprint"
"""What `made_with` names the model's weights by; a folder takes the answers of one only."""

_ELSEWHERE = "choose another folder"
# All there were, by name or group, before there were system prompts and other personas.
_FORMER_ARMS = (
    *("single-0.7", "single-1.0", "multi-role", "discussion", "verbalized"),
    *("personas", "billy", CONTROL, "random"),
)


@dataclass(frozen=True)
class Answer:
    """What an arm came to.

    Attributes:
        seed: its number, from 0.
        tokens_in: of the prompts of all its turns as they were sent.
        tokens_out: of the texts of all its turns.
        finish_reason: why its last turn ended; "length" if any of several last ones was cut off.
        fallback: whether its play could not be done as meant, and a text was taken as it stands.
    """

    arm: str
    task: str
    item: str
    seed: int
    text: str
    turns: int
    tokens_in: int
    tokens_out: int
    finish_reason: str | None
    fallback: bool = False

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What there is one answer for: arm, task, item, seed."""
        return self.arm, self.task, self.item, self.seed


@dataclass(frozen=True)
class _Run:
    """The file run.json; `questions` is a digest of what is asked, `prompts` of its tokens, None of older runs."""

    settings: BenchSettings
    made_with: dict[str, str]
    scored_by: ScoredBy = field(default_factory=ScoredBy)
    questions: str | None = None
    prompts: str | None = None


@dataclass(frozen=True)
class _Cost:
    """What answers took; `answers` is how many there are in all, with them."""

    answers: int
    cost: GroupCost


def alone(folder: Path) -> AbstractContextManager[None]:
    """Be the only program at work in a run folder, made if need be, until the end; where files can be locked.

    Raises:
        BillyError: another one is.
    """
    return lock.alone(folder, lambda who: f"{who} is at work in {folder}; wait for it, or choose another folder")


def begun_settings(folder: Path) -> BenchSettings | None:
    """Return the settings of the run in a folder; None if there is none yet.

    Raises:
        BillyError: its file cannot be read.
    """
    return _read_run(folder).settings if (folder / "run.json").exists() else None


class Store:
    """What is in a run folder; one process at a time may add to it, which is what `alone` is for.

    Attributes:
        settings: as they were given last, where that is allowed to differ: the batch size.
        made_with: command, versions, fingerprint and whatever else was given when the run was begun.
        scored_by: likewise.
        answers: in the order in which they came.
    """

    def __init__(self, folder: Path, run: _Run) -> None:
        self.folder = folder
        self.settings = run.settings
        self.made_with = run.made_with
        self.scored_by = run.scored_by
        self._questions = run.questions
        self._prompts = run.prompts
        self.answers, self._costs = _consistent(
            read_lines(self._answers, Answer, _ELSEWHERE), read_lines(self._cost_lines, _Cost, _ELSEWHERE)
        )

    @classmethod
    def create_or_resume(
        cls,
        folder: Path,
        settings: BenchSettings,
        made_with: Mapping[str, str],
        *,
        scored_by: ScoredBy = ITSELF,
        questions: str | None = None,
        prompts: str | None = None,
    ) -> Self:
        """Return the run in `folder`, begun anew if there is none.

        Args:
            folder: made if need be.
            settings: of the run; those of one in the folder have to decide the same.
            made_with: stored with a new run; the model has to be that of one in the folder.
            scored_by: stored with a new run, for its reports.
            questions: a digest of what is asked, which has to be that of a run in the folder.
            prompts: a digest of the tokens that are sent and of those that end an answer; likewise.

        Raises:
            BillyError: the folder holds a run with other settings, of another model, with other questions or prompts,
                is damaged, or cannot be written.
        """
        path = folder / "run.json"
        if path.exists():
            found = _read_run(folder)
            _require_same(folder, found.settings, settings)
            store = cls(folder, replace(found, settings=settings))
            store.require_model(made_with.get(FINGERPRINT))
            store.require_questions(questions)
            store.require_prompts(prompts, adding=True)
        else:
            begun = _Run(settings, dict(made_with), scored_by, questions, prompts)
            write_atomically(path, msgspec.json.format(msgspec.json.encode(_as_text(begun))) + b"\n")
            store = cls(folder, begun)
        # What a kill left without its cost goes as well.
        keep_only(store._answers, store.answers)
        keep_only(store._cost_lines, store._costs)
        return store

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Return the run in `folder`, to be read.

        Raises:
            BillyError: there is none, or it is damaged.
        """
        return cls(folder, _read_run(folder))

    def require_model(self, fingerprint: str | None) -> None:
        """Raise BillyError unless the answers are of the model with this fingerprint, as `made_with` tells it."""
        own = self.made_with.get(FINGERPRINT)
        if own != fingerprint:
            raise BillyError(
                f"{self.folder} holds a run with the model {sanitize(str(own))}, not {fingerprint}; "
                f"take the model that began it, or {_ELSEWHERE}"
            )

    def require_questions(self, digest: str | None) -> None:
        """Raise BillyError if the questions that were answered are known and have another digest."""
        if self._questions in (None, digest):
            return
        file = self.settings.tasks_file
        where = "Our tasks have" if file is None else f"{sanitize(Path(file).name)} has"
        back = "take the version of billy-mlx" if file is None else "put back the file"
        raise BillyError(
            f"{where} other questions now than {self.folder} holds answers to; "
            f"{back} that the run was begun with, or {_ELSEWHERE}"
        )

    def require_prompts(self, digest: str | None, *, adding: bool = False) -> None:
        """Raise BillyError if the answers are to prompts of another digest; to add some, also if it is not known."""
        if self._prompts == digest or (self._prompts is None and not adding):
            return
        if self._prompts is None:
            raise BillyError(
                f"{self.folder} does not say to which tokens its answers were written, as an older version began it; "
                f"{_ELSEWHERE}, or look at what is there with: billy bench report {shlex.quote(str(self.folder))}"
            )
        raise BillyError(
            f"{self.folder} holds answers to other prompts: since it was begun, the model's chat template, the tokens "
            f"that end its answers or the words of a prompt have changed; put that back, or {_ELSEWHERE}"
        )

    @property
    def plain_settings(self) -> dict[str, Any]:
        """The settings as run.json has them: the blend as a text."""
        return _plain(self.settings)

    @property
    def costs(self) -> list[GroupCost]:
        """What each group took, in the order in which they began."""
        summed: dict[str, GroupCost] = {}
        for each in self._costs:
            cost = each.cost
            summed[cost.group] = _sum(summed[cost.group], cost) if cost.group in summed else cost
        return list(summed.values())

    def add(self, answers: Sequence[Answer], cost: GroupCost) -> None:
        """Keep `answers` and what they took; they are on the disk when this returns.

        Raises:
            BillyError: the disk is full or gone; what was kept before stays.
        """
        line = _Cost(len(self.answers) + len(answers), cost)
        append_lines(self._answers, answers)
        append_lines(self._cost_lines, [line])
        self.answers.extend(answers)
        self._costs.append(line)

    @property
    def _answers(self) -> Path:
        return self.folder / "answers.jsonl"

    @property
    def _cost_lines(self) -> Path:
        return self.folder / "costs.jsonl"


def _read_run(folder: Path) -> _Run:
    path = folder / "run.json"
    try:
        return msgspec.convert(_with_blend(msgspec.json.decode(path.read_bytes())), _Run)
    except FileNotFoundError as error:
        raise BillyError(f"{folder} holds no benchmark run; make one with: billy bench run") from error
    except (OSError, BillyError, *DAMAGED) as error:
        raise BillyError(f"{path} cannot be read: {sanitize(str(error))}; {_ELSEWHERE}") from error


def _with_blend(run: Any) -> Any:
    """Return the content of run.json with the parts of the blend, which is a text there, and the arms it was about."""
    settings = run.get("settings") if isinstance(run, dict) else None
    if isinstance(settings, dict) and isinstance(settings.get("blend"), str):
        settings["blend"] = msgspec.to_builtins(Blend.stored(settings["blend"]))
        if settings.get("arms") is None and "others" not in settings:
            settings["arms"] = [*_FORMER_ARMS]
    return run


def _as_text(run: _Run) -> dict[str, Any]:
    """Return the content of run.json, the blend as a text."""
    return {**msgspec.to_builtins(run), "settings": _plain(run.settings)}


def _plain(settings: BenchSettings) -> dict[str, Any]:
    return {**msgspec.to_builtins(settings), "blend": str(settings.blend)}


def _require_same(folder: Path, found: BenchSettings, settings: BenchSettings) -> None:
    if settings.decides_the_same(found):
        return
    before, now = _plain(found), _plain(settings)
    # A run of an earlier version lacks the settings that came later.
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    differs = [f"{name} {before.get(name)!r}, not {now.get(name)!r}" for name in names]
    told = sanitize(", ".join(each for each in differs if not each.startswith("rows ")))
    raise BillyError(f"{folder} holds a run with other settings ({told}); {_ELSEWHERE}, or remove that one")


def _consistent(answers: list[Answer], costs: list[_Cost]) -> tuple[list[Answer], list[_Cost]]:
    """Return the answers that a cost speaks for, and the costs whose answers are all there."""
    kept = [cost for cost in costs if cost.answers <= len(answers)]
    return answers[: kept[-1].answers if kept else 0], kept


def _sum(one: GroupCost, other: GroupCost) -> GroupCost:
    return replace(
        one,
        arms=tuple(dict.fromkeys(one.arms + other.arms)),
        queries=one.queries + other.queries,
        turns=one.turns + other.turns,
        wall_seconds=one.wall_seconds + other.wall_seconds,
        tokens_in=one.tokens_in + other.tokens_in,
        tokens_out=one.tokens_out + other.tokens_out,
        tokens_forwarded=one.tokens_forwarded + other.tokens_forwarded,
        peak_memory_gb=max(one.peak_memory_gb, other.peak_memory_gb),
        rows_at_once=max(one.rows_at_once, other.rows_at_once),
    )
