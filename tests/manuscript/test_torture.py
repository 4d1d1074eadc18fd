"""A program that writes is killed at least 300 times, and no acknowledged word is lost."""

import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_nothing_that_was_acknowledged_is_lost():
    script = Path(__file__).parents[1] / "helpers" / "torture.py"  # on its own: a process with threads should not fork
    done = subprocess.run([sys.executable, script, "--kills", "320"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sum(int(kills) for kills in re.findall(r"^(\d+) kills", done.stdout, re.MULTILINE)) >= 320
