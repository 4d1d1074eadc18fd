"""What a GGUF file says it holds: metadata and where each tensor lies, read without believing any length in it.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian.
"""

import mmap
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
            self._damaged("two tensors have the same name")
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
            self._damaged(f"{name!r} has {dimensions} dimensions")
        shape = tuple(self._number("Q") for _ in range(dimensions))[::-1]
        number, offset = self._number("I"), self._number("Q")
        if number not in _KINDS:
            known = ", ".join(kind for kind, _, _ in _KINDS.values())
            kind = _UNREAD.get(number, f"of type {number}")
            raise ModelError(f"{name!r} in {self._path} is {kind}, which cannot be read; choose a file in {known}")
        kind, block, block_bytes = _KINDS[number]
        if 0 in shape or shape[-1] % block or (block > 1 and dimensions == 1):
            self._damaged(f"{name!r} in {kind} has the shape {shape}")
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
        raise ModelError(f"{self._path} is damaged: its header tells of {what}; get the file again")
