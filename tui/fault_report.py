"""The report of a fault that nobody foresaw."""

import contextlib

from billy_mlx import paths
from billy_mlx.errors import BillyError
from billy_mlx.files import PRIVATE, write_atomically


def keep_report(report: str) -> None:
    """Keep a report where `billy paths` says that state is, instead of the one before; not if that cannot be."""
    with contextlib.suppress(BillyError):
        content = report.encode("utf-8", "replace")
        write_atomically(paths.state_folder() / "faults.log", content, mode=PRIVATE)  # it may have words of the text
