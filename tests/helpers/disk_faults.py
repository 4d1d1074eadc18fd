"""Every call to the disk under a folder: counted, made to fail, or made the last thing a process does."""

import errno
import os
import signal
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

WATCHED = ("open", "read", "write", "ftruncate", "fsync", "replace", "unlink", "chmod", "close")
ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS)


class Faults:
    """What happens at the calls.

    Attributes:
        calls: the names of those that were made, in order.
    """

    def __init__(self, folder, *, fail=lambda number, name: None, crash=None):
        """Watch `folder`.

        Args:
            folder: calls on files in it count.
            fail: given a call's number (from 0) and name, returns an errno to fail with, "torn" for a write that
                writes half and then finds the disk full, "short" for one that writes half, or None.
            crash: (number, "before" | "torn" | "after"): where to kill this process.
        """
        self.calls = []
        self._folder = os.path.realpath(folder)
        self._fail = fail
        self._crash = crash
        self._files = set()

    def call(self, name, real, args, kwargs):
        if not self._ours(name, args):
            return real(*args, **kwargs)
        number = len(self.calls)
        self.calls.append(name)
        self._die(number, "before")
        if name == "close":
            self._files.discard(args[0])
        failure = self._fail(number, name)
        if name == "write" and (failure in ("torn", "short") or self._crash == (number, "torn")):
            written = real(args[0], bytes(args[1])[: (len(args[1]) + 1) // 2])
            self._die(number, "torn")
            if failure == "torn":
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return written
        if isinstance(failure, int):
            if name == "close":
                real(*args, **kwargs)
            raise OSError(failure, os.strerror(failure))
        result = real(*args, **kwargs)
        if name == "open":
            self._files.add(result)
        self._die(number, "after")
        return result

    def _ours(self, name, args):
        if isinstance(args[0], int):
            return args[0] in self._files
        return os.fsdecode(args[0]).startswith(self._folder)

    def _die(self, number, when):
        if self._crash == (number, when):
            os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def faults(folder: Path, **how):
    """Watch the calls on files under `folder`; yields the Faults."""
    watching = Faults(folder, **how)

    def watched(name, real):
        return lambda *args, **kwargs: watching.call(name, real, args, kwargs)

    with mock.patch.multiple(os, **{name: watched(name, getattr(os, name)) for name in WATCHED}):
        yield watching
