"""The stored weights of a model folder, read from the headers of its safetensors files and nothing else.

Format: 8 bytes little-endian length, that many bytes of JSON, then the tensors one after another.
"""

import json
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any

from billy_mlx.errors import ModelError

_INDEX = "model.safetensors.index.json"
_LARGEST_HEADER = 100_000_000  # the format's own limit


@dataclass(frozen=True)
class StoredTensor:
    """One tensor of a file: its bytes are `file[start:end]`; `dtype` is the format's own name, as in "BF16"."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: Path
    start: int
    end: int

    @property
    def elements(self) -> int:
        """How many numbers it holds; of packed ones, how many words."""
        return prod(self.shape)


def stored_tensors(folder: Path) -> list[StoredTensor]:
    """All tensors of the files mlx-lm would load, sorted by name.

    Raises:
        ModelError: no weights, a missing or damaged file, or a name that two files have.
    """
    tensors = [tensor for file in _files(folder) for tensor in tensors_of(file)]
    tensors.sort(key=lambda tensor: tensor.name)
    for one, other in pairwise(tensors):
        if one.name == other.name:
            raise ModelError(
                f"{one.file} and {other.file.name} both hold {one.name!r}; delete the file that is left over"
            )
    return tensors


def tensors_of(file: Path) -> list[StoredTensor]:
    """All tensors of one file.

    Raises:
        ModelError: it is damaged.
        OSError: it cannot be read.
    """
    header, start = _header(file)
    try:
        tensors = [_tensor(file, name, entry, start) for name, entry in header.items() if name != "__metadata__"]
    except (TypeError, ValueError, KeyError) as error:
        raise _damaged(file, "its header is not one of safetensors") from error
    size = file.stat().st_size
    last = max(tensors, key=lambda tensor: tensor.end, default=None)
    if last is not None and last.end > size:
        raise _damaged(file, f"it is cut short, {last.name!r} ends at byte {last.end:,} of {size:,}")
    return tensors


def _files(folder: Path) -> list[Path]:
    index = folder / _INDEX
    named = set(_index(index)) if index.exists() else set()
    missing = sorted(name for name in named if not (folder / name).exists())
    # With all of them gone the index itself is left over, from before a conversion: mlx-lm does not look at it.
    if missing and len(missing) < len(named):
        raise ModelError(
            f"{folder} lacks {len(missing)} of its {len(named)} weight files, {missing[0]} first; get the model again"
        )
    files = sorted(folder.glob("model*.safetensors"))
    if not files:
        raise ModelError(f"{folder} has no model*.safetensors; only models in that format can be loaded")
    return files


def _index(path: Path) -> list[str]:
    try:
        return [str(name) for name in json.loads(path.read_bytes())["weight_map"].values()]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _damaged(path, str(error)) from error


def _header(file: Path) -> tuple[dict[str, Any], int]:
    """Return the header and where the tensors begin; it must fit into the file, and the file must hold them all."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if size < 8 or length > min(size - 8, _LARGEST_HEADER):
            raise _damaged(file, f"{size:,} bytes cannot hold its header")
        try:
            header = json.loads(stream.read(length))
        except (ValueError, RecursionError) as error:
            raise _damaged(file, "its header is not JSON") from error
    if not isinstance(header, dict):
        raise _damaged(file, "its header is not one of safetensors")
    return header, 8 + length


def _tensor(file: Path, name: str, entry: dict[str, Any], data_start: int) -> StoredTensor:
    start, end = (data_start + int(offset) for offset in entry["data_offsets"])
    if not data_start <= start <= end:
        raise ValueError(name)
    return StoredTensor(name, str(entry["dtype"]), tuple(int(n) for n in entry["shape"]), file, start, end)


def _damaged(file: Path, why: str) -> ModelError:
    return ModelError(f"{file} is damaged: {why}; get the model again")
