"""A tensor in a `.pt` file, read without PyTorch and without running what is in it.

A file of `torch.save` is a zip of a pickle, which describes the tensors, and of their numbers, one entry per storage.
A pickle is a program for a small machine. Python's own unpickler looks up whatever the program names and calls it, and
even with a list of what may be looked up a program can hang it or fill the memory. The machine here knows the two dozen
instructions that `torch.save` writes for tensors, and in place of calling anything it notes down what a tensor is.
"""

import io
import pickletools
import re
import struct
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from billy_mlx.formats.vectors.limits import Floats, read_bytes, refusal
from billy_mlx.text import sanitize

MAX_FILE_BYTES = 1 << 26
"""Vectors for the largest models there are, in doubles, take a third of it."""

_MOST_ENTRIES = 1000
_ENTRY = b"PK\x01\x02"  # begins the description of an entry in a zip's directory
_DTYPES = {"Float": "<f4", "Half": "<f2", "BFloat16": "<u2", "Double": "<f8"}
# What zipfile raises on bytes that were never a zip.
_BAD_ZIP = (
    zipfile.BadZipFile, EOFError, LookupError, NotImplementedError, OSError, OverflowError, RuntimeError, ValueError,
    struct.error,
)  # fmt: skip

MAX_BYTES = 1 << 18
"""A tensor takes some 150 bytes, and this many take less than a second."""

_MOST_DIMENSIONS = 8
_MARK = object()
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": (), "MARK": _MARK}
_VALUES = {"BININT", "BININT1", "BININT2", "LONG1", "BINUNICODE", "SHORT_BINUNICODE"}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_NOTHING = {"PROTO", "FRAME", "STOP"}


@dataclass(frozen=True)
class Storage:
    """Numbers in a row: `count` of the type `kind` (Float, Half, BFloat16, Double), in the zip entry `data/{key}`."""

    key: str
    kind: str
    count: int


