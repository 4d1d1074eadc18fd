"""The thread that waits for the disk, so that nobody who writes has to."""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")

SYNC_SECONDS = 0.2
"""How long what was written down may wait for the disk; the promise is 0.5 s, and the disk needs its share."""


class SyncThread:
    """Syncs soon after each `touch`, and does jobs one after another.

    Args:
        sync: waits until everything written down is on the disk; must not raise.
    """

    def __init__(self, sync: Callable[[], None]) -> None:
        self._sync = sync
        self._due: float | None = None
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        # A daemon: a program that ends without closing has written everything down already.
        self._thread = threading.Thread(target=self._run, name="manuscript keeper", daemon=True)
        self._thread.start()

    def touch(self) -> None:
        """Say that something was written down."""
        if self._due is None:
            self._due = time.monotonic() + SYNC_SECONDS
            self._jobs.put(_nothing)  # wakes the thread

    def run(self, job: Callable[[], T]) -> Future[T]:
        """Do a job on the thread, unless it is cancelled before; the future has what it returns or raises."""
        future: Future[T] = Future()

        def done() -> None:
            if not future.set_running_or_notify_cancel():
                return  # whoever waited for it has gone
            try:
                result = job()
            except BaseException as error:  # noqa: BLE001  it belongs to who waits for the future
                future.set_exception(error)
            else:
                future.set_result(result)

        self._jobs.put(done)
        return future

    def close(self) -> None:
        """Do what is left, sync, and end the thread."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=self._wait())
            except queue.Empty:
                self._sync_now()
                continue
            if job is None:
                self._sync_now()
                return
            job()
            if self._wait() == 0:
                self._sync_now()

    def _wait(self) -> float | None:
        due = self._due
        return None if due is None else max(0.0, due - time.monotonic())

    def _sync_now(self) -> None:
        self._due = None  # before the sync: what is written down meanwhile needs another
        self._sync()


def _nothing() -> None:
    """Wake the thread."""
