"""The studio's terminal: any bytes may come from it, it may be slow or gone any time, and is given back as it was."""

import os
import queue
import select
import signal
import sys
import termios
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Any, cast

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from billy_mlx.tui.guardian import Guardian
from billy_mlx.tui.terminal_input import TerminalInput

if TYPE_CHECKING:
    from billy_mlx.tui.app import Studio


_CHUNK = 1 << 14
_OUTPUT_CHUNK = 1 << 12
_ENDINGS = (signal.SIGHUP, signal.SIGTERM)
_FROM_KEYS = (signal.SIGINT, signal.SIGQUIT)  # which a terminal sends to all that run in it, another editor too
# No mouse, no bracketed paste, lines that wrap, keys as they were, the other screen, a cursor, no word of the focus.
_AS_IT_WAS = (
    "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l\x1b[?2004l\x1b[?7h\x1b[?2048l"
    "\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l"
)
_OUTPUT_SECONDS = 1.0  # for which a terminal that takes nothing is waited for
_END_SECONDS = 4.0  # after which the process is ended at all events
_TURN_SECONDS = 0.2


class StudioDriver(LinuxDriver):
    """Textual's driver, that has the studio end when its terminal is gone or the system asks for it."""

    def __init__(self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: Any = None) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._taken = False  # the terminal is the studio's
        self._stopped, self._stop = os.pipe()
        self._ending = Ending(self._leave, self._give_up, self.restore)
        self._outlet = Outlet(cast("Any", sys.__stdout__).fileno(), self._ending.begin)
        self._file = cast("Any", self._outlet)
        self._guardian: Guardian | None = None

    def start_application_mode(self) -> None:
        """Take the terminal."""
        for one in (*_ENDINGS, *_FROM_KEYS):
            signal.signal(one, self._signalled)
        self._taken = True
        self._guardian = Guardian(self._outlet.fileno(), _AS_IT_WAS)
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Let go of the terminal, which has been given back."""
        super().close()
        self._taken = False
        self._dismiss_guardian()

    def restore(self) -> None:
        """Give the terminal back at once, if that was not done, whatever state the studio is in."""
        if self._taken:
            self._taken = False
            if self.attrs_before is not None:
                with suppress(termios.error):
                    termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
            self._outlet.write_last(_AS_IT_WAS)
            self._dismiss_guardian()

    def disable_input(self) -> None:
        """Take nothing in any more."""
        if self._key_thread is not None and self._key_thread.is_alive():
            os.write(self._stop, b"\n")
        super().disable_input()

    def run_input_thread(self) -> None:
        """Take in what comes from the terminal, until that is to stop or the terminal is gone."""
        incoming = TerminalInput()
        while True:
            ready, _, _ = select.select([self.fileno, self._stopped], [], [], incoming.seconds_left)
            if self._stopped in ready:
                os.read(self._stopped, 1)
                return
            if self.fileno in ready:
                data = self._read()
                if not data:
                    self._ending.begin()
                    return
                for event in incoming.feed(data):
                    self.process_message(event)
            for event in incoming.rest():
                self.process_message(event)

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except Exception as error:  # noqa: BLE001  the studio is deaf without the thread, so it has to end, and say so
            self._loop.call_soon_threadsafe(self._app._handle_exception, error)

    def _read(self) -> bytes:
        """Return what there is; nothing if the terminal is gone."""
        try:
            return os.read(self.fileno, _CHUNK)
        except OSError:
            return b""

    def _signalled(self, number: int, _: FrameType | None) -> None:
        if number in _ENDINGS or self._taken:
            self._ending.begin()

    def _dismiss_guardian(self) -> None:
        guardian, self._guardian = self._guardian, None
        if guardian is not None:
            guardian.dismiss()

    def _leave(self) -> None:
        self._loop.call_soon_threadsafe(cast("Studio", self._app).leave)

    def _give_up(self) -> None:
        self._outlet.give_up()


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
                    rest = rest[os.write(self._descriptor, rest[:_OUTPUT_CHUNK]) :]
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
