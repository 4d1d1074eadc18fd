"""The report of a fault that nobody foresaw."""

import contextlib
import traceback

from billy_mlx import paths
from billy_mlx.errors import BillyError
from billy_mlx.files import PRIVATE, write_atomically

STOPPED = (
    "billy has stopped by a fault of its own, which is noted for billy doctor; every word of the text is kept: "
    "open it again, and what had not reached its file is offered"
)


def keep_report_of(error: BaseException | None) -> None:
    """Keep the report of an error; `keep_report` says where."""
    keep_report("".join(traceback.format_exception(error)))


def keep_report(report: str) -> None:
    """Keep a report where `billy paths` says that state is, instead of the one before; not if that cannot be."""
    with contextlib.suppress(BillyError):
        content = report.encode("utf-8", "replace")
        write_atomically(paths.state_folder() / "faults.log", content, mode=PRIVATE)  # it may have words of the text
