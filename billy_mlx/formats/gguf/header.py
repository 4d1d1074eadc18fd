"""What a GGUF file says it holds: metadata and where each tensor lies, read without believing any length in it.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian. The package `gguf`
has a reader, too: it takes 13 times as long, and leaves a file of false lengths at an IndexError, seconds later.

A large model may be in several files, as llama.cpp splits them: NAME-00001-of-00003.gguf and so on. The first part has
the model's metadata, and every part some of the tensors. Each says which it is: `split.no` counts from 0, `split.count`
is how many parts there are, and `split.tensors.count` how many tensors they hold together.
"""

import mmap
import re
import struct
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from billy_mlx.errors import ModelError

# Tensor kinds of the format: number -> (name, weights in a block, bytes of a block).
_KINDS = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    10: ("Q2_K", 256, 84),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    30: ("BF16", 1, 2),
}
# Kinds that are refused, by name where the name is likely to be known.
_UNREAD = {11: "Q3_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 20: "IQ4_NL", 21: "IQ3_S", 23: "IQ4_XS", 39: "MXFP4"}
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_MOST_STRINGS = 1 << 22  # the largest vocabularies in use have 2^18 tokens
_LEAST_TENSOR_BYTES, _LEAST_ENTRY_BYTES = 32, 13  # of one description with an empty name

_MOST_PARTS = 4096
_PART = re.compile(r"-[0-9]{5}-of-[0-9]{5}$")


@dataclass(frozen=True)
class GGUFTensor:
    """Where one tensor lies: `shape` with the rows first, `start` and `nbytes` in `file`."""

    file: Path
    name: str
    kind: str
    shape: tuple[int, ...]
    start: int
    nbytes: int


@dataclass(frozen=True)
class GGUFHeader:
    """Metadata values are numbers, strings, lists of strings or numpy arrays; tensors are keyed by name.

    `parts` are all files of a model that is split, in their order; of a whole file there are none.
    """

    path: Path
    metadata: dict[str, Any]
    tensors: dict[str, GGUFTensor]
    parts: tuple[Path, ...] = ()


def read_header(path: Path) -> GGUFHeader:
    """Return the header of a GGUF file; every tensor it lists lies inside the file.

    Raises:
        ModelError: no such file, not GGUF, damaged, cut short, or with a tensor of a kind that cannot be read.
    """
    try:
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise ModelError(f"{path} is not a GGUF file: it does not begin with GGUF; give a .gguf file")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _Reader(path, data).header()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}; give the path of a .gguf file") from error


