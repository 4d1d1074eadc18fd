"""The end that is not asked for: a closed window, a signal. It comes soon, whatever the studio is doing."""

import os
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress

_OUTPUT_SECONDS = 1.0  # for which a terminal that takes nothing is waited for
_END_SECONDS = 4.0  # after which the process is ended at all events


class Ending:
    """Watches over the end of the process.

    Args:
        leave: has the studio save and end; called in a thread, must not wait.
        unblock: gives up what the terminal does not take; called a while later, if the process is still there.
        last: what there is to do before a process that does not end is ended.
    """

    def __init__(self, leave: Callable[[], None], unblock: Callable[[], None], last: Callable[[], None]) -> None:
        self._leave, self._unblock, self._last = leave, unblock, last
        self._begun: queue.SimpleQueue[None] = queue.SimpleQueue()  # which a signal's handler may put into at any time
        threading.Thread(target=self._run, name="billy-ending", daemon=True).start()

    def begin(self) -> None:
        """End the process within seconds; from any thread, also for the second time."""
        self._begun.put(None)

    def _run(self) -> None:
        self._begun.get()
        begun = time.monotonic()
        for do, seconds in ((self._leave, _OUTPUT_SECONDS), (self._unblock, _END_SECONDS)):
            with suppress(Exception):
                do()
            time.sleep(max(0.0, begun + seconds - time.monotonic()))
        # The text is in the journal, and is offered at the next opening.
        with suppress(Exception):
            self._last()
        os._exit(1)
