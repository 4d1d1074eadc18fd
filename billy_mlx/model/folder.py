"""What describes the model in a folder, beside its weights: files that are plain, and no larger than such files are."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from billy_mlx.errors import ModelError
from billy_mlx.text import sanitize

_DESCRIBE = {".json", ".jsonl", ".jinja", ".txt", ".model", ".tiktoken"}
_TEMPLATES = "additional_chat_templates"
_INDEX = "model.safetensors.index.json"  # of the weights: no part of what is said about them
_MOST_FILES = 2_000
_LARGEST = {"config.json": 16 << 20, "tokenizer.json": 256 << 20}
_LARGEST_OTHER = 64 << 20


def described_by(folder: Path) -> list[Path]:
    """Return the files that mlx-lm and transformers read of a folder, but for the weights, by name.

    Raises:
        ModelError: one of them is a pipe, a device or a folder, or is larger than any such file.
    """
    files = sorted(file for file in _entries(folder) if file.suffix in _DESCRIBE and file.name != _INDEX)
    for file in files:
        require_file(file, _LARGEST.get(file.name, _LARGEST_OTHER))
    return files


def require_file(file: Path, largest: int | None = None) -> None:
    """Do nothing if `file` is a plain file, or a link to one, of at most `largest` bytes.

    Raises:
        ModelError: it is something else, which might be read for ever.
    """
    try:
        status = file.stat()
    except OSError as error:
        raise ModelError(f"{_shown(file)} cannot be read: {error.strerror}; get the model again") from error
    if not stat.S_ISREG(status.st_mode):
        raise ModelError(f"{_shown(file)} is no file but something else; get the model again")
    if largest is not None and status.st_size > largest:
        sizes = f"{status.st_size:,} bytes; the largest that is read has {largest:,}"
        raise ModelError(f"{_shown(file)} has {sizes}: choose another model")


def _entries(folder: Path) -> Iterator[Path]:
    """Yield what is in a folder of a model, and in the one where further chat templates are."""
    count = 0
    for place in (folder, folder / _TEMPLATES):
        try:
            entries = os.scandir(place)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise ModelError(f"{_shown(place)} cannot be read: {error.strerror}; get the model again") from error
        with entries:
            for entry in entries:
                count += 1
                if count > _MOST_FILES:
                    raise ModelError(f"{_shown(folder)} has more than {_MOST_FILES:,} files; that is no model folder")
                yield Path(entry.path)


def _shown(path: Path) -> str:
    return sanitize(str(path))
