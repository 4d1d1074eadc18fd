"""Files that are whole or not there."""

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
            os.fsync(file.fileno())
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except OSError as error:
        raise _cannot_save(path, error) from error
    finally:
        Path(temporary).unlink(missing_ok=True)


def _cannot_save(path: Path, error: OSError) -> BillyError:
    return BillyError(
        f"{path} was not saved: {error.strerror or error}; "
        "nothing was changed: make room or choose another folder (BILLY_HOME) and run the same command again"
    )


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