@dataclass(frozen=True)
class Strided:
    """A tensor: which numbers of a storage it is. Offset and strides are in numbers, and none is used twice."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class TensorRows:
    """The one tensor of a file: `values` (rows, D) float32, whatever the rows are."""

    path: Path
    values: Floats


def read_rows(path: Path) -> TensorRows:
    """Return the tensor in a `.pt` file, which may lie in a dictionary but must be the only one, as float32.

    Raises:
        VectorError: the file is missing, damaged, in the format of before 2020, holds something else than one matrix
            of floats, or a pickle that would run something.
    """
    data = read_bytes(path, MAX_FILE_BYTES, "a vector")
    if not data.startswith(b"PK"):
        raise refusal(path, "it is in the format of PyTorch before 1.6; load it and save it again with a newer one")
    if data.count(_ENTRY) > _MOST_ENTRIES:
        raise refusal(path, f"it has more than {_MOST_ENTRIES} entries, and a vector has a handful")
    try:
        return TensorRows(path, _tensor(_Archive(data)))
    except _BAD_ZIP as error:
        raise refusal(path, str(error) or "it is not a whole zip; get the file again") from error


class _Archive:
    """A zip of `torch.save`: all its entries lie in one folder, are stored as they are and fit into the file."""

    def __init__(self, data: bytes) -> None:
        self._zip = zipfile.ZipFile(io.BytesIO(data))
        self._most = len(data)
        entries = self._zip.infolist()
        self._entries = {entry.filename: entry for entry in entries}
        if len(self._entries) < len(entries):
            raise ValueError("two of its entries have the same name")
        pickles = [name for name in self._entries if name.endswith("/data.pkl") and name.count("/") == 1]
        if len(pickles) != 1:
            raise ValueError("it is a zip, but not one that torch.save wrote")
        self._folder = pickles[0].removesuffix("data.pkl")

    def read(self, name: str) -> bytes:
        entry = self._entries.get(f"{self._folder}{name}")
        if entry is None:
            raise ValueError(f"its entry {name} is missing")
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1 or entry.file_size > self._most:
            raise ValueError(f"its entry {name} is compressed or encrypted, which torch.save never does")
        return self._zip.read(entry)

    def has(self, name: str) -> bool:
        return f"{self._folder}{name}" in self._entries


def _tensor(archive: _Archive) -> Floats:
    if archive.has("byteorder") and archive.read("byteorder") != b"little":
        raise ValueError("it was saved on a machine with another byte order; save it again on a common one")
    found = read_pickle(archive.read("data.pkl"))
    tensors = [
        value for value in (found.values() if isinstance(found, dict) else [found]) if isinstance(value, Strided)
    ]
    if len(tensors) != 1:
        raise ValueError(f"it holds {len(tensors)} tensors, and one is read; save that one alone")
    tensor = tensors[0]
    if len(tensor.shape) != 2 or 0 in tensor.shape:
        raise ValueError(f"its tensor has the shape {tensor.shape}, not (layers, width)")
    numbers = _numbers(tensor.storage, archive.read(f"data/{tensor.storage.key}"))
    strides = [stride * numbers.itemsize for stride in tensor.strides]
    view = np.ndarray(tensor.shape, numbers.dtype, numbers, tensor.offset * numbers.itemsize, strides)
    with np.errstate(over="ignore"):  # a double beyond float32 becomes infinite, and is refused as that
        return np.ascontiguousarray(view, np.float32)


def _numbers(storage: Storage, data: bytes) -> NDArray[np.floating]:
    dtype = np.dtype(_DTYPES[storage.kind])
    if len(data) != storage.count * dtype.itemsize:
        raise ValueError(f"{storage.count:,} numbers of its tensor are in {len(data):,} bytes; get the file again")
    numbers = np.frombuffer(data, dtype)
    if storage.kind == "BFloat16":  # the upper half of a float32
        return (numbers.astype(np.uint32) << 16).view(np.float32)
    return numbers


class _Known(Enum):
    """All that a pickle may name. It is never looked up: here it stands for itself."""

    TENSOR = "torch._utils._rebuild_tensor_v2"
    PARAMETER = "torch._utils._rebuild_parameter"
    DICTIONARY = "collections.OrderedDict"
    FLOAT = "torch.FloatStorage"
    HALF = "torch.HalfStorage"
    BFLOAT16 = "torch.BFloat16Storage"
    DOUBLE = "torch.DoubleStorage"


_KINDS = {_Known.FLOAT: "Float", _Known.HALF: "Half", _Known.BFLOAT16: "BFloat16", _Known.DOUBLE: "Double"}


def read_pickle(data: bytes) -> object:
    """Return what the pickle describes: a `Strided`, a dictionary of such by name, or another plain value.

    Raises:
        ValueError: it is damaged, or names or does what a tensor does not need; the text says what, as the end of a
            sentence.
    """
    if len(data) > MAX_BYTES:
        raise ValueError(f"its pickle has {len(data):,} bytes, and a tensor's has at most {MAX_BYTES:,}")
    machine = _Machine()
    try:
        with warnings.catch_warnings(action="ignore"):  # of escapes in texts of a kind that is refused anyway
            for instruction, argument, _ in pickletools.genops(data):
                machine.run(instruction.name, argument)
    except (IndexError, KeyError) as error:  # takes from an empty stack, or what was never kept
        raise ValueError("its pickle is damaged") from error
    return machine.result()


class _Machine:
    """The stack and the memo of a pickle, for the few instructions there are."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def result(self) -> object:
        if len(self._stack) != 1:
            raise ValueError("its pickle is damaged")
        return self._stack[0]

    def run(self, instruction: str, argument: Any) -> None:
        if instruction in _VALUES:
            self._stack.append(argument)
        elif instruction in _CONSTANTS:
            self._stack.append(_CONSTANTS[instruction])
        elif instruction in _TUPLES:
            self._stack[-_TUPLES[instruction] :] = [tuple(self._last(_TUPLES[instruction]))]
        elif instruction in ("BINPUT", "LONG_BINPUT", "MEMOIZE"):
            self._memo[len(self._memo) if argument is None else argument] = self._stack[-1]
        elif instruction in ("BINGET", "LONG_BINGET"):
            self._stack.append(self._memo[argument])
        elif instruction not in _NOTHING:
            self._build(instruction, argument)

    def _build(self, instruction: str, argument: Any) -> None:
        match instruction:
            case "EMPTY_DICT":
                self._stack.append({})
            case "TUPLE":
                self._stack.append(tuple(self._since_mark()))
            case "GLOBAL" | "INST":
                self._stack.append(_known(*argument.split(" ", 1)))
            case "STACK_GLOBAL":
                name, module = self._stack.pop(), self._stack.pop()
                self._stack.append(_known(module, name))
            case "BINPERSID":
                self._stack.append(_storage(self._stack.pop()))
            case "REDUCE":
                arguments, function = self._stack.pop(), self._stack.pop()
                self._stack.append(_made(function, arguments))
            case "SETITEM":
                value, key = self._stack.pop(), self._stack.pop()
                self._set([key, value])
            case "SETITEMS":
                self._set(self._since_mark())
            case _:
                raise _does_more(instruction)

    def _last(self, count: int) -> list[Any]:
        if len(self._stack) < count:
            raise IndexError
        return self._stack[-count:]

    def _since_mark(self) -> list[Any]:
        items: list[Any] = []
        while (item := self._stack.pop()) is not _MARK:
            items.append(item)
        return items[::-1]

    def _set(self, items: Sequence[Any]) -> None:
        target, keys = self._stack[-1], items[::2]
        # Text only: a tuple of tuples of tuples takes for ever to hash, and to print as well.
        if not isinstance(target, dict) or len(items) % 2 or not all(isinstance(key, str) for key in keys):
            raise _does_more("SETITEMS")
        target.update(zip(keys, items[1::2], strict=True))


