"""Folders that are whole or not there, made by one process at a time."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from billy_mlx.files import sync


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
            _sync(partial)
            partial.rename(target)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        sync(parent)
        return True
    finally:
        os.close(parent)


def _sync(folder: Path) -> None:
    """Wait until the files of `folder`, and their names, are on the disk."""
    for path in (*folder.iterdir(), folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            sync(handle)
        finally:
            os.close(handle)
