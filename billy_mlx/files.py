"""Files that are whole or not there."""

import contextlib
import fcntl
import os
import tempfile
from pathlib import Path

from billy_mlx.errors import BillyError


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` to `path` so that a reader, or a power cut, sees the old file or the new one.

    Raises:
        BillyError: the folder cannot be written or the disk is full; nothing is left behind.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _cannot_save(path, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            sync(file.fileno())
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except OSError as error:
        raise _cannot_save(path, error) from error
    finally:
        Path(temporary).unlink(missing_ok=True)
    # The file is whole already: a file system that cannot sync a folder must not make it "not saved".
    with contextlib.suppress(OSError):
        _sync_folder(path.parent)


def sync(descriptor: int) -> None:
    """Wait until what was written to an open file or folder is on the disk itself.

    Raises:
        OSError: the disk is full or gone.
    """
    full = getattr(fcntl, "F_FULLFSYNC", None)  # macOS, whose fsync leaves the data in the drive's own cache
    if full is not None:
        with contextlib.suppress(OSError):  # not every file system has it
            fcntl.fcntl(descriptor, full)
            return
    os.fsync(descriptor)


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


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
