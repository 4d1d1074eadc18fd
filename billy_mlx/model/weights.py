"""The stored weights of a model folder, read from the headers of its safetensors files and nothing else.

Format: 8 bytes little-endian length, that many bytes of JSON, then the tensors one after another.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from billy_mlx.errors import ModelError
from billy_mlx.model.folder import is_there, parsed, read_json, require_file, shown
from billy_mlx.text import quoted

FILES = "model*.safetensors"  # what mlx-lm loads, whatever an index says
_INDEX = "model.safetensors.index.json"
_SHARD = re.compile(r"(.*)-[0-9]{5}-of-([0-9]{5})\.safetensors")
_LARGEST_HEADER = 32 << 20  # those of the largest models in use have a tenth of it
_LARGEST_INDEX = 32 << 20
_MOST_SHARDS = 10_000
_MOST_TENSORS = 400_000  # twice as many as the largest models in use have
_BITS = {"BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "U16": 16, "I16": 16, "F16": 16}
_BITS |= {"BF16": 16, "U32": 32, "I32": 32, "F32": 32, "U64": 64, "I64": 64, "F64": 64}


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
        ModelError: no weights, a missing or damaged file, one that cannot be read, or a name that two files have.
    """
    tensors: list[StoredTensor] = []
    for file in _files(folder):
        try:
            tensors += tensors_of(file)
        except OSError as error:
            raise ModelError(f"{shown(file)} cannot be read: {error.strerror}; get the model again") from error
        if len(tensors) > _MOST_TENSORS:
            raise ModelError(f"{shown(folder)} has more than {_MOST_TENSORS:,} tensors; choose another model")
    tensors.sort(key=lambda tensor: tensor.name)
    for one, other in pairwise(tensors):
        if one.name == other.name:
            both = f"{shown(one.file)} and {quoted(other.file.name)} both hold {quoted(one.name)!r}"
            raise ModelError(f"{both}; delete the file that is left over")
    return tensors


def tensors_of(file: Path, *, what: str = "model") -> list[StoredTensor]:
    """All tensors of one file, which is part of `what`.

    Raises:
        ModelError: it is damaged.
        OSError: it cannot be read.
    """
    with _named_if_damaged(file, what):
        return _tensors(file)


class StoredEntry(NamedTuple):
    """What a header says of one tensor: `data_offsets` count from the end of the header."""

    dtype: str
    shape: Sequence[int]
    data_offsets: tuple[int, int]


def write_hollow(file: Path, entries: Mapping[str, StoredEntry]) -> None:
    """Write a file of weights with its header and, where the weights would be, a hole that takes no room on the disk.

    Raises:
        ModelError: an entry is none.
        OSError: there is no room for it all the same.
    """
    try:
        header = json.dumps({name: entry._asdict() for name, entry in entries.items()}).encode()
        end = max((_whole(entry.data_offsets[1]) for entry in entries.values()), default=0)
        with file.open("wb") as stream:
            stream.write(len(header).to_bytes(8, "little") + header)
            stream.truncate(8 + len(header) + end)
    except (TypeError, ValueError, IndexError, OverflowError) as error:
        what = f"{shown(file)} is damaged: its header is not one of safetensors"
        raise ModelError(f"{what}; choose another model") from error


