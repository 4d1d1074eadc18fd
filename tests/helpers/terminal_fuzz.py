"""Random bytes into the studio's terminal: it stays, and its text is text.

    python tests/helpers/terminal_fuzz.py 1 200

The first number is the seed, the second how many pieces are sent.
"""

import contextlib
import os
import pty
import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # a command as well, without pytest

from helpers.closing_windows import Window, be_studio

_CTRL_Q = 0x11
_PARTS = (
    *(b"\x1b[", b"\x1b", b"\x1bO", b"\x1b[M", b"\x1b[<", b"\x1b[200~", b"\x1b[201~", b"\x1b[I", b"\x1b[O", b"\x1b[[A"),
    *(b"\x1b[99999999u", b"\x1b[55296u", b"\x1b[97:65;2u", b"\x1b[48;0;0;0;0t", b"\x1b[48;99999;99999;1;1t"),
    *(b"\x1b[?2048;2$y", b"\x1b[1;5R", b"\x1b[<64;-1;-1M", b"\xc3", b"\xff\xfe", b"\xed\xa0\x80", b"\x00", b"\xf0\x9f"),
    *("é".encode(), "👩‍👧".encode(), b" and then", b"\r", b"\t", b"\x7f", b"\x1a"),
)


def main():
    """Send pieces until one ends the studio, or all are sent; the exit code says which."""
    seed, count = map(int, sys.argv[1:])
    with tempfile.TemporaryDirectory() as scratch:
        os.environ.update(BILLY_HOME=scratch, TERM="xterm-256color", VISUAL="true", STATE="page")
        path = Path(scratch) / "novel.md"
        path.write_text("It was a dark night.\n", encoding="utf-8")
        child, terminal = pty.fork()
        if child == 0:
            be_studio(path)
        with contextlib.closing(Window(terminal)) as window:
            window.wait_for("saved")
            for piece in pieces(random.Random(seed), count):
                window.send(piece)
                window.read(0.002)
                if os.waitpid(child, os.WNOHANG)[0]:
                    sys.exit(f"it has ended after {piece!r}: {window.output[-3000:].decode(errors='replace')}")
            while window.read(0.5):
                pass
        os.waitpid(child, 0)
        for file in Path(scratch).glob("*.md"):
            file.read_text(encoding="utf-8")  # raises if it is none


def pieces(chance, count):
    """Yield pieces of bytes: random ones, and such as are near to what means something to a terminal."""
    for _ in range(count):
        if chance.random() < 0.5:
            piece = chance.choice(_PARTS) + chance.randbytes(chance.randrange(4))
        else:
            piece = chance.randbytes(chance.randrange(1, 40))
        yield piece.replace(bytes([_CTRL_Q]), b"")


if __name__ == "__main__":
    main()
