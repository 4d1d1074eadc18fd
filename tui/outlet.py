"""The way out to the terminal, which may be slow, or gone."""

import os
import select
from collections.abc import Callable
from contextlib import suppress

_TURN_SECONDS = 0.2
_CHUNK = 1 << 12


class Outlet:
    """A file to write to the terminal with: once that is gone, or given up, what is written to it is dropped.

    Args:
        descriptor: of the terminal.
        gone: called when the terminal takes nothing any more; must not wait.
    """

    def __init__(self, descriptor: int, gone: Callable[[], None]) -> None:
        self._gone, self._given_up = gone, False
        self._descriptor = self._theirs = descriptor
        # Opened anew, so that a write to a terminal that nobody reads can be given up. The one that is open is shared
        # with the shell, which must not be surprised.
        with suppress(OSError):
            self._descriptor = os.open(os.ttyname(descriptor), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)

    def fileno(self) -> int:
        """Return the number of the terminal's file."""
        return self._theirs

    def write(self, text: str) -> None:
        """Write a text, as fast as the terminal takes it."""
        rest = text.encode("utf-8", "replace")
        while rest and not self._given_up:
            try:
                _, ready, _ = select.select([], [self._descriptor], [], _TURN_SECONDS)
                if ready:
                    rest = rest[os.write(self._descriptor, rest[:_CHUNK]) :]
            except BlockingIOError:
                continue
            except OSError:
                self.give_up()
                self._gone()

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

    def write_last(self, text: str) -> None:
        """Write a text if the terminal takes it at once, whatever has been given up before."""
        with suppress(OSError):
            _, ready, _ = select.select([], [self._descriptor], [], 0)
            if ready:
                os.write(self._descriptor, text.encode())

    def give_up(self) -> None:
        """Write no more, also of what is being written."""
        self._given_up = True
