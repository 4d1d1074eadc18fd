"""The process that gives the terminal back after the studio's death."""

import os
import pty
import select
import sys
import termios
from contextlib import suppress

import pytest

from billy_mlx.tui.guardian import Guardian


@pytest.fixture
def terminal():
    """Both ends of a pseudo-terminal: ours, and that of programs."""
    ends = pty.openpty()
    yield ends
    for end in ends:
        os.close(end)


def is_said(terminal, seconds):
    return bool(select.select([terminal], [], [], seconds)[0])


def end_of_orders(guardian):
    """Let go of a guardian, as the death of the process does."""
    guardian._process.stdin.close()
    return guardian._process.wait(20)


def test_it_sets_the_terminal_as_it_was_and_says_why(terminal):
    ours, theirs = terminal
    before = termios.tcgetattr(theirs)
    guardian = Guardian(theirs, "modes off")
    changed = termios.tcgetattr(theirs)
    changed[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(theirs, termios.TCSANOW, changed)
    assert end_of_orders(guardian) == 0
    assert termios.tcgetattr(theirs) == before
    assert os.read(ours, 1000).startswith(b"modes off\x1b[mbilly: killed")


def test_it_does_nothing_while_the_studio_lives_and_after_it_was_dismissed(terminal):
    ours, theirs = terminal
    guardian = Guardian(theirs, "modes off")
    assert not is_said(ours, 0.3)
    guardian.dismiss()
    guardian.dismiss()
    assert not is_said(ours, 0)


def test_it_does_not_wait_for_a_terminal_that_nobody_reads(terminal):
    _, theirs = terminal
    guardian = Guardian(theirs, "modes off")
    os.set_blocking(theirs, False)
    with suppress(BlockingIOError):
        while True:
            os.write(theirs, b"x" * 1000)
    assert end_of_orders(guardian) == 0


@pytest.mark.parametrize("lacking", ["a terminal", "a program"])
def test_the_studio_does_without_where_it_cannot_be(terminal, tmp_path, monkeypatch, lacking):
    if lacking == "a program":
        monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
        Guardian(terminal[1], "").dismiss()
    else:
        with (tmp_path / "file").open("w") as file:
            Guardian(file.fileno(), "").dismiss()
