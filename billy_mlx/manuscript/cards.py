"""What the folder of each manuscript says of itself: a card with the path of the writer's file, and how to know it."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from billy_mlx import paths
from billy_mlx.files import read_all, reading

CARD = "manuscript.json"
_LONGEST = 1 << 16


@dataclass(frozen=True)
class Card:
    """What a folder says of itself.

    Attributes:
        path: of the writer's file.
        digest: of what it held when it was last saved or opened; None if that was nothing.
        last: when that was, in seconds since the epoch.
        mark: what `mark_of` said of the file then; None if a version before did not note it.
        doubt: name of the folder of a manuscript that this one may be, moved; None if the writer need not decide.
    """

    path: str
    digest: str | None
    last: float
    version: int = 1
    mark: tuple[int, int] | None = None
    doubt: str | None = None


def root() -> Path:
    """Return the folder that the folders of all manuscripts are in."""
    return paths.state_folder() / "manuscripts"


def card_in(folder: Path) -> Card | None:
    """Return the card of a folder; None if it has none that can be read."""
    with contextlib.suppress(OSError, ValueError):
        with reading(folder / CARD) as handle:
            card = msgspec.json.decode(read_all(handle, _LONGEST), type=Card)
        if card.version == 1 and "\0" not in card.path:
            return card
    return None


def cards(prefix: str = "") -> list[tuple[Path, Card]]:
    """Return the folders of such a name that say whose they are, the last used first; others are passed over."""
    found: list[tuple[Path, Card]] = []
    with contextlib.suppress(OSError):
        for name in (name for name in os.listdir(root()) if name.startswith(prefix)):  # noqa: PTH208
            card = card_in(root() / name)
            if card is not None:
                found.append((root() / name, card))
    return sorted(found, key=lambda one: one[1].last, reverse=True)


def is_known(digest: str) -> bool:
    """Return whether these bytes are what the file of some manuscript held when it was last opened or saved."""
    return any(card.digest == digest for _, card in cards())


def mark_of(path: Path) -> tuple[int, int] | None:
    """Return what a file keeps when it is renamed and a copy does not have: its inode, and when it was last written.

    Not the device: it has another number after a restart of some systems. Not the inode alone: that of a file which was
    deleted is soon another's. None if there is no file.
    """
    try:
        status = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    return status.st_ino, status.st_mtime_ns


def is_gone(path: str) -> bool:
    """Return whether there is certainly no file; where that cannot be made out, it may only be out of reach."""
    try:
        os.stat(path)  # noqa: PTH116
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
