"""One program at a time: at a manuscript, in a run folder, at the answers of a persona."""

import contextlib
import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from billy_mlx.errors import BillyError
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


def acquire(folder: Path, *, mode: int = 0o666) -> Lock | Holder:
    """Return the lock on a folder, or who holds it; `mode` says whose its file is, as far as the umask lets it.

    The file itself stays: removing it would let two programs lock two files of one name.
    """
    try:
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode)
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


@contextlib.contextmanager
def alone(folder: Path, refused: Callable[[str], str]) -> Iterator[None]:
    """Hold the lock on a folder, made if need be, until the end; where files cannot be locked, hold nothing.

    Args:
        folder: that the lock is in.
        refused: makes the sentence for somebody who has to wait, from who is at work: "another billy (process 7)".

    Raises:
        BillyError: another program has it; says that sentence.
    """
    with contextlib.suppress(OSError):  # whoever writes into it says why that cannot be
        folder.mkdir(parents=True, exist_ok=True)
    lock = acquire(folder)
    if isinstance(lock, Holder):
        raise BillyError(refused(f"another billy (process {lock.pid})" if lock.pid else "another billy"))
    try:
        yield
    finally:
        lock.release()


def _holder(handle: int) -> Holder:
    try:
        holder = msgspec.json.decode(read_all(handle, _LONGEST), type=Holder)
    except (OSError, ValueError):
        return Holder()
    finally:
        os.close(handle)
    return Holder(**{**asdict(holder), "host": sanitize(holder.host)})