def headers(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield the files mlx-lm would load, each with all that it says of its tensors.

    Raises:
        ModelError: as for `stored_tensors`.
    """
    for file in _files(folder):
        with _named_if_damaged(file), file.open("rb") as stream:
            yield file, _header_bytes(file, stream)


def lacking(folder: Path) -> str | None:
    """Return which weight files a folder should have and has not, as the object of a sentence; None if it has all.

    Raises:
        ModelError: its index is damaged.
    """
    found = list(folder.glob(FILES))
    expected = _expected(folder, found)
    missing = {name for name in expected if not is_there(folder / name)}
    dangling = {file.name for file in found if not is_there(file)}
    # With all of them gone the index itself is left over, from before a conversion: mlx-lm does not look at it.
    if missing == expected and len(found) > len(dangling):
        missing = set()
    missing |= dangling
    if not missing:
        return None if found else FILES
    count, first = len(expected | missing), quoted(min(missing))
    return f"{len(missing)} of its {count} weight files, {first} first" if count > 1 else first


def damage(folder: Path) -> dict[Path, str]:
    """Return the weight files of a folder, and their index, that are there and not whole, each with what it has."""
    index = folder / _INDEX
    files = [*sorted(folder.glob(FILES)), *([index] if is_there(index) else [])]
    reasons = {file: _reason(file) for file in files if is_there(file)}
    return {file: reason for file, reason in reasons.items() if reason is not None}


def _reason(file: Path) -> str | None:
    try:
        if file.name == _INDEX:
            _index(file)
        else:
            _tensors(file)
    except _Damage as damage:
        return str(damage)
    except OSError as error:
        return f"it cannot be read, {error.strerror}"
    except ModelError:
        return "it is no plain file, or too large, or may not be read"
    return None


class _Damage(Exception):
    """What is wrong with a file, as the end of a sentence."""


@contextmanager
def _named_if_damaged(file: Path, what: str = "model") -> Iterator[None]:
    try:
        yield
    except _Damage as damage:
        raise ModelError(f"{shown(file)} is damaged: {damage}; get the {what} again") from damage


def _files(folder: Path) -> list[Path]:
    missing = lacking(folder)
    if missing == FILES:
        raise ModelError(f"{shown(folder)} has no {FILES}; only models in that format can be loaded")
    if missing is not None:
        raise ModelError(f"{shown(folder)} lacks {missing}; get the model again")
    return sorted(folder.glob(FILES))


def _expected(folder: Path, found: list[Path]) -> set[str]:
    """Return the weight files that an index names, or, without one, the names of those that are there."""
    index = folder / _INDEX
    if is_there(index):
        with _named_if_damaged(index):
            return set(_index(index))
    shards = {(shard[1], int(shard[2])) for file in found if (shard := _SHARD.fullmatch(file.name))}
    if sum(count for _, count in shards) > _MOST_SHARDS:
        raise ModelError(f"{shown(folder)} has weights in more than {_MOST_SHARDS:,} files by their names; rename them")
    return {
        f"{name}-{number:05d}-of-{count:05d}.safetensors" for name, count in shards for number in range(1, count + 1)
    }


def _index(path: Path) -> list[str]:
    try:
        return [str(name) for name in read_json(path, _LARGEST_INDEX)["weight_map"].values()]
    except (TypeError, KeyError, AttributeError) as error:
        raise _Damage("it names no weight files") from error
    except (ValueError, OSError) as error:
        raise _Damage(quoted(error)) from error


def _tensors(file: Path) -> list[StoredTensor]:
    header, start = _header(file)
    try:
        tensors = [_tensor(file, name, entry, start) for name, entry in header.items() if name != "__metadata__"]
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise _Damage("its header is not one of safetensors") from error
    size = file.stat().st_size
    last = max(tensors, key=lambda tensor: tensor.end, default=None)
    if last is not None and last.end > size:
        raise _Damage(f"it is cut short, {quoted(last.name)!r} ends at byte {last.end:,} of {size:,}")
    return tensors


def _header(file: Path) -> tuple[dict[str, Any], int]:
    """Return the header and where the tensors begin; it must fit into the file, and the file must hold them all."""
    require_file(file)
    with file.open("rb") as stream:
        text = _header_bytes(file, stream)
    try:
        header = parsed(text)
    except ValueError as error:
        raise _Damage(f"its header cannot be read, {quoted(error)}") from error
    if not isinstance(header, dict):
        raise _Damage("its header is not one of safetensors")
    return header, 8 + len(text)


def _header_bytes(file: Path, stream: BinaryIO) -> bytes:
    size = file.stat().st_size
    length = int.from_bytes(stream.read(8), "little")
    if size < 8 or length > size - 8:
        raise _Damage(f"{size:,} bytes cannot hold its header")
    if length > _LARGEST_HEADER:
        raise _Damage(f"its header has {length:,} bytes; the largest that is read has {_LARGEST_HEADER:,}")
    return stream.read(length)


def _tensor(file: Path, name: str, entry: dict[str, Any], data_start: int) -> StoredTensor:
    start, end = (data_start + _whole(offset) for offset in entry["data_offsets"])
    dtype, shape = str(entry["dtype"]), tuple(_whole(n) for n in entry["shape"])
    if start > end or (dtype in _BITS and 8 * (end - start) != _BITS[dtype] * prod(shape)):
        raise ValueError(name)
    return StoredTensor(name, dtype, shape, file, start, end)


def _whole(number: object) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 1 << 63:
        raise ValueError(number)
    return number
