"""Studios whose window closes, or that the system ends, at many moments: each is to save its text and be gone in 5 s.

    python tests/helpers/closing_windows.py close 100

Each studio is forked from this process, which has imported all of it, into a pseudo-terminal of its own.
"""

import contextlib
import itertools
import json
import os
import pty
import random
import select
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # a command as well, without pytest

from billy_mlx.engine.messages import Loading
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.tui.app import Studio
from billy_mlx.write.messages import VoicesWrote, Write
from helpers.scripted_engine import ScriptedEngine

SECONDS = 5.0
ENDINGS = ("close", "deaf", "hangup", "terminate")
"""A window is closed, as one is whose hang-up does not come through; a signal comes while it is open."""
STATES = ("question", "streaming", "start", "typing", "page", "palette", "loading", "stuck")
_TEXT = "It was a dark night.\n" * 30


class Streaming(ScriptedEngine):
    """An engine that writes on and on, or that never has done loading."""

    def start(self, model=None):
        if os.environ["STATE"] == "loading":
            self.say(Loading("loading the model ..."))
        else:
            super().start(model)

    def ask(self, request):
        super().ask(request)
        if isinstance(request, Write):
            threading.Thread(target=self._stream, args=(request.job,), daemon=True).start()

    def _stream(self, job):
        for words in itertools.count(1):
            self.say(VoicesWrote(job, {0: " and on" * words}))
            time.sleep(0.01)


def main():
    """End so many studios in one way, and print what has become of them."""
    ending, count = sys.argv[1], int(sys.argv[2])
    chance = random.Random(7)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["BILLY_HOME"] = scratch
        for number in range(count):
            state = STATES[number % len(STATES)]
            seconds, wrong = ended(Path(scratch) / f"{number}.md", ending, state, chance)
            sys.stdout.write(f"{json.dumps([ending, state, round(seconds, 2), wrong])}\n")


def ended(path, ending, state, chance):
    """End one studio; returns the seconds that took, and what is wrong then."""
    path.write_text(_TEXT, encoding="utf-8")
    os.environ.update(STATE=state, TERM="xterm-256color")
    child, terminal = pty.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP} if ending == "deaf" else set())
        be_studio(path)
    with contextlib.closing(Window(terminal)) as window:
        written = _bring_to(window, state, chance)
        begun = time.monotonic()
        if ending in ("close", "deaf"):
            window.close()
        else:
            os.kill(child, signal.SIGHUP if ending == "hangup" else signal.SIGTERM)
        while (gone := os.waitpid(child, os.WNOHANG)[0] == child) is False and time.monotonic() - begun < SECONDS:
            if state != "stuck":
                window.read(0.01)
    seconds = time.monotonic() - begun
    if not gone:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return seconds, "it is still there"
    return seconds, _wrong_with(path, written)


def be_studio(path):
    """Have this process be a studio, to its end."""
    try:
        Studio(path, connect=Streaming).run()
    finally:
        os._exit(0)


class Window:
    """The other end of a pseudo-terminal."""

    def __init__(self, terminal):
        self._terminal = terminal
        self.output = b""

    def press(self, keys):
        """Send text or keys."""
        self.send(keys.encode())

    def send(self, data):
        """Send bytes, while what comes is taken, so that neither waits for the other."""
        while data:
            self.read(0)
            if select.select([], [self._terminal], [], 1)[1]:
                data = data[os.write(self._terminal, data[:512]) :]

    def read(self, seconds):
        """Take what comes within so many seconds; whether there was anything."""
        if self._terminal is None:
            time.sleep(seconds)
        elif select.select([self._terminal], [], [], seconds)[0]:
            with contextlib.suppress(OSError):
                arrived = os.read(self._terminal, 1 << 16)
                self.output += arrived
                return bool(arrived)
        return False

    def wait_for(self, text):
        """Read until a text was written."""
        ends = time.monotonic() + 30
        while text.encode() not in self.output:
            assert time.monotonic() < ends, f"no {text!r} in {self.output[-2000:]!r}"
            self.read(1)

    def close(self):
        """Close it."""
        if self._terminal is not None:
            os.close(self._terminal)
            self._terminal = None


def _bring_to(window, state, chance):
    """Bring a studio into a state; returns what is written into the text then."""
    if state == "start":
        window.read(chance.random() / 3)
        return ""
    window.wait_for("dark night")
    window.wait_for("saved")
    window.press("Z")
    window.wait_for("151 words")
    match state:
        case "typing":
            window.press("Y" * 200)
            time.sleep(chance.random() / 5)
            return "Z"
        case "question":
            window.press("\x06")  # a field takes the keys
            window.wait_for("Replace with")
        case "palette":
            window.press("\x10")
            window.wait_for("Search")
        case "streaming":
            window.press("\x07")
            window.wait_for("and on")
        case "stuck":  # nobody reads what it writes
            window.press("\x07")
            time.sleep(1)
    return "Z"


def _wrong_with(path, written):
    with contextlib.closing(Manuscript.open(path)) as manuscript:
        if manuscript.read_only is not None:
            return "its lock is held"
        if manuscript.offers:
            return "its text was not saved"
        return None if written in manuscript.text else "its text is not what was written"


if __name__ == "__main__":
    main()
