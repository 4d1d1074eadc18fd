"""A terminal that is closed, or a system that wants the studio to end: the text is saved, and the process is gone."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.pseudo_terminal import Terminal

from billy_mlx import paths

TESTS = Path(__file__).parents[1]
STUDIO = f"""
import sys, time
from functools import partial
from pathlib import Path
sys.path.insert(0, {str(TESTS)!r})
from helpers.scripted_engine import ScriptedEngine
from billy_mlx.tui import app
from billy_mlx.tui.terminal_input import TerminalInput
app.Studio.action_help = lambda studio: dying()
app.Studio = partial(app.Studio, connect=ScriptedEngine)
def dying():
    try:
        DEATH
    finally:
        say()
def say():
    print("dying", file=sys.__stdout__, flush=True)
sys.exit(app.run(Path(sys.argv[1])))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("ending", "count"), [("close", 3), ("hangup", 2)])
def test_a_studio_whose_window_closes_saves_its_text_and_is_gone(ending, count):
    assert endings(ending, count) == [None] * count


@pytest.mark.long
@pytest.mark.parametrize(("ending", "count"), [("close", 100), ("hangup", 100), ("deaf", 16), ("terminate", 16)])
def test_so_is_every_one_of_many(ending, count):
    assert endings(ending, count) == [None] * count


def endings(ending, count):
    """End so many studios; returns what is wrong with each."""
    command = [sys.executable, str(TESTS / "helpers" / "closing_windows.py"), ending, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line)[-1] for line in done.stdout.splitlines()]


@pytest.fixture
def dying(novel):
    """Open a studio, in which F1 does what is said."""

    def opened(death):
        terminal = Terminal([sys.executable, "-c", STUDIO.replace("DEATH", death), str(novel)], timeout_seconds=40)
        terminal.wait_for("saved")
        terminal.press("Z")
        terminal.wait_for("Z")
        return terminal

    return opened


@pytest.mark.slow
@pytest.mark.parametrize("death", ["1 / 0", "TerminalInput.feed = None", "raise SystemExit(1)"])
def test_the_terminal_is_given_back_after_a_fault_and_no_code_is_shown(dying, death):
    with dying(death) as terminal:
        terminal.press("f1")
        terminal.wait_for("dying")
        terminal.press("f1")  # of which one that is still there hears in its thread
        assert terminal.wait_for_end() == 1
        assert is_as_it_was(terminal)
        assert "Traceback" not in terminal.text


@pytest.mark.slow
def test_the_writer_hears_of_a_fault_in_words_and_its_text_is_saved(dying, novel):
    with dying("1 / 0") as terminal:
        terminal.press("f1")
        terminal.wait_for_end()
        assert "every word of the text is kept" in " ".join(terminal.text.split())
    assert "ZeroDivisionError" in (paths.state_folder() / "faults.log").read_text(encoding="utf-8")
    assert "Z" in novel.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"])
def test_the_terminal_is_given_back_when_the_system_ends_the_studio(dying, novel, name):
    with dying("pass") as terminal:
        terminal.process.send_signal(getattr(signal, name))
        assert terminal.wait_for_end() == 0
        assert is_as_it_was(terminal)
    assert "Z" in novel.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("death", "code"),
    [
        ("import signal, os; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("import ctypes; ctypes.string_at(0)", -signal.SIGSEGV),
        ("import os; os.abort()", -signal.SIGABRT),
        ("import ctypes; ctypes.CDLL(None)._exit(1)", 1),
    ],
    ids=["the system kills it", "it is at fault", "a library gives up", "a library ends it"],
)
def test_the_terminal_is_given_back_when_the_studio_can_do_nothing_more(dying, death, code):
    with dying(f"say(); {death}") as terminal:
        terminal.press("f1")
        terminal.wait_for("dying")
        assert terminal.wait_for_end() == code
        assert is_as_it_was(terminal)
        assert "your text is kept: open it again" in terminal.text


def test_nobody_is_told_of_a_death_when_the_studio_ends_by_itself(dying):
    with dying("pass") as terminal:
        terminal.press("ctrl+q")
        assert terminal.wait_for_end() == 0
        assert b"killed" not in terminal.output


@pytest.mark.slow
def test_so_it_is_when_the_studio_hangs(dying):
    with dying("say(); time.sleep(60)") as terminal:
        terminal.press("f1")
        terminal.wait_for("dying")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.wait_for_end(6) == 1
        assert is_as_it_was(terminal)


def is_as_it_was(terminal):
    """Whether a terminal is as a new one: its settings, and the modes that programs can turn on."""
    with Terminal(["true"]) as new:
        new.wait_for_end()
        modes = {mode: on for mode, on in re.findall(rb"\x1b\[\?(\d+)([hl])", terminal.output) if mode != b"2026"}
        left_on = {mode for mode, on in modes.items() if (on == b"h") != (mode in (b"7", b"25"))}
        return (new.attributes, left_on) == (terminal.attributes, set())
