"""The pseudo-terminal of the end-to-end tests does what a window does."""

import signal
import sys

import pytest
from helpers.pseudo_terminal import KEYS, Terminal, obeyed

ECHO = """
import os, sys, tty
tty.setraw(0)
os.write(1, b"ready")
while (key := os.read(0, 100)) != b"q":
    os.write(1, b"\\x1b[2J\\x1b[H" + repr(key.decode()).encode())
"""
SIZE = """
import os, signal, sys, time
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # which whoever runs the tests may have had ignored
signal.signal(signal.SIGWINCH, lambda *_: print(os.get_terminal_size().columns, "columns", flush=True))
print("ready", os.get_terminal_size().columns, flush=True)
while True:
    signal.pause()
"""
HOSTILE = "\x1b]0;HOSTILE\x07 and \x9bEVIL"


def python(script, **how):
    return Terminal([sys.executable, "-c", script], timeout_seconds=20, **how)


@pytest.mark.parametrize("key", sorted(KEYS))
def test_each_key_arrives_as_a_terminal_sends_it(key, echo):
    echo.press(key)
    echo.wait_for(repr(KEYS[key]))


@pytest.fixture(scope="module")
def echo():
    with python(ECHO) as terminal:
        terminal.wait_for("ready")
        yield terminal


def test_what_is_typed_and_pasted_arrives():
    with python(ECHO) as terminal:
        terminal.wait_for("ready")
        terminal.type("häßlich")
        terminal.wait_for("'häßlich'")
        terminal.paste("two words")
        terminal.wait_for("x1b[200~two words")


def test_a_program_that_ends_gives_its_exit_code():
    with python("print('over'); raise SystemExit(3)") as terminal:
        assert terminal.wait_for_end() == 3
        assert "over" in terminal.text
        assert b"over" in terminal.output


def test_a_text_that_does_not_come_is_an_error_that_shows_the_screen():
    with python("print('something else')") as terminal, pytest.raises(AssertionError, match="something else"):
        terminal.wait_for("what is waited for")


def test_the_window_has_a_size_that_can_change():
    with python(SIZE, size=(100, 30)) as terminal:
        terminal.wait_for("ready 100")
        terminal.resize(60, 20)
        terminal.wait_for("60 columns")
        assert len(terminal.lines) == 20


def test_closing_the_window_hangs_up():
    with python(SIZE) as terminal:
        terminal.wait_for("ready")
        terminal.close()
        assert terminal.process.wait(20) == -signal.SIGHUP


def test_a_kill_cannot_be_caught():
    with python(SIZE) as terminal:
        terminal.wait_for("ready")
        terminal.kill()
        assert terminal.process.returncode == -signal.SIGKILL


def test_what_a_payload_makes_the_terminal_obey_is_found():
    assert obeyed(b"\x1b[1m" + HOSTILE.encode(), HOSTILE) == ["\x1b]0;HOSTILE", "\x07 and ", "\x9bEVIL"]


def test_escapes_of_the_program_s_own_are_not_taken_for_the_payload_s():
    assert obeyed(b"\x1b[1m\x1b]0;billy\x07 ]0;HOSTILE and EVIL\x1b[0m", HOSTILE) == []
