"""What reaches a real terminal, and what a pipe gets, of a model that writes control characters."""

import json
import os
import pty
import re
import subprocess
import sys

import pytest

MAIN = [sys.executable, "-c", "from billy_mlx.cli import main; main()"]
STOP = """
import signal
from billy_mlx.cli import main, printing
steps, go_on = iter(range(1000)), printing.advance
def advance(*arguments):
    if next(steps) == 5:
        signal.raise_signal(signal.SIGINT)
    go_on(*arguments)
printing.advance = advance
main()
"""
# At this temperature a random model writes every byte there is.
WILD = ["generate", "-p", "x", "-m", "300", "--temp", "10", "--min-p", "0", "--seed", "2"]
OBEYED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def on_terminal(arguments, columns=80, **environment):
    """Run billy on a pseudo-terminal and return the exit code and all it showed."""
    ours, theirs = pty.openpty()
    settings = {
        **os.environ,
        "TERM": "xterm",
        "COLUMNS": str(columns),
        "LINES": "24",
        "HF_HUB_OFFLINE": "1",
        **environment,
    }
    process = subprocess.Popen([*MAIN, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=settings)
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 65536):
            shown += chunk
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(ours)
    return process.wait(), shown.decode().replace("\r\n", "\n")


def without_progress(shown):
    """Take away what progress bars draw and take away themselves, and our own bold."""
    return re.sub(r"\x1b\[[01]m", "", re.sub(r"(\r[^\r\n]*)+\r", "", shown))


@pytest.mark.slow
def test_no_control_character_of_a_text_reaches_the_terminal(billy, model):
    piped = json.loads(billy(*WILD, "--json").out)["text"]
    code, shown = on_terminal(WILD)
    assert "\x1b" in piped
    assert code == 0
    assert "␛" in shown
    assert not OBEYED.search(without_progress(shown))


def test_a_pipe_gets_the_text_unaltered(billy, model):
    assert billy(*WILD).out == json.loads(billy(*WILD, "--json").out)["text"] + "\n"


@pytest.mark.slow
def test_voices_stand_side_by_side_in_the_width_of_the_terminal(model):
    voices = ["generate", "-p", "x", "-m", "40", "--seed", "1", "--voice", "noir", "--voice", "gothic", "--compare"]
    _, shown = on_terminal(voices, columns=120)
    lines = without_progress(shown).splitlines()
    heading = next(line for line in lines if "noir:1@1/layered" in line)
    assert [piece.strip() for piece in heading.split("│")] == ["noir:1@1/layered", "gothic:1@1/layered", "unsteered"]
    assert max(map(len, lines)) <= 120


@pytest.mark.slow
def test_a_file_name_cannot_move_the_cursor(billy_home):
    _, shown = on_terminal(["personas", "check", "\x1b]0;owned\x07\x9b2J.toml"])
    assert not OBEYED.search(shown)


@pytest.mark.slow
def test_narration_is_broken_between_words_but_not_in_a_command(billy_home):
    _, shown = on_terminal(["personas", "show", "nior"], columns=40)
    lines = shown.splitlines()
    assert max(map(len, lines)) <= 40
    assert lines[-1] == "billy personas list"
    assert " ".join(lines).count("did you mean noir?") == 1


@pytest.mark.slow
def test_what_ctrl_c_leaves_of_a_progress_line_is_taken_away(model):
    _, shown = on_terminal(["extract", "noir", "--model", str(model), "--questions", "2", "--rollouts", "1", "-m", "4"])
    assert f"\r{' ' * 79}\r" in shown


@pytest.mark.slow
def test_nothing_is_bold_where_colour_is_not_wanted(billy_home):
    assert "\x1b" in on_terminal(["paths"])[1]
    assert "\x1b" not in on_terminal(["paths"], NO_COLOR="1")[1]


@pytest.mark.slow
def test_ctrl_c_in_a_process_of_its_own_gives_130_and_a_document(model):
    command = [sys.executable, "-c", STOP, "generate", "-p", "x", "-m", "400", "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    document = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (130, "")
    assert document["finish_reason"] == "interrupted"
    assert 0 < document["generation_tokens"] < 10
