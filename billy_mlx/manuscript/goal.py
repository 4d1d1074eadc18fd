"""How many words a writer wants to write in one text: kept with it."""

from pathlib import Path

import msgspec

from billy_mlx.files import read_all, reading, write_atomically

_LONGEST = 4096
_NAME = "goal.json"


class Goal:
    """The goal of one text.

    Args:
        folder: where what belongs to the text is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME
        self._words: int | None = None
        self._read = False

    @property
    def words(self) -> int | None:
        """How many; 0 is none, and None that nothing was said for this text."""
        if not self._read:
            self._words, self._read = _read(self._path), True
        return self._words

    @words.setter
    def words(self, words: int | None) -> None:
        """Keep another; BillyError if it cannot be written, and it holds until the text is closed even so."""
        self._words, self._read = words, True
        write_atomically(self._path, msgspec.json.encode(words))


def _read(path: Path) -> int | None:
    try:
        with reading(path) as handle:
            words = msgspec.json.decode(read_all(handle, _LONGEST), type=int | None)
    except (OSError, ValueError):  # a convenience: the text does not depend on it
        return None
    return None if words is None else max(0, words)
