"""What describes the model in a folder, beside its weights: files that are plain, and no larger than such files are."""

import errno
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from billy_mlx.errors import ModelError
from billy_mlx.text import quoted

_DESCRIBE = {".json", ".jsonl", ".jinja", ".txt", ".model", ".tiktoken"}
_TEMPLATES = "additional_chat_templates"
_INDEX = "model.safetensors.index.json"  # of the weights: no part of what is said about them
_MOST_FILES = 2_000
_LONGEST_PATH = 200  # letters of it that a sentence has
_LARGEST = {"config.json": 16 << 20}
_LARGEST_OTHER = 64 << 20  # twice the size of the largest tokenizers in use
_LARGEST_ALL = 128 << 20
_MOST_VALUES = 2_000_000  # of a JSON file: each may take 200 bytes of memory


def described_by(folder: Path) -> list[Path]:
    """Return the files that mlx-lm and transformers read of a folder, but for the weights, by name.

    Raises:
        ModelError: one of them is a pipe, a device or a folder, cannot be read, or is larger than any such file.
    """
    files = sorted(file for file in _entries(folder) if file.suffix in _DESCRIBE and file.name != _INDEX)
    for file in files:
        require_file(file, _LARGEST.get(file.name, _LARGEST_OTHER))
    size = sum(file.stat().st_size for file in files)
    if size > _LARGEST_ALL:
        sizes = f"{size:,} bytes of settings and vocabulary; the most that is read has {_LARGEST_ALL:,}"
        raise ModelError(f"{shown(folder)} has {sizes}: choose another model")
    return files


def require_file(file: Path, largest: int | None = None) -> None:
    """Do nothing if `file` is a plain file, or a link to one, of at most `largest` bytes.

    Raises:
        ModelError: it is something else, which might be read for ever, or may not be read.
    """
    try:
        status = file.stat()
        if not os.access(file, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise ModelError(f"{shown(file)} cannot be read: {error.strerror}; get the model again") from error
    if not stat.S_ISREG(status.st_mode):
        raise ModelError(f"{shown(file)} is no file but something else; get the model again")
    if largest is not None and status.st_size > largest:
        sizes = f"{status.st_size:,} bytes; the largest that is read has {largest:,}"
        raise ModelError(f"{shown(file)} has {sizes}: choose another model")


def read_json(file: Path, largest: int) -> Any:
    """Return what a JSON file of at most `largest` bytes holds.

    Raises:
        ModelError: it is no plain file, or too large.
        ValueError: it is no JSON, or so much of it that reading it takes too much memory.
        OSError: it cannot be read.
    """
    require_file(file, largest)
    return parsed(file.read_bytes())


def parsed(text: bytes) -> Any:
    """Return what a JSON text says.

    Raises:
        ValueError: it is no JSON, or so much of it that reading it takes too much memory.
    """
    if text.count(b",") + text.count(b"[") + text.count(b"{") > _MOST_VALUES:
        raise ValueError(f"it holds more than {_MOST_VALUES:,} values")
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def is_there(path: Path) -> bool:
    """Whether there is a file or folder at `path`, whose name may be anything; a link to nothing is none."""
    try:
        path.stat()
    except (OSError, ValueError):
        return False
    return True


def shown(path: Path) -> str:
    """Return a path as part of a sentence."""
    return quoted(path, _LONGEST_PATH)


def _entries(folder: Path) -> Iterator[Path]:
    """Yield what is in a folder of a model, and in the one where further chat templates are."""
    count = 0
    for place in (folder, folder / _TEMPLATES):
        try:
            entries = os.scandir(place)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise ModelError(f"{shown(place)} cannot be read: {error.strerror}; get the model again") from error
        with entries:
            for entry in entries:
                count += 1
                if count > _MOST_FILES:
                    raise ModelError(f"{shown(folder)} has more than {_MOST_FILES:,} files; that is no model folder")
                file = Path(entry.path)
                if is_there(file) and not (file.is_file() or file.is_dir()):
                    raise ModelError(f"{shown(file)} is no file but something else; get the model again")
                yield file
