"""Files and folders that are whole or not there."""

import contextlib
import errno
import fcntl
import math
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from billy_mlx.errors import BillyError

PRIVATE = 0o600
"""The mode of a file with the writer's words in it: for its owner alone, whatever the umask is."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_DISK_FAILED = (errno.EIO, errno.ENOSPC, errno.EDQUOT)


def write_atomically(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Write `content` to `path`, in a folder that is made if need be; `mode` as for `replace_file`.

    Raises:
        BillyError: the folder cannot be written or the disk is full; nothing is left behind.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, content, mode=mode)
    except OSError as error:
        raise _cannot_save(path, error) from error


def replace_file(
    path: Path, content: bytes, before: Callable[[Path], None] | None = None, *, mode: int = 0o666
) -> None:
    """Write `content` to `path` so that a reader, or a power cut, sees the old file or the new one.

    Args:
        path: in a folder that exists; not a link.
        content: of the whole file.
        before: called with the new file, complete but under another name, right before it takes its own. What it
            raises goes on, and the old file stays.
        mode: what the new file may be used for, and by whom; the umask takes its share.

    Raises:
        OSError: the folder cannot be written or the disk is full; nothing is left behind.
    """
    temporary = path.with_name(f"{_unfinished(path)}{secrets.token_hex(4)}")
    try:
        _write_new(temporary, content, mode)
        if before is not None:
            before(temporary)
        os.replace(temporary, path)  # noqa: PTH105  every call to the disk can be found, and made to fail, in os
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108
        raise
    # The file is whole already: a file system that cannot sync a folder must not make it "not saved".
    with contextlib.suppress(OSError):
        _sync_folder(path.parent)


def remove_unfinished(path: Path, before: float = math.inf) -> None:
    """Remove what `replace_file` has left beside `path` where it was killed; nobody else may be at it now.

    Args:
        path: in the same folder; another file whose name begins with the same 40 characters has the same.
        before: seconds since the epoch; what was touched since then stays.
    """
    name = re.compile(re.escape(_unfinished(path)) + "[0-9a-f]{8}")
    with contextlib.suppress(OSError):  # it is in nobody's way
        for left in filter(name.fullmatch, os.listdir(path.parent)):  # noqa: PTH208
            status = os.lstat(path.parent / left)
            if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and status.st_mtime < before:
                os.unlink(path.parent / left)  # noqa: PTH108


def make_private_folder(folder: Path) -> None:
    """Make a folder that nobody but its owner may look into; one that is there becomes one.

    Raises:
        OSError: it cannot be made.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    make_private(folder)


def make_private(path: Path) -> None:
    """Take from all but the owner what they may do with a file or folder, where that can be."""
    with contextlib.suppress(OSError):
        mode = stat.S_IMODE(os.stat(path).st_mode)  # noqa: PTH116
        if mode & _OTHERS:
            os.chmod(path, mode & ~_OTHERS)  # noqa: PTH101


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of `content` to an open file.

    Raises:
        OSError: the disk is full or gone; a part of it may be written.
    """
    rest = memoryview(content)
    while rest:
        written = os.write(descriptor, rest)
        if written == 0:  # it would go on for ever
            raise OSError(errno.EIO, "nothing was written")
        rest = rest[written:]


@contextlib.contextmanager
def reading(path: Path) -> Iterator[int]:
    """Open a file to read from, and close it again.

    Raises:
        OSError: it cannot be opened.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe must not be waited for
    try:
        yield handle
    finally:
        with contextlib.suppress(OSError):  # nothing was written that could be lost
            os.close(handle)


def read_all(descriptor: int, limit: int) -> bytes:
    """Return what an open file holds from where it stands, or `limit` bytes of it.

    Raises:
        OSError: it cannot be read.
    """
    parts: list[bytes] = []
    while limit > 0 and (part := os.read(descriptor, min(limit, 1 << 20))):
        parts.append(part)
        limit -= len(part)
    return b"".join(parts)


def sync(descriptor: int) -> None:
    """Wait until what was written to an open file or folder is on the disk itself.

    Raises:
        OSError: the disk is full or gone.
    """
    full = getattr(fcntl, "F_FULLFSYNC", None)  # macOS, whose fsync leaves the data in the drive's own cache
    if full is not None:
        try:
            fcntl.fcntl(descriptor, full)
            return
        except OSError as error:
            if error.errno in _DISK_FAILED:  # said once only: the fsync after it could succeed
                raise
            # Not every file system has it.
    os.fsync(descriptor)


def _unfinished(path: Path) -> str:
    return f".{path.name[:40]}."


def _write_new(path: Path, content: bytes, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        write_all(handle, content)
        sync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        sync(handle)
    finally:
        os.close(handle)


def _cannot_save(path: Path, error: OSError) -> BillyError:
    return BillyError(
        f"{path} was not saved: {error.strerror or error}; "
        "nothing was changed: put that right or choose another folder (BILLY_HOME), then run the same command again"
    )


def make_folder(target: Path, fill: Callable[[Path], None]) -> bool:
    """Call `fill` with an empty folder that becomes `target` when it returns, and is deleted when it raises.

    Of two processes that want the same target the second waits. A power cut or a kill leaves the hidden folder
    `.{target}.partial`, which the next call deletes.

    Returns:
        False when `target` was there already; then nothing is done.

    Raises:
        OSError: the folder cannot be made, synced or renamed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    parent = os.open(target.parent, os.O_RDONLY)
    try:
        fcntl.flock(parent, fcntl.LOCK_EX)  # a lock file would be left over; the kernel lets go of this one
        if target.exists():
            return False
        partial = target.with_name(f".{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        try:
            fill(partial)
            _sync_all(partial)
            partial.rename(target)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        sync(parent)
        return True
    finally:
        os.close(parent)


def _sync_all(folder: Path) -> None:
    """Wait until the files of `folder`, and their names, are on the disk."""
    for path in (*folder.iterdir(), folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            sync(handle)
        finally:
            os.close(handle)
