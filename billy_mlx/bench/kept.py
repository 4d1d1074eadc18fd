"""Scores that are kept in a run's folder, under what decides them: to report twice costs nothing."""

from collections.abc import Generator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import msgspec

from billy_mlx.bench.lines import DAMAGED
from billy_mlx.files import write_atomically

_Step = TypeVar("_Step")
_Value = TypeVar("_Value")

_VERSION = 3  # goes up when the same answers would get other scores


@dataclass(frozen=True)
class Kept:
    """A folder of scores; it need not be there yet.

    Attributes:
        shared: what decides all of them; whatever msgspec can write as JSON.
    """

    folder: Path
    shared: object

    def get(
        self, name: str, decides: object, kind: type[_Value], make: Generator[_Step, None, _Value]
    ) -> Generator[_Step, None, _Value]:
        """Return what is kept, or else what `make` returns, which is kept from then on.

        Args:
            name: of the file's beginning.
            decides: everything else that the value depends on.
            kind: type of the value.
            make: is not begun if the value is kept.

        Raises:
            BillyError: the value cannot be written.
        """
        path = self.folder / f"{name}-{digest(_VERSION, self.shared, decides)}.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=kind)
        except (FileNotFoundError, *DAMAGED):  # a damaged file is made anew
            value = yield from make
            write_atomically(path, msgspec.json.encode(value))
            return value


def digest(*decides: object) -> str:
    """Return what changes with anything in `decides`, which msgspec can write as JSON."""
    return sha256(msgspec.json.encode(decides)).hexdigest()[:16]
