"""What was found once is kept in a run's folder: values by what decides them, and findings text by text."""

from collections.abc import Generator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from billy_mlx.files import write_atomically
from billy_mlx.jsonl import DAMAGED, append_lines, keep_only, read_lines

TextKey = tuple[str, ...]
"""What was asked about a text, and the text."""

_Step = TypeVar("_Step")
_Value = TypeVar("_Value")
_T = TypeVar("_T")
_VERSION = 3  # goes up when the same answers would get other scores


def cached(
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


class TextCache(Generic[_T]):
    """A file of what was found; one process at a time may add to it.

    Attributes:
        found: by what was asked and the text.

    Raises:
        BillyError: the file is damaged, or cannot be read or written.
    """

    def __init__(self, path: Path, kind: type[_T]) -> None:
        self.found: dict[TextKey, _T] = {}
        self._path = path
        lines = read_lines(path, _Line[kind], "remove that file, and what is in it is made anew")  # type: ignore[valid-type]
        keep_only(path, lines)
        for line in lines:
            self.found |= {(*line.asked, text): found for text, found in line.found.items()}

    def add(self, found: Mapping[TextKey, _T]) -> None:
        """Take in what was found; it is on the disk when this returns.

        Raises:
            BillyError: the disk takes no more.
        """
        by_question: dict[TextKey, dict[str, _T]] = {}
        for (*asked, text), value in found.items():
            by_question.setdefault(tuple(asked), {})[text] = value
        append_lines(self._path, [_Line(asked, own) for asked, own in by_question.items()])
        self.found |= found


def digest(*decides: object) -> str:
    """Return what changes with anything in `decides`, which msgspec can write as JSON."""
    return sha256(msgspec.json.encode(decides)).hexdigest()[:16]


class _Line(msgspec.Struct, Generic[_T]):
    """What was found, by text, when the same was asked about all of them."""

    asked: tuple[str, ...]
    found: dict[str, _T]
