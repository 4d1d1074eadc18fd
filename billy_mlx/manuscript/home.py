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
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from billy_mlx import paths
from billy_mlx.errors import BillyError
from billy_mlx.files import PRIVATE, make_private, make_private_folder, read_all, reading, write_atomically
from billy_mlx.lock import Lock, acquire

_LONGEST = 1 << 16
CARD = "manuscript.json"
_UNTITLED = "untitled-"  # begins the name of the folder of a text that had no name at first
_UNTITLED_FILE = "Untitled.md"


@dataclass(frozen=True)
class Home:
    """A manuscript's folder.

    Attributes:
        path: the writer's file, without links.
        folder: where the rest is kept.
        failure: why nothing can be kept there; None if it can.
        moved_from: where the file was when it was last open, if that is elsewhere.
    """

    path: Path
    folder: Path
    failure: str | None = None
    moved_from: Path | None = None

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


@dataclass(frozen=True)
class _Card:
    """What a folder says of itself. `digest` is of the file when it was last saved or opened."""

    path: str
    digest: str | None
    last: float
    version: int = 1


def find_home(path: Path, digest: str | None) -> Home:
    """Return the home of a file, which is made if need be, or comes along if the file was moved or renamed.

    Args:
        path: of the file; there may be none yet.
        digest: of what it holds; None if there is none.
    """
    untitled = is_untitled(path)
    real = Path(os.path.realpath(path)) if untitled else _true_path(path)
    folder = real.parent if untitled else _once_untitled(real) or _folder_of(real)
    moved_from = None
    try:
        if not folder.exists() and digest is not None:
            moved_from = _adopt(digest, folder)
        for each in (paths.state_folder(), _root(), folder):
            make_private_folder(each)
        for name in os.listdir(folder):  # noqa: PTH208  a version before may have made them for all to read
            make_private(folder / name)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(0, "it may not be written")
    except OSError as error:
        why = f"save often: nothing can be kept beside this text ({error.strerror or error}: {folder}); put that right"
        return Home(real, folder, failure=why)
    return Home(real, folder, moved_from=moved_from)


def remember(home: Home, digest: str | None) -> None:
    """Note what the file of a manuscript holds now, so that it is known again under another name."""
    # A convenience: the text does not depend on it. A path that is not UTF-8 cannot be noted at all.
    card = _Card(str(home.path), digest, time.time())
    with contextlib.suppress(BillyError, UnicodeEncodeError):
        write_atomically(home.folder / CARD, msgspec.json.encode(card), mode=PRIVATE)


def is_known(digest: str) -> bool:
    """Return whether these bytes are what the file of some manuscript held when it was last opened or saved."""
    return any(card.digest == digest for _, card in _cards())


def recent(limit: int = 20) -> tuple[Recent, ...]:
    """Return the manuscripts that were open last, the newest first."""
    cards = [card for _, card in _cards()][:limit]
    return tuple(Recent(Path(card.path), card.last, not _is_gone(card.path), card.digest is not None) for card in cards)


def untitled_path() -> Path:
    """Return a path for a new text without a name: to be opened as any other, and never to be saved to."""
    return _root() / f"{_UNTITLED}{secrets.token_hex(8)}" / _UNTITLED_FILE


def is_untitled(path: Path) -> bool:
    """Return whether this is the path of a text without a name."""
    folder = path.parent
    known = path.name == _UNTITLED_FILE and folder.name.startswith(_UNTITLED)
    return known and os.path.realpath(folder.parent) == os.path.realpath(_root())


def forget(path: Path) -> None:
    """Remove what was kept of a text without a name, unless it is open; what cannot be removed stays."""
    import shutil  # late, as the page is painted without it

    lock = acquire(path.parent)
    if isinstance(lock, Lock):
        shutil.rmtree(path.parent, ignore_errors=True)
        lock.release()


def _folder_of(real: Path) -> Path:
    return _root() / f"{_readable(real.stem)}-{hashlib.sha256(os.fsencode(real)).hexdigest()[:16]}"


def _once_untitled(real: Path) -> Path | None:
    """Return the folder of a file that was begun without a name; None if there is no such file."""
    return next((folder for folder, card in _cards(_UNTITLED) if card.path == str(real)), None)


def _adopt(digest: str, folder: Path) -> Path | None:
    """Move the folder of a manuscript that is not where it was, but is this file to the byte; returns its old path."""
    for old, card in _cards():
        if card.digest == digest and _is_gone(card.path):
            lock = acquire(old)
            if isinstance(lock, Lock):  # nobody has it open
                os.replace(old, folder)  # noqa: PTH105
                lock.release()
                return Path(card.path)
    return None


def _cards(prefix: str = "") -> list[tuple[Path, _Card]]:
    """Return the folders of such a name that say whose they are, the last used first; others are passed over."""
    cards: list[tuple[Path, _Card]] = []
    with contextlib.suppress(OSError):
        for name in (name for name in os.listdir(_root()) if name.startswith(prefix)):  # noqa: PTH208
            with contextlib.suppress(OSError, ValueError):
                with reading(_root() / name / CARD) as handle:
                    card = msgspec.json.decode(read_all(handle, _LONGEST), type=_Card)
                if card.version == 1 and "\0" not in card.path:
                    cards.append((_root() / name, card))
    return sorted(cards, key=lambda found: found[1].last, reverse=True)


def _is_gone(path: str) -> bool:
    """Return whether there is certainly no file; where that cannot be made out, it may only be out of reach."""
    try:
        os.stat(path)  # noqa: PTH116
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _root() -> Path:
    return paths.state_folder() / "manuscripts"


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
