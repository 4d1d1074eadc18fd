"""Hundreds of broken model folders are refused in a sentence each, or work."""

import subprocess
import sys
from pathlib import Path

import pytest
from helpers.folder_mutations import BASES, broken

FIRST = 1_000_000  # the command begins with 0


@pytest.mark.slow
def test_200_broken_folders_hold_nobody_up():
    script = (
        Path(__file__).parents[1] / "helpers" / "broken_folders.py"
    )  # on its own: a process with threads should not fork
    done = subprocess.run(
        [sys.executable, script, "--folders", "200", "--seed", str(FIRST)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("200 broken model folders (")
    assert " good" in done.stdout


def test_the_same_seed_breaks_a_folder_in_the_same_way():
    files = {"config.json": b'{"a": [1, {"b": "c"}]}', "model.safetensors": bytes(100), "tokenizer.json": b"{}"}
    bases = dict.fromkeys(BASES, files)
    for seed in range(300):
        assert broken(seed, bases) == broken(seed, bases)
