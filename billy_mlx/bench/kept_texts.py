"""What is found of texts, kept as it comes: what was found of a text once is not looked for again."""

from collections.abc import Mapping
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from billy_mlx.bench.lines import append_lines, keep_only, read_lines

_T = TypeVar("_T")

Key = tuple[str, ...]
"""What was asked about a text, and the text."""


class _Line(msgspec.Struct, Generic[_T]):
    """What was found, by text, when the same was asked about all of them."""

    asked: tuple[str, ...]
    found: dict[str, _T]


class KeptTexts(Generic[_T]):
    """A file of what was found; one process at a time may add to it.

    Attributes:
        found: by what was asked and the text.

    Raises:
        BillyError: the file is damaged, or cannot be read or written.
    """

    def __init__(self, path: Path, kind: type[_T]) -> None:
        self.found: dict[Key, _T] = {}
        self._path = path
        lines = read_lines(path, _Line[kind], "remove that file, and what is in it is made anew")  # type: ignore[valid-type]
        keep_only(path, lines)
        for line in lines:
            self.found |= {(*line.asked, text): found for text, found in line.found.items()}

    def add(self, found: Mapping[Key, _T]) -> None:
        """Take in what was found; it is on the disk when this returns.

        Raises:
            BillyError: the disk takes no more.
        """
        by_question: dict[Key, dict[str, _T]] = {}
        for (*asked, text), value in found.items():
            by_question.setdefault(tuple(asked), {})[text] = value
        append_lines(self._path, [_Line(asked, own) for asked, own in by_question.items()])
        self.found |= found
