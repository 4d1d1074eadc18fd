"""One writer for each manuscript, as long as its program runs."""

import contextlib
import fcntl
import os
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from billy_mlx.files import read_all, write_all
from billy_mlx.text import sanitize

_LONGEST = 4096


@dataclass(frozen=True)
class Holder:
    """Who has the lock. `pid` is 0 if that cannot be made out; `since` is in seconds since the epoch."""

    pid: int = 0
    host: str = ""
    since: float = 0.0


class Lock:
    """The right to write, until `release` or the end of the program, however it ends.

    Attributes:
        doubtful: the file system cannot lock, so another program may write as well.
    """

    def __init__(self, handle: int | None, *, doubtful: bool = False) -> None:
        self.doubtful = doubtful
        self._handle = handle

    def release(self) -> None:
        """Let others write."""
        if self._handle is not None:
            with contextlib.suppress(OSError):  # closing alone would leave it with a process that was forked meanwhile
                fcntl.flock(self._handle, fcntl.LOCK_UN)
            with contextlib.suppress(OSError):
                os.close(self._handle)
            self._handle = None


def acquire(folder: Path) -> Lock | Holder:
    """Return the lock on a folder, or who holds it.

    The file itself stays: removing it would let two programs lock two files of one name.
    """
    try:
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError:
        return Lock(None, doubtful=True)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _holder(handle)
    except OSError:  # as on some network drives
        os.close(handle)
        return Lock(None, doubtful=True)
    with contextlib.suppress(OSError):
        os.ftruncate(handle, 0)
        write_all(handle, msgspec.json.encode(Holder(os.getpid(), socket.gethostname(), time.time())))
    return Lock(handle)


def _holder(handle: int) -> Holder:
    try:
        holder = msgspec.json.decode(read_all(handle, _LONGEST), type=Holder)
    except (OSError, ValueError):
        return Holder()
    finally:
        os.close(handle)
    return Holder(**{**asdict(holder), "host": sanitize(holder.host)})
