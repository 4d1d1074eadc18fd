"""The lock: where a process was forked while it was held, and what somebody is told who has to wait for it."""

import os
import subprocess
import sys

import pytest

from billy_mlx.errors import BillyError
from billy_mlx.lock import alone

FORKED = """
import os, sys
from pathlib import Path
from billy_mlx.lock import Lock, acquire

lock = acquire(Path(sys.argv[1]))
reading, writing = os.pipe()
if os.fork() == 0:
    os.close(writing)
    os.read(reading, 1)
    os._exit(0)
lock.release()
sys.exit(not isinstance(acquire(Path(sys.argv[1])), Lock))
"""


def test_a_lock_that_was_released_is_not_held_by_a_fork(tmp_path):
    subprocess.run([sys.executable, "-c", FORKED, str(tmp_path)], check=True)


def test_who_has_to_wait_is_told_for_which_process(tmp_path):
    with (
        alone(tmp_path / "new", str),
        pytest.raises(BillyError, match=rf"^another billy \(process {os.getpid()}\) is here$"),
        alone(tmp_path / "new", "{} is here".format),
    ):
        pass
    with alone(tmp_path / "new", str):  # after an error it is free again
        pass


def test_a_process_that_cannot_be_made_out_is_not_called_number_0(tmp_path):
    with alone(tmp_path, str):
        (tmp_path / "lock").write_bytes(b"garbage")
        with pytest.raises(BillyError, match=r"^another billy$"), alone(tmp_path, str):
            pass
