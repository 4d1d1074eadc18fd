"""A tensor in a `.pt` file, read without PyTorch and without running what is in it.

A file of `torch.save` is a zip of a pickle, which describes the tensors, and of their numbers, one entry per storage.
"""

import io
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from billy_mlx.formats.vectors.limits import Floats, read_bytes, refusal
from billy_mlx.formats.vectors.torch_pickle import Storage, Strided, read_pickle

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
