"""A run folder: what a benchmark was told to do, the answers as they came, and what they took.

Answers are lines of answers.jsonl, and what some of them took is a line of costs.jsonl that also says how many answers
there are with them. That line is written last: answers that no cost speaks for are not there, and are made again.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, TypeVar

import msgspec

from billy_mlx.bench.result import GroupCost
from billy_mlx.bench.settings import Settings
from billy_mlx.errors import BillyError
from billy_mlx.files import sync, write_all, write_atomically

_T = TypeVar("_T")

FINGERPRINT = "fingerprint"
"""What `made_with` names the model's weights by; a folder takes the answers of one only."""


@dataclass(frozen=True)
class Answer:
    """What an arm came to.

    Attributes:
        seed: its number, from 0.
        tokens_in: of the prompts of all its turns as they were sent.
        tokens_out: of the texts of all its turns.
        finish_reason: why its last turn ended; "length" if any of several last ones was cut off.
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

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What there is one answer for: arm, task, item, seed."""
        return self.arm, self.task, self.item, self.seed


@dataclass(frozen=True)
class _Run:
    settings: Settings
    made_with: dict[str, str]


@dataclass(frozen=True)
class _Cost:
    """What answers took; `answers` is how many there are in all, with them."""

    answers: int
    cost: GroupCost


class Store:
    """What is in a run folder; one process at a time may add to it.

    Attributes:
        settings: as they were given last, where that is allowed to differ: the batch size.
        made_with: command, versions, fingerprint and whatever else was given when the run was begun.
        answers: in the order in which they came.
    """

    def __init__(self, folder: Path, settings: Settings, made_with: Mapping[str, str]) -> None:
        self.folder = folder
        self.settings = settings
        self.made_with = dict(made_with)
        self.answers, self._costs = _consistent(_lines(self._answers, Answer), _lines(self._cost_lines, _Cost))

    @classmethod
    def create_or_resume(cls, folder: Path, settings: Settings, made_with: Mapping[str, str]) -> Self:
        """Return the run in `folder`, begun anew if there is none.

        Raises:
            BillyError: the folder holds a run with other settings or of another model, is damaged, or cannot be
                written.
        """
        path = folder / "run.json"
        if path.exists():
            found = _read_run(folder)
            _require_same(folder, found, settings, made_with)
            made_with = found.made_with
        else:
            write_atomically(path, msgspec.json.format(msgspec.json.encode(_Run(settings, dict(made_with)))) + b"\n")
        store = cls(folder, settings, made_with)
        # What a kill has torn, or left without its cost, must not come between the old lines and the new ones.
        _cut(store._answers, store.answers)
        _cut(store._cost_lines, store._costs)
        return store

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Return the run in `folder`, to be read.

        Raises:
            BillyError: there is none, or it is damaged.
        """
        found = _read_run(folder)
        return cls(folder, found.settings, found.made_with)

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
        _append(self._answers, answers)
        _append(self._cost_lines, [line])
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
        return msgspec.json.decode(path.read_bytes(), type=_Run)
    except FileNotFoundError as error:
        raise BillyError(f"{folder} holds no benchmark run; make one with: billy bench run") from error
    except (OSError, msgspec.MsgspecError, BillyError) as error:
        raise BillyError(f"{path} cannot be read: {error}; choose another folder") from error


def _require_same(folder: Path, found: _Run, settings: Settings, made_with: Mapping[str, str]) -> None:
    remedy = "choose another folder, or remove that one"
    own, other = found.made_with.get(FINGERPRINT), made_with.get(FINGERPRINT)
    if own != other:
        raise BillyError(f"{folder} holds a run with the model {own}, not {other}; {remedy}")
    if not settings.decides_the_same(found.settings):
        before, now = msgspec.to_builtins(found.settings), msgspec.to_builtins(settings)
        differs = [f"{name} {before[name]!r}, not {now[name]!r}" for name in now if before[name] != now[name]]
        told = ", ".join(each for each in differs if not each.startswith("rows "))
        raise BillyError(f"{folder} holds a run with other settings ({told}); {remedy}")


def _consistent(answers: list[Answer], costs: list[_Cost]) -> tuple[list[Answer], list[_Cost]]:
    """Return the answers that a cost speaks for, and the costs whose answers are all there."""
    kept = [cost for cost in costs if cost.answers <= len(answers)]
    return answers[: kept[-1].answers if kept else 0], kept


def _lines(path: Path, kind: type[_T]) -> list[_T]:
    """Return what the whole lines of a file hold; a torn last one, or one that the disk has not kept, is dropped."""
    try:
        whole = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise BillyError(f"{path} cannot be read: {error.strerror}; put that right, then run it again") from error
    found: list[_T] = []
    for number, line in enumerate(whole, start=1):
        try:
            found.append(msgspec.json.decode(line, type=kind))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            if number < len(whole):
                raise BillyError(f"line {number} of {path} is damaged ({error}); choose another folder") from error
    return found


def _cut(path: Path, lines: Sequence[object]) -> None:
    """Leave only `lines` in a file."""
    content = _encoded(lines)
    if path.exists() and path.read_bytes() != content:
        write_atomically(path, content)


def _append(path: Path, lines: Sequence[object]) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            write_all(handle, _encoded(lines))
            sync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise BillyError(f"{path} was not saved: {error.strerror}; put that right, then run it again") from error


def _encoded(lines: Sequence[object]) -> bytes:
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


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
