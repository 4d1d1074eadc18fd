"""A manuscript whose file is gone, and which a file with the same bytes may be: moved, or only alike."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from billy_mlx.errors import ManuscriptError
from billy_mlx.lock import Lock, acquire
from billy_mlx.manuscript.cards import CARD, Card, card_in, cards, is_gone, mark_of, root
from billy_mlx.manuscript.kept import Left
from billy_mlx.text import sanitize


@dataclass(frozen=True)
class Former:
    """What a file may have been.

    Attributes:
        path: where it was when it was last open.
        folder: of that manuscript.
        certain: it is that very file, renamed or moved, and not one with the same bytes.
        noted: it was found when this one was opened before, and has not been decided on.
    """

    path: Path
    folder: Path
    certain: bool = False
    noted: bool = False


Decide = Callable[[Former, Left], bool | None]
"""Whether a file is a manuscript that is gone and had the same words: what that was, and what it has left."""


class Undecided(ManuscriptError):
    """It has to be decided whether a text is the `former` one under another name, which has something `left`."""

    def __init__(self, former: Former, left: Left) -> None:
        self.former, self.left = former, left
        super().__init__(
            f"this may be {sanitize(str(former.path))}, which is gone and has {left}; say whether it was moved"
        )


def undecided(_former: Former, _left: Left) -> None:
    """Leave it open what a text was."""


def ask_first(former: Former, left: Left) -> None:
    """Open no text before that is decided. Raises Undecided."""
    raise Undecided(former, left)


def former_of(real: Path, folder: Path, digest: str | None) -> Former | None:
    """Return what a file may have been; None if nothing that is known.

    Args:
        real: its path.
        folder: its own, in which there may be nothing yet.
        digest: of what it holds; None if that is nothing.
    """
    if folder.exists():
        return _noted(card_in(folder))
    alike = [] if digest is None else [found for found in cards() if found[1].digest == digest]
    mark = mark_of(real)
    gone = [
        Former(Path(card.path), old, certain=mark is not None and card.mark == mark)
        for old, card in alike
        if is_gone(card.path)
    ]
    return next((one for one in gone if one.certain), next(iter(gone), None))


def take_over(former: Former, folder: Path) -> Path | None:
    """Move the folder of a former manuscript here.

    Returns:
        Where the folder is now that was in its place, with another one's journal and history in it; None if none was.

    Raises:
        BlockingIOError: either is open elsewhere; nothing was changed.
        OSError: it cannot be moved.
    """
    held = _locked(former.folder)
    try:
        aside = _set_aside(folder) if folder.exists() and any(folder.iterdir()) else None
        os.replace(former.folder, folder)  # noqa: PTH105
    finally:
        held.release()
    return aside


def _noted(card: Card | None) -> Former | None:
    if card is None or card.doubt is None:
        return None
    old = root() / Path(card.doubt).name
    other = card_in(old)
    if other is None or not is_gone(other.path):
        return None
    return Former(Path(other.path), old, noted=True)


def _set_aside(folder: Path) -> Path:
    """Give a folder another name, under which it is not found any more."""
    lock, number = _locked(folder), 1
    try:
        while (aside := folder.with_name(f"{folder.name}.aside-{number}")).exists():
            number += 1
        os.replace(folder, aside)  # noqa: PTH105
        if (aside / CARD).exists():
            os.replace(aside / CARD, aside / f"aside-{CARD}")  # noqa: PTH105
    finally:
        lock.release()
    return aside


def _locked(folder: Path) -> Lock:
    lock = acquire(folder)
    if not isinstance(lock, Lock):
        raise BlockingIOError(0, "it is open elsewhere")
    return lock
