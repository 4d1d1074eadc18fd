"""Where a manuscript's journal and history are: a folder of the program's own, found by the path of the file.

A text without a name yet has no file: its path lies in its folder, where nothing is ever saved. With its first name it
keeps the folder, which is found from then on by what it says of itself.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from billy_mlx import paths
from billy_mlx.errors import BillyError
from billy_mlx.files import PRIVATE, make_private, make_private_folder, read_all, reading, write_atomically
from billy_mlx.lock import Lock, acquire
from billy_mlx.manuscript.cards import CARD, Card, cards, is_gone, mark_of, root
from billy_mlx.manuscript.former import Former, former_of, take_over

_UNTITLED = "untitled-"  # begins the name of the folder of a text that had no name at first
_UNTITLED_FILE = "Untitled.md"
_LONGEST_GOAL = 4096  # bytes
_GOAL_FILE = "goal.json"


@dataclass(frozen=True)
class Home:
    """A manuscript's folder.

    Attributes:
        path: the writer's file, without links.
        folder: where the rest is kept.
        failure: why nothing can be kept there; None if it can.
        moved_from: where the file was when it was last open, if that is elsewhere.
        aside: where the folder is that was in the place of this one until the writer said that the file was moved.
        doubt: what the file may have been, which the writer has not decided on.
    """

    path: Path
    folder: Path
    failure: str | None = None
    moved_from: Path | None = None
    aside: Path | None = None
    doubt: Former | None = None

    @property
    def untitled(self) -> bool:
        """The text has no name yet, and no file."""
        return self.path.parent == self.folder

    def named(self, path: Path) -> "Home":
        """Return the same folder as the home of a file."""
        return replace(self, path=_true_path(path))


@dataclass(frozen=True)
class Recent:
    """A manuscript that was open before.

    Attributes:
        last: when, in seconds since the epoch.
        exists: there is a file.
        saved: there was one, with text in it.
    """

    path: Path
    last: float
    exists: bool
    saved: bool = True

    @property
    def gone(self) -> bool:
        """The file was there, and is not any more."""
        return self.saved and not self.exists

    @property
    def untitled(self) -> bool:
        """It has no name yet."""
        return is_untitled(self.path)


def find_home(path: Path, digest: str | None, decide: Callable[[Former], bool | None] = lambda _: None) -> Home:
    """Return the home of a file, which is made if need be, or comes along if the file was moved or renamed.

    Args:
        path: of the file; there may be none yet.
        digest: of what it holds; None if there is none.
        decide: whether it is another one that is gone, where it has the same bytes and need not be that very file:
            with True its home comes along, with False it is a new one, and None is to be asked again.
    """
    untitled = is_untitled(path)
    real = Path(os.path.realpath(path)) if untitled else _true_path(path)
    folder = real.parent if untitled else _once_untitled(real) or _folder_of(real)
    home = Home(real, folder)
    try:
        former = None if untitled else former_of(real, folder, digest)
        if former is not None:
            home = _decided(home, former, former.certain or decide(former))
        for each in (paths.state_folder(), root(), folder):
            make_private_folder(each)
        for name in os.listdir(folder):  # noqa: PTH208  a version before may have made them for all to read
            make_private(folder / name)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(0, "it may not be written")
    except OSError as error:
        why = f"save often: nothing can be kept beside this text ({error.strerror or error}: {folder}); put that right"
        return replace(home, failure=why)
    return home


def kept_folder(path: Path) -> Path:
    """Return the folder of a file, which need not be there: nothing is made, and nothing moved."""
    real = _true_path(path)
    return _once_untitled(real) or _folder_of(real)


def remember(home: Home, digest: str | None) -> None:
    """Note what the file of a manuscript holds now, so that it is known again under another name."""
    # A convenience: the text does not depend on it. A path that is not UTF-8 cannot be noted at all.
    doubt = None if home.doubt is None else home.doubt.folder.name
    card = Card(str(home.path), digest, time.time(), mark=mark_of(home.path), doubt=doubt)
    with contextlib.suppress(BillyError, UnicodeEncodeError):
        write_atomically(home.folder / CARD, msgspec.json.encode(card), mode=PRIVATE)


def recent(limit: int = 20) -> tuple[Recent, ...]:
    """Return the manuscripts that were open last, the newest first."""
    last = [card for _, card in cards()][:limit]
    return tuple(Recent(Path(card.path), card.last, not is_gone(card.path), card.digest is not None) for card in last)


def untitled_path() -> Path:
    """Return a path for a new text without a name: to be opened as any other, and never to be saved to."""
    return root() / f"{_UNTITLED}{secrets.token_hex(8)}" / _UNTITLED_FILE


def is_untitled(path: Path) -> bool:
    """Return whether this is the path of a text without a name."""
    folder = path.parent
    known = path.name == _UNTITLED_FILE and folder.name.startswith(_UNTITLED)
    return known and os.path.realpath(folder.parent) == os.path.realpath(root())


def forget(path: Path) -> None:
    """Remove what was kept of a text without a name, unless it is open; what cannot be removed stays."""
    import shutil  # late, as the page is painted without it

    lock = acquire(path.parent)
    if isinstance(lock, Lock):
        shutil.rmtree(path.parent, ignore_errors=True)
        lock.release()


def _decided(home: Home, former: Former, taken: bool | None) -> Home:
    """Return a home that has what a former one had, if it is `taken`; where that is open elsewhere, it has to wait."""
    if not taken:
        return replace(home, doubt=former if taken is None else None)
    try:
        aside = take_over(former, home.folder)
    except BlockingIOError:
        return replace(home, doubt=former)
    return replace(home, moved_from=former.path, aside=aside)


def _folder_of(real: Path) -> Path:
    return root() / f"{_readable(real.stem)}-{hashlib.sha256(os.fsencode(real)).hexdigest()[:16]}"


def _once_untitled(real: Path) -> Path | None:
    """Return the folder of a file that was begun without a name; None if there is no such file."""
    return next((folder for folder, card in cards(_UNTITLED) if card.path == str(real)), None)


def _readable(stem: str) -> str:
    return re.sub(r"[^\w-]+", "-", stem).strip("-")[:40] or "manuscript"


def _true_path(path: Path) -> Path:
    """Return a path without links, as the system spells it: macOS knows a file by names of any case.

    Of a file that is not there yet, the folder is spelt so: its first save must not give it another home.
    """
    real = Path(os.path.realpath(path))
    return _as_spelt(real) or (_as_spelt(real.parent) or real.parent) / real.name


def _as_spelt(path: Path) -> Path | None:
    command = getattr(fcntl, "F_GETPATH", None)
    with contextlib.suppress(OSError):
        if command is not None:
            with reading(path) as handle:
                return Path(os.fsdecode(fcntl.fcntl(handle, command, bytes(1024)).rstrip(b"\0")))
    return None


class Goal:
    """The goal of one text.

    Args:
        folder: where what belongs to the text is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _GOAL_FILE
        self._words: int | None = None
        self._read = False

    @property
    def words(self) -> int | None:
        """How many; 0 is none, and None that nothing was said for this text."""
        if not self._read:
            self._words, self._read = _read_goal(self._path), True
        return self._words

    @words.setter
    def words(self, words: int | None) -> None:
        """Keep another; BillyError if it cannot be written, and it holds until the text is closed even so."""
        self._words, self._read = words, True
        write_atomically(self._path, msgspec.json.encode(words))


def _read_goal(path: Path) -> int | None:
    try:
        with reading(path) as handle:
            words = msgspec.json.decode(read_all(handle, _LONGEST_GOAL), type=int | None)
    except (OSError, ValueError):  # a convenience: the text does not depend on it
        return None
    return None if words is None else max(0, words)
