"""Fetching a model while writing goes on: by a process of its own, which can be stopped."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from huggingface_hub import constants
from huggingface_hub.file_download import repo_folder_name

from billy_mlx.errors import ModelError
from billy_mlx.model import hub

_LOOK_SECONDS = 0.02  # at a time, which is no longer than a step of writing
_COMMAND = [sys.executable, "-c", "from billy_mlx.cli import main; main()", "model", "get"]


def fetch(repo: str, expected_bytes: float | None) -> Iterator[float]:
    """Have a model on this machine, yielding what share of it is here, from 0 to 1, again and again.

    Args:
        repo: its hub id.
        expected_bytes: of all its files; without that the share stays 0 until it is here.

    Raises:
        ModelError: it could not be fetched; says why.
    """
    if hub.find(repo) is not None:
        return
    process = subprocess.Popen(
        [*_COMMAND, repo],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # Bars would fill the pipe, which is read at the end only.
        env={**os.environ, "HF_HUB_DISABLE_PROGRESS_BARS": "1"},
    )
    try:
        looked, share = 0.0, 0.0
        while process.poll() is None:
            time.sleep(_LOOK_SECONDS)
            if expected_bytes and time.monotonic() - looked > 1:
                looked, share = time.monotonic(), min(0.99, _bytes_here(repo) / expected_bytes)
            yield share
        if process.returncode:
            raise ModelError(_reason(repo, process))
    finally:
        process.kill()
        process.communicate()


def _bytes_here(repo: str) -> int:
    """Return the bytes of a repository that are here, those of unfinished files too."""
    blobs = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repo, repo_type="model") / "blobs"
    try:
        return sum(file.stat().st_size for file in blobs.iterdir())
    except OSError:  # none yet, or one was renamed just now
        return 0


def _reason(repo: str, process: "subprocess.Popen[str]") -> str:
    """Return what the command has said last: of a narration the sentence, without who says it."""
    lines = [] if process.stderr is None else process.stderr.read().strip().splitlines()
    said = [line.removeprefix("billy: ") for line in lines if line.startswith("billy: ")]
    return said[-1] if said else f"{repo} was not fetched; try again, or run: billy model get {repo}"