def _known(module: object, name: object = "") -> _Known:
    if not isinstance(module, str) or not isinstance(name, str):
        raise _does_more("STACK_GLOBAL")
    try:
        return _Known(f"{module}.{name}")
    except ValueError:
        wanted = sanitize(f"{module}.{name}")[:80]
        raise ValueError(f"it wants to run {wanted!r}, which no tensor needs; nothing of it was run") from None


def _does_more(instruction: str) -> ValueError:
    return ValueError(f"its pickle does more than describe a tensor ({instruction})")


def _made(function: object, arguments: object) -> object:
    match function, arguments:
        case _Known.DICTIONARY, ():
            return {}
        case _Known.PARAMETER, (Strided() as tensor, _, _):
            return tensor
        case _Known.TENSOR, (Storage() as storage, offset, shape, strides, _, _, *_):
            return _strided(storage, offset, shape, strides)
    raise _does_more("REDUCE")


def _storage(identifier: object) -> Storage:
    match identifier:
        case ("storage", _Known() as known, str() as key, str(), int() as count) if known in _KINDS:
            if re.fullmatch(r"[0-9]{1,9}", key) and count >= 0:
                return Storage(key, _KINDS[known], count)
    raise _does_more("BINPERSID")


def _strided(storage: Storage, offset: object, shape: object, strides: object) -> Strided:
    (start,), sizes, steps = _counts((offset,)), _counts(shape), _counts(strides)
    if len(sizes) != len(steps) or len(sizes) > _MOST_DIMENSIONS:
        raise ValueError("the shape of its tensor does not fit its strides")
    # No number twice: a shape of any size could be made of a single one, and would fill the memory.
    span = 1
    for step, size in sorted((step, size) for size, step in zip(sizes, steps, strict=True) if size > 1):
        if step < span:
            raise ValueError(f"its tensor of shape {sizes} uses numbers twice")
        span += step * (size - 1)
    if prod(sizes) and start + span > storage.count:
        raise ValueError(f"its tensor of shape {sizes} goes beyond the {storage.count:,} numbers there are")
    return Strided(storage, start, sizes, steps)


def _counts(values: object) -> tuple[int, ...]:
    if not isinstance(values, tuple) or not all(type(value) is int and value >= 0 for value in values):
        raise ValueError("the shape of its tensor is not made of whole numbers")
    return values