class _Reader:
    """A place in the file that only moves forward and never past its end."""

    def __init__(self, path: Path, data: mmap.mmap) -> None:
        self._path, self._data, self._at = path, data, 4

    def header(self) -> GGUFHeader:
        version = self._number("I")
        if version not in (2, 3):
            raise ModelError(
                f"{self._path} is GGUF version {version}, little-endian 2 and 3 are read; convert it again"
            )
        tensor_count = self._count("Q", _LEAST_TENSOR_BYTES, "tensors")
        entry_count = self._count("Q", _LEAST_ENTRY_BYTES, "metadata entries")
        metadata = dict(self._entry() for _ in range(entry_count))
        described = [self._tensor() for _ in range(tensor_count)]
        data_start = self._aligned(metadata.get("general.alignment", 32))
        tensors = {tensor.name: self._placed(tensor, data_start) for tensor in described}
        if len(tensors) < tensor_count:
            self._damaged("two tensors of the same name")
        return GGUFHeader(self._path, metadata, tensors)

    def _entry(self) -> tuple[str, Any]:
        return self._string(), self._value(self._number("I"))

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            return self._array(self._number("I"))
        return self._number(self._format(kind))

    def _array(self, kind: int) -> Any:
        if kind == _STRING:
            count = self._count("Q", 8, "strings")
            if count > _MOST_STRINGS:
                self._damaged(f"a list of {count:,} strings")
            return [self._string() for _ in range(count)]
        item = np.dtype("<" + self._format(kind))
        count = self._count("Q", item.itemsize, "numbers")
        return np.frombuffer(self._bytes(count * item.itemsize), item)

    def _tensor(self) -> GGUFTensor:
        name = self._string()
        dimensions = self._number("I")
        if not 1 <= dimensions <= 4:
            self._damaged(f"{name!r} with {dimensions} dimensions")
        shape = tuple(self._number("Q") for _ in range(dimensions))[::-1]
        number, offset = self._number("I"), self._number("Q")
        if number not in _KINDS:
            known = ", ".join(kind for kind, _, _ in _KINDS.values())
            kind = _UNREAD.get(number, f"of type {number}")
            raise ModelError(f"{name!r} in {self._path} is {kind}, which cannot be read; choose a file in {known}")
        kind, block, block_bytes = _KINDS[number]
        if 0 in shape or shape[-1] % block or (block > 1 and dimensions == 1):
            self._damaged(f"{name!r} in {kind} with the shape {shape}")
        return GGUFTensor(self._path, name, kind, shape, offset, prod(shape) // block * block_bytes)

    def _placed(self, tensor: GGUFTensor, data_start: int) -> GGUFTensor:
        start, size = data_start + tensor.start, len(self._data)
        if start + tensor.nbytes > size:
            end = f"{tensor.name!r} ends at byte {start + tensor.nbytes:,} of {size:,}"
            raise ModelError(f"{self._path} is cut short: {end}; get the file again")
        return replace(tensor, start=start)

    def _aligned(self, alignment: object) -> int:
        if not isinstance(alignment, int) or not 1 <= alignment <= 1 << 20:
            self._damaged(f"an alignment of {alignment!r}")
        return -(-self._at // alignment) * alignment

    def _format(self, kind: int) -> str:
        if kind not in _SCALARS:
            self._damaged(f"a value of type {kind}")
        return _SCALARS[kind]

    def _count(self, form: str, item_bytes: int, what: str) -> int:
        """Return a count of items that the rest of the file has room for."""
        count: int = self._number(form)
        if count * item_bytes > len(self._data) - self._at:
            self._damaged(f"{count:,} {what} in {len(self._data):,} bytes")
        return count

    def _string(self) -> str:
        raw = self._bytes(self._number("Q"))
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            self._damaged(f"a string that is not UTF-8 at byte {self._at - len(raw):,}")

    def _number(self, form: str) -> Any:
        return struct.unpack("<" + form, self._bytes(struct.calcsize("<" + form)))[0]

    def _bytes(self, count: int) -> bytes:
        if count > len(self._data) - self._at:
            self._damaged(f"something of {count:,} bytes at byte {self._at:,} of {len(self._data):,}")
        self._at += count
        return self._data[self._at - count : self._at]

    def _damaged(self, what: str) -> NoReturn:
        raise ModelError(f"{self._path} is damaged: its header has {what}; get the file again")


@dataclass(frozen=True)
class _Place:
    """Which part of a model a file says it is; `number` counts from 1, as names do."""

    number: int
    count: int
    tensors: int


def read_model(path: Path) -> GGUFHeader:
    """Return the header of the model in a GGUF file, or in all parts of it if the file is one of them.

    The other parts are looked for beside it, by their names. Of a split model the metadata and the path are those of
    the first part.

    Raises:
        ModelError: as for `read_header`; also a part that is missing, or that is no part of the same model.
    """
    given = read_header(path)
    place = _place(given)
    if place is None:
        return given
    parts = []
    for number, file in enumerate(_files(path, place), 1):
        part = given if number == place.number else read_header(file)
        _check(part, number, given, place)
        parts.append(part)
    tensors = _joined(parts)
    if len(tensors) != place.tensors:
        raise ModelError(
            f"{path} and its other parts hold {len(tensors):,} tensors instead of {place.tensors:,}; get them again"
        )
    return GGUFHeader(parts[0].path, parts[0].metadata, tensors, tuple(part.path for part in parts))


def model_name(path: Path) -> str:
    """Return what a GGUF file is called, the same for every part of a split one."""
    return _PART.sub("", path.stem)


def _place(header: GGUFHeader) -> _Place | None:
    """Return which part of a model a file is; None if it is a whole one, as those are that parts were merged into."""
    count = header.metadata.get("split.count", 0)
    if _is_within(count, 0, 1):
        return None
    number: Any = header.metadata.get("split.no")
    tensors: Any = header.metadata.get("split.tensors.count")
    if not (_is_within(count, 2, _MOST_PARTS) and _is_within(number, 0, count - 1) and _is_within(tensors, 1, 1 << 32)):
        raise ModelError(
            f"{header.path} is damaged: its header says it is an impossible part, split.no {_shown(number)} of "
            f"{_shown(count)} with {_shown(tensors)} tensors; get the file again"
        )
    return _Place(number + 1, count, tensors)


def _files(path: Path, place: _Place) -> list[Path]:
    """Return all parts' files, in their order; each is there."""
    ending = f"-{place.number:05d}-of-{place.count:05d}"
    this = f"{path} is one of {place.count:,} parts of a model"
    if not path.stem.endswith(ending):
        raise ModelError(
            f"{this}, but is not called NAME{ending}.gguf, so that the others are not found; give the parts the names "
            "they had and run the same command again"
        )
    names = [f"{model_name(path)}-{number:05d}-of-{place.count:05d}" for number in range(1, place.count + 1)]
    files = [path.with_name(f"{name}{path.suffix}") for name in names]
    missing = [file.name for file in files if not file.exists()]
    if missing:
        others = f" and {len(missing) - 1:,} more are" if len(missing) > 1 else " is"
        raise ModelError(
            f"{this}, and {missing[0]}{others} missing; put all parts into one folder and run the same command again"
        )
    return files


def _check(part: GGUFHeader, number: int, given: GGUFHeader, place: _Place) -> None:
    """Refuse a file that has the name of a part and is another, or belongs to another model."""
    found = _place(part)
    if found is None or (found.number, found.count) != (number, place.count):
        what = "a whole model" if found is None else f"part {found.number:,} of {found.count:,}"
        name = f"{part.path} is called part {number:,} of {place.count:,}"
        raise ModelError(f"{name}, but is {what}; get all parts from one place")
    if found.tensors != place.tensors:
        raise ModelError(
            f"{given.path} is a part of a model of {place.tensors:,} tensors, but {part.path.name} of one of "
            f"{found.tensors:,}; get all parts from one place"
        )


def _joined(parts: list[GGUFHeader]) -> dict[str, GGUFTensor]:
    tensors: dict[str, GGUFTensor] = {}
    for part in parts:
        for name, tensor in part.tensors.items():
            if name in tensors:
                both = f"{tensors[name].file} and {part.path.name}"
                raise ModelError(f"{both} both hold {name!r}; get all parts from one place")
            tensors[name] = tensor
    return tensors


def _is_within(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, int | float | None) else "a list or a text"
