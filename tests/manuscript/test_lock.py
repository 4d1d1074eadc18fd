"""The lock, where a process was forked while it was held."""

import subprocess
import sys

FORKED = """
import os, sys
from pathlib import Path
from billy_mlx.manuscript.lock import Lock, acquire

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
