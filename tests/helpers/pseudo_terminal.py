"""A real pseudo-terminal for end-to-end tests: runs a command in it, types, looks, and keeps every byte that came out.

with Terminal(["billy", "write", "story.md"], size=(80, 24), env={...}) as terminal:
    terminal.wait_for("Continue")
    terminal.press("ctrl+g")
"""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pyte

KEYS = {
    "enter": "\r",
    "tab": "\t",
    "shift+tab": "\x1b[Z",
    "escape": "\x1b",
    "space": " ",
    "backspace": "\x7f",
    "delete": "\x1b[3~",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "ctrl+home": "\x1b[1;5H",
    "ctrl+end": "\x1b[1;5F",
    "shift+end": "\x1b[1;2F",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "shift+right": "\x1b[1;2C",
    "shift+left": "\x1b[1;2D",
    "shift+up": "\x1b[1;2A",
    "shift+down": "\x1b[1;2B",
    "f1": "\x1bOP",
    "f2": "\x1bOQ",
    "f3": "\x1bOR",
    "f4": "\x1bOS",
    "f5": "\x1b[15~",
    "f6": "\x1b[17~",
    "f7": "\x1b[18~",
    "f8": "\x1b[19~",
    "f9": "\x1b[20~",
    "f10": "\x1b[21~",
    "f12": "\x1b[24~",
    **{f"ctrl+{letter}": chr(ord(letter) - 96) for letter in "abcdefghijklmnopqrstuvwxyz"},
}
_PASTE = "\x1b[200~", "\x1b[201~"
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_CHUNK = 1 << 16
_SHORTEST_TAIL = 4  # characters: as many of a payload's own letters behind a control can hardly be chance


class Terminal:
    """A command in a pseudo-terminal, whose screen is `size`: columns and rows.

    Attributes:
        output: every byte that has left the program.
        process: the command.
        screen: what pyte makes of it, with colours.
    """

    def __init__(self, command, size=(80, 24), env=None, cwd=None, timeout_seconds=60):
        self.output = b""
        self._timeout_seconds = timeout_seconds
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        self._ours, theirs = pty.openpty()
        self._set_size(*size)
        self.process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=cwd,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(env or {})},
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(theirs)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.close()

    @property
    def lines(self):
        """The screen as it is, without spaces at the ends of lines."""
        return [line.rstrip() for line in self.screen.display]

    @property
    def attributes(self):
        """How the terminal treats what goes in and out, as `stty` shows it."""
        return termios.tcgetattr(self._ours)

    @property
    def text(self):
        """The same as one string."""
        return "\n".join(self.lines)

    def press(self, *keys):
        """Send keys by their names, or single characters.

        After escape, wait for what it does: together with the next key it would be another one.
        """
        for key in keys:
            self._send(KEYS.get(key, key))

    def type(self, text):
        """Send text, key by key."""
        self._send(text)

    def paste(self, text):
        """Send text as a terminal does that brackets what is pasted."""
        self._send(text.join(_PASTE))

    def send(self, data):
        """Send bytes as they are, whether they are text or not."""
        while data:
            data = data[os.write(self._ours, data) :]

    def wait_for(self, wanted, timeout_seconds=None):
        """Read until the screen has `wanted`: a text, or a function of this terminal."""
        met = wanted if callable(wanted) else lambda terminal: wanted in terminal.text
        self._wait(met, wanted, timeout_seconds)

    def wait_until_gone(self, text, timeout_seconds=None):
        """Read until the screen has a text no more."""
        self._wait(lambda terminal: text not in terminal.text, f"no {text!r}", timeout_seconds)

    def settled(self, quiet_seconds=0.3):
        """Return the screen once nothing has come for a while: half a picture is none."""
        ends = time.monotonic() + self._timeout_seconds
        while self._read(min(ends, time.monotonic() + quiet_seconds)):
            pass
        return self.text

    def wait_for_end(self, timeout_seconds=None):
        """Read until the program has ended, and return its exit code."""
        ends = time.monotonic() + (timeout_seconds or self._timeout_seconds)
        while self._read(ends):
            pass
        return self.process.wait(max(0.1, ends - time.monotonic()))

    def resize(self, columns, rows):
        """Have the window be of another size, and tell the program."""
        self.screen.resize(rows, columns)
        self._set_size(columns, rows)

    def kill(self):
        """End the program as a power cut would: it can do nothing about it."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def close(self):
        """Close the window: the program gets SIGHUP, and nobody reads what it writes."""
        if self._ours is not None:
            os.close(self._ours)
            self._ours = None
            with contextlib.suppress(ProcessLookupError):
                if self.process.poll() is None:
                    os.killpg(self.process.pid, signal.SIGHUP)

    def _wait(self, met, wanted, timeout_seconds):
        ends = time.monotonic() + (timeout_seconds or self._timeout_seconds)
        while not met(self):
            if not self._read(ends):
                raise AssertionError(f"there is no {wanted!r} on the screen:\n{self.text}")

    def _read(self, ends):
        """Take in what the program writes next; whether there was anything before the time was up."""
        ready, _, _ = select.select([self._ours], [], [], max(0.0, ends - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self._ours, _CHUNK)
        except OSError:  # Linux says so when the last program has let go of the terminal
            data = b""
        self.output += data
        self._stream.feed(data)
        self._answer(data)
        return bool(data)

    def _answer(self, data):
        """Answer the one question that a program may wait for: where the cursor is."""
        if b"\x1b[6n" in data:
            self._send(f"\x1b[{self.screen.cursor.y + 1};{self.screen.cursor.x + 1}R")

    def _send(self, text):
        self.send(text.encode())

    def _set_size(self, columns, rows):
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def obeyed(output, payload):
    """Return the controls of a hostile `payload` (text) that came through into `output` (bytes), with what follows.

    A program writes escapes of its own, so one counts as the payload's if what follows it in the payload, up to the
    next control, follows it there too. Give a payload letters behind every control that nothing else writes:
    `"\\x1b]0;HOSTILE\\x07"` and not `"\\x1b[0m"`; a last control needs letters before it.
    """
    found = []
    for control in _CONTROL.finditer(payload):
        following = _CONTROL.split(payload[control.end() :], maxsplit=1)[0]
        before = _CONTROL.split(payload[: control.start()])[-1]
        known = (control[0] + following) if len(following) >= _SHORTEST_TAIL else (before + control[0] + following)
        if len(known) > _SHORTEST_TAIL and known.encode() in output:
            found.append(known)
    return found


def _take_terminal():
    """Make the terminal the one that controls the new session, so that closing it is felt."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
