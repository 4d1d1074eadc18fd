"""A stranger's file to import: a regular file within limits, or one sentence that says why it is not."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from billy_mlx.errors import VectorError
from billy_mlx.text import sanitize

Floats = NDArray[np.float32]

LARGEST = 1e8
"""No number of a vector is larger: far beyond any residual stream, and its squares, summed over any width, still fit
into a float32."""

MAX_JSON_BYTES = 1 << 20
_MOST_REASON = 400  # characters, some of which the file may have chosen


def require_file(path: Path, most_bytes: int, what: str) -> None:
    """Raise VectorError unless `path` is a regular file of at most `most_bytes`, which is the most `what` may have."""
    try:
        if not path.is_file():  # reading a pipe or a device may never end
            raise refusal(path, "there is no such file" if not path.exists() else "it is not a regular file")
        size = path.stat().st_size
    except OSError as error:
        raise refusal(path, error.strerror or str(error)) from error
    if size > most_bytes:
        raise refusal(path, f"it has {size:,} bytes, and {what} has at most {most_bytes:,}")


def read_bytes(path: Path, most_bytes: int, what: str) -> bytes:
    """Return what is in `path`; VectorError as `require_file`."""
    require_file(path, most_bytes, what)
    return read_start(path, most_bytes)


def read_start(path: Path, count: int) -> bytes:
    """Return the first bytes of a file, at most `count`; VectorError if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise refusal(path, error.strerror or str(error)) from error


def read_json(path: Path) -> Any:
    """Return the JSON document in `path`; VectorError if it is none, or larger than a mebibyte."""
    data = read_bytes(path, MAX_JSON_BYTES, "a trait or a table")
    try:
        return json.loads(data.decode("utf-8-sig"))
    except RecursionError:
        raise refusal(path, "it is nested too deeply") from None
    except ValueError as error:
        raise refusal(path, f"it is not JSON ({error})") from error


def refusal(path: Path, why: str) -> VectorError:
    """Return the error that says why `path` is not imported; `why` ends the sentence, and may quote the file."""
    return VectorError(" ".join(sanitize(f"{path} cannot be imported: {why[:_MOST_REASON]}").split()))
