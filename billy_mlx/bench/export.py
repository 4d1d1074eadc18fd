"""A run's report as one file for others: what was found, with what, on which machine; and such a file read again."""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from billy_mlx.bench.result import Comparison, Mean, Result, redact_path
from billy_mlx.bench.store import FINGERPRINT, Store
from billy_mlx.errors import BillyError
from billy_mlx.jsonl import DAMAGED
from billy_mlx.text import sanitize

FORMAT, VERSION = "billy-bench-report", 1
MOST_BYTES = 256 << 20
"""Of a file that is read: of a full run's report with each answer's scores it is four times as much."""

MACHINE = ("device", "memory", "system", "platform", "BLAS")
VERSIONS = ("billy-mlx", "mlx", "mlx-lm", "Python")
_Kind = TypeVar("_Kind")
_UNKNOWN = "not recorded"
_FOLDERS = re.compile(r"(?<![\w.:~])~?/(?:[^\s/'\",;()]+/)+")  # of a path from the root or from somebody's home
_LONGEST_NAME = 200


@dataclass(frozen=True)
class ModelNote:
    """Which model wrote the answers."""

    id: str
    fingerprint: str


@dataclass(frozen=True)
class Exported:
    """All that the tables of a report show, and what it takes to compare it with another's.

    Attributes:
        machine: device, memory and system: name to value.
        versions: of the packages that the answers were written with.
        settings: of the run, as in run.json.
        result: without each answer's scores, which no table shows.
    """

    model: ModelNote
    machine: dict[str, str]
    versions: dict[str, str]
    settings: dict[str, Any]
    result: Result
    format: str = FORMAT
    version: int = VERSION


def export(store: Store) -> bytes:
    """Return the report of a run as JSON, which names no folder of this machine.

    Raises:
        BillyError: there is no report yet, it cannot be read, or answers have come since.
    """
    folder = store.folder
    result = _read(folder / "report.json", Result, f"make it with: billy bench report {shlex.quote(str(folder))}")
    if len(result.scored) < len(store.answers):
        raise BillyError(
            f"{folder} holds {len(store.answers)} answers, and its report knows of {len(result.scored)}; "
            f"run: billy bench report {shlex.quote(str(folder))}"
        )
    made_with = dict(result.made_with)
    made_with["command"] = _bare_command(made_with.get("command", ""))
    exported = Exported(
        ModelNote(made_with.get("model", _UNKNOWN), made_with.get(FINGERPRINT, _UNKNOWN)),
        {name: made_with.get(name, _UNKNOWN) for name in MACHINE},
        {name: made_with.get(name, _UNKNOWN) for name in VERSIONS},
        store.plain_settings,
        replace(result, made_with=made_with, scored=()),
    )
    return msgspec.json.encode(_without_folders(msgspec.to_builtins(exported))) + b"\n"


def read_exported(path: Path) -> Exported:
    """Return what `export` has written to a file, which may be a stranger's.

    Raises:
        BillyError: in a sentence: it is too large, no such file, of a later version, or says what cannot be.
    """
    exported = _read(path, Exported, "take one that billy bench export has written")
    fault = next(_faults(exported), None)
    if fault is not None:
        raise BillyError(f"{path} {fault}; take one that billy bench export has written")
    return exported


def _read(path: Path, kind: type[_Kind], remedy: str) -> _Kind:
    if not path.is_file():  # a pipe would be waited for
        raise BillyError(f"{path} is no file, or is not there; {remedy}")
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise BillyError(f"{path} has more than {MOST_BYTES >> 20} MB, which no report has; {remedy}")
        return msgspec.json.decode(content, type=kind)
    except OSError as error:
        raise BillyError(f"{path} cannot be read: {error.strerror}; {remedy}") from error
    except DAMAGED as error:
        raise BillyError(f"{path} is no report ({sanitize(str(error))}); {remedy}") from error


def _faults(exported: Exported) -> Iterator[str]:
    """Yield what is wrong, as the end of a sentence whose subject is the file."""
    if exported.format != FORMAT:
        yield f"is of the format {sanitize(exported.format[:40])!r} and not {FORMAT!r}"
    if exported.version != VERSION:
        yield f"is of version {exported.version}, and this program knows version {VERSION}"
    result, arms = exported.result, {arm.name for arm in exported.result.arms}
    names = (exported.model.id, result.main, *exported.machine.values(), *arms)
    if not all(0 < len(name) <= _LONGEST_NAME for name in names):
        yield f"has a name that is empty or longer than {_LONGEST_NAME} characters"
    found: tuple[Mean | Comparison, ...] = (*result.means, *result.comparisons)
    if not result.comparisons:
        yield "compares nothing"
    for each in found:
        estimate = each.estimate
        if each.arm not in arms:
            yield f"has numbers of {sanitize(each.arm[:40])}, which is none of its arms"
        if not estimate.low <= estimate.mean <= estimate.high or estimate.items < 2:
            yield f"has an interval in {sanitize(each.metric[:40])} that cannot be"


def _without_folders(value: Any, key: str = "") -> Any:
    """Return JSON with only the last part of every path; the texts of items and answers stay as they are."""
    if key == "examples":
        return value
    if isinstance(value, str):
        return _FOLDERS.sub("", value.replace(f"{Path.home()}/", "~/") if len(str(Path.home())) > 1 else value)
    if isinstance(value, Mapping):
        return {name: _without_folders(own, name) for name, own in value.items()}
    if isinstance(value, list | tuple):
        return [_without_folders(each) for each in value]
    return value


def _bare_command(command: str) -> str:
    """Return a command line with only the last part of the paths in it."""
    try:
        words = shlex.split(command)
    except ValueError:  # no command that this program has recorded
        return _UNKNOWN
    bare = [
        Path(word).name if before == "--to" or word.startswith((".", "~", "/")) else redact_path(word)
        for before, word in zip(["", *words], words, strict=False)
    ]
    return shlex.join(bare)
