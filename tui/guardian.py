"""A small process beside the studio, that gives the terminal back if the studio is killed.

The system does that where memory is short, and MLX dies where it gets none: nothing in the studio's own process hears
of it. As a program, this reads its input to the end, which comes with every death. It is to start fast and stay small,
so what only the studio needs is imported there.
"""

import marshal
import os
import select
import sys
import termios

_SECONDS = 0.5  # in which the terminal can take a line
_KILLED = "billy: killed, maybe for want of memory; your text is kept: open it again"


class Guardian:
    """Watches over the studio from now on, until it is dismissed. Where that cannot be, the studio does without.

    Args:
        terminal: descriptor of the terminal, as it is to be again.
        as_it_was: what to write to it then, ahead of a word on what happened.
    """

    def __init__(self, terminal: int, as_it_was: str) -> None:
        import subprocess
        from contextlib import suppress

        self._process: subprocess.Popen[bytes] | None = None
        with suppress(OSError, termios.error):
            orders = marshal.dumps((termios.tcgetattr(terminal), f"{as_it_was}\x1b[m{_KILLED}\n"))
            # A session of its own: what a terminal sends to all that runs in it is not for the guardian.
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", __file__],
                stdin=subprocess.PIPE,
                stdout=terminal,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                bufsize=0,
            )
            if self._process.stdin is not None:
                self._process.stdin.write(orders)

    def dismiss(self) -> None:
        """End it, with nothing done."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.kill()
            process.wait()
            process.stdin.close()


def _watch() -> None:
    """Wait for the death of whoever writes to stdin, and do then what was read there."""
    attributes, last = marshal.loads(sys.stdin.buffer.read())
    termios.tcsetattr(1, termios.TCSANOW, attributes)
    _, ready, _ = select.select([], [1], [], _SECONDS)
    if ready:
        os.write(1, last.encode())


if __name__ == "__main__":
    _watch()
