"""The report of a fault that nobody foresaw."""

import contextlib

from billy_mlx import paths


def keep_report(report: str) -> None:
    """Keep a report where `billy paths` says that state is, instead of the one before; not if that cannot be."""
    with contextlib.suppress(OSError):
        folder = paths.state_folder()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "faults.log").write_text(report, encoding="utf-8")
