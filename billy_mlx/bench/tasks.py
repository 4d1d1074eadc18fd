"""What is asked: five tasks with items of our own, and items out of a task file of others.

The four idea tasks are those of arXiv 2510.10157 and of LLM Discussion (arXiv 2405.06373); all wording is our own.
"""

import re
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from billy_mlx.errors import UsageError
from billy_mlx.files import read_all, reading
from billy_mlx.text import sanitize

_DATA = Path(__file__).parent / "data"
_MOST_BYTES = 1 << 20  # the largest published file has 10 KB

_T = TypeVar("_T")
_Text = Annotated[str, msgspec.Meta(max_length=2000)]


@dataclass(frozen=True)
class Task:
    """A kind of item, and what a judge is told to look for in an answer to one.

    Attributes:
        lists_ideas: an answer is a list of ideas, scored one by one; without it the whole answer is one piece.
        originality: a criterion for `extraction.judge.Judge.score`, as are the next two.
    """

    id: str
    name: str
    lists_ideas: bool
    originality: str
    elaboration: str
    adherence: str


@dataclass(frozen=True)
class Item:
    """One message to answer.

    Attributes:
        prompt: the whole message of the user.
        plain: two ordinary ideas for it, and
        unusual: two original ones, about as long and as well written: a judge of originality has to tell them apart.
    """

    task: str
    id: str
    prompt: str
    plain: tuple[str, ...] = ()
    unusual: tuple[str, ...] = ()


def load_tasks() -> dict[str, Task]:
    """Return our tasks by id, in their order."""
    return {
        task_id: Task(task_id, told.name, told.lists_ideas, told.originality, told.elaboration, told.adherence)
        for task_id, told in _frames().items()
    }


def load_items(tasks: Collection[str] | None = None, per_task: int | None = None) -> list[Item]:
    """Return our items, by task and number.

    Args:
        tasks: whose; None for all.
        per_task: how many of each, the first ones; None for all.

    Raises:
        UsageError: there is no such task.
    """
    known = _frames()
    for task_id in tasks or ():
        if task_id not in known:
            raise UsageError(f"there is no task {sanitize(task_id[:40])}; there are {', '.join(known)}")
    wanted = known if tasks is None else [task_id for task_id in known if task_id in tasks]
    return [item for task_id in wanted for item in _items(task_id)[:per_task]]


def read_task_file(path: Path) -> list[Item]:
    """Return the items of a task file in the published layout of LLM Discussion (arXiv 2405.06373).

    `Examples` are questions, or objects for the first `Problem` under `Task`; without them the `Example` questions of
    every `Task` are taken. Whatever else a file holds is passed over, and a question that comes twice is asked once.

    Raises:
        UsageError: it cannot be read, or is no such file.
    """
    asked = [(task, question) for task, question in _questions(path, _read(path)) if question]
    if not asked:
        raise _refusal(path, "it has no questions under Examples, nor under Example of a Task")
    stem = re.sub(r"[^a-z0-9]+", "-", path.stem.lower())[:40].strip("-") or "file"
    listed = _shared().listed
    return [
        Item(task, f"{stem}-{number:02}", f"{question}\n\n{listed}")
        for number, (task, question) in enumerate(dict.fromkeys(asked), 1)
    ]


@dataclass(frozen=True)
class _Frame:
    """What tasks.toml says of a task; `frame` has {} where the item says what is asked."""

    name: str
    lists_ideas: bool
    frame: str
    originality: str
    elaboration: str
    adherence: str


@dataclass(frozen=True)
class _Tasks:
    """The file tasks.toml; `listed` is what a question of others is followed by."""

    listed: str
    task: dict[str, _Frame]


@dataclass(frozen=True)
class _Entry:
    asks: str
    plain: tuple[str, ...] = ()
    unusual: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Entries:
    item: tuple[_Entry, ...]


class _Object(msgspec.Struct):
    object: _Text


class _FileTask(msgspec.Struct, rename="pascal"):
    problem: Annotated[list[_Text], msgspec.Meta(max_length=100)] = []
    example: Annotated[list[_Text], msgspec.Meta(max_length=1000)] = []


class _File(msgspec.Struct, rename="pascal"):
    """The published layout, as far as it is needed: `Amount`, `Purpose` and `Original` are not."""

    examples: Annotated[list[_Object | _Text], msgspec.Meta(max_length=1000)] = []
    task: Annotated[list[_FileTask], msgspec.Meta(max_length=100)] = []


def _items(task_id: str) -> list[Item]:
    frame = _frames()[task_id].frame
    return [
        Item(task_id, f"{task_id}-{number:02}", frame.format(entry.asks), entry.plain, entry.unusual)
        for number, entry in enumerate(_bundled(task_id, _Entries).item, 1)
    ]


def _frames() -> dict[str, _Frame]:
    return _shared().task


@cache
def _shared() -> _Tasks:
    return _bundled("tasks", _Tasks)


def _bundled(name: str, kind: type[_T]) -> _T:
    return msgspec.convert(tomllib.loads((_DATA / f"{name}.toml").read_text("utf-8")), kind)


def _read(path: Path) -> _File:
    try:
        with reading(path) as handle:
            content = read_all(handle, _MOST_BYTES + 1)
    except OSError as error:
        raise _refusal(path, f"it cannot be read ({error.strerror})") from None
    if len(content) > _MOST_BYTES:
        raise _refusal(path, f"it is larger than {_MOST_BYTES >> 20} MiB")
    try:
        return msgspec.json.decode(content.decode("utf-8-sig"), type=_File)
    except UnicodeDecodeError:
        raise _refusal(path, "it is not UTF-8 text") from None
    except RecursionError:
        raise _refusal(path, "it is nested too deeply") from None
    except msgspec.DecodeError as error:
        raise _refusal(path, str(error)[:200]) from None


def _questions(path: Path, file: _File) -> list[tuple[str, str]]:
    """Return the task and the text of every question."""
    problem = " ".join(file.task[0].problem) if file.task else ""
    questions: list[tuple[str, str]] = []
    for example in file.examples:
        if isinstance(example, str):
            questions.append((_task_of(example), _line(example)))
        elif "{object}" in problem:
            questions.append(("uses", _line(problem.replace("{object}", example.object.strip()))))
        else:
            raise _refusal(path, "it lists objects, but the first Problem under Task does not say {object}")
    if not file.examples:
        questions = [("scientific", _line(example)) for task in file.task for example in task.example]
    return questions


def _task_of(question: str) -> str:
    """Return which of the two tasks a question is from whose files have one shape."""
    return "similarities" if re.search(r"\b(?:alike|in common|similar)", question.lower()) else "instances"


def _line(text: str) -> str:
    return " ".join(sanitize(text).split())


def _refusal(path: Path, reason: str) -> UsageError:
    return UsageError(
        _line(f"{path} is no task file of LLM Discussion: {reason}; choose a .json file out of its Datasets folder")
    )
