"""Scores that are kept in a run's folder, under what decides them: to report twice costs nothing."""

from collections.abc import Generator
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import msgspec

from billy_mlx.bench.lines import DAMAGED
from billy_mlx.files import write_atomically

_Step = TypeVar("_Step")
_Value = TypeVar("_Value")

_VERSION = 3  # goes up when the same answers would get other scores


def kept(
    folder: Path, name: str, decides: object, kind: type[_Value], make: Generator[_Step, None, _Value]
) -> Generator[_Step, None, _Value]:
    """Return what is kept, or else what `make` returns, which is kept from then on.

    Args:
        folder: need not be there yet.
        name: of the file's beginning.
        decides: everything that the value depends on; whatever msgspec can write as JSON.
        kind: type of the value.
        make: is not begun if the value is kept.

    Raises:
        BillyError: the value cannot be written.
    """
    path = folder / f"{name}-{digest(_VERSION, decides)}.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, *DAMAGED):  # a damaged file is made anew
        value = yield from make
        write_atomically(path, msgspec.json.encode(value))
        return value


def digest(*decides: object) -> str:
    """Return what changes with anything in `decides`, which msgspec can write as JSON."""
    return sha256(msgspec.json.encode(decides)).hexdigest()[:16]
