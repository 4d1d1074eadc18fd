"""The journal: an append-only file of records, written down at once and never lost but for a torn end.

    8 bytes "BILLYJ01", then for each record: length (u32), CRC-32 of the length and the record (u32), the record

Whatever happens to the file, what can be read of it is a beginning of what was written.
"""

import contextlib
import errno
import os
import struct
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path

from billy_mlx.errors import ManuscriptError
from billy_mlx.files import PRIVATE, read_all, reading, replace_file, sync, write_all

MAGIC = b"BILLYJ01"
MAX_RECORD = 1 << 28
MAX_FILE = 1 << 32
_HEAD = struct.Struct("<II")
_CLOSED = -1  # no file: another may get the number of one that was closed


@dataclass(frozen=True)
class Journalled:
    """What can be read of a journal.

    Attributes:
        records: in order.
        valid_bytes: where the last of them ends; 0 if there is no journal.
        damage: what is wrong behind that; None if nothing is.
    """

    records: tuple[bytes, ...] = ()
    valid_bytes: int = 0
    damage: str | None = None


def read_journal(path: Path) -> Journalled:
    """Read a journal up to where it is damaged.

    Raises:
        ManuscriptError: it is there, but out of reach.
    """
    try:
        with reading(path) as handle:
            data = read_all(handle, MAX_FILE)
    except (FileNotFoundError, NotADirectoryError):
        return Journalled()
    except OSError as error:
        raise _unreadable(path, error) from error
    return _parse(data)


class Journal:
    """A journal being written. `append` may run while another thread is in `sync`.

    A record that cannot be written waits in memory, and so do those after it: each later call tries again.

    Attributes:
        size: bytes in the file that are whole records.
        unsynced: whether something was written since the last sync.
    """

    def __init__(self, path: Path, handle: int, size: int) -> None:
        self.size = size
        self.unsynced = False
        self._path = path
        self._handle = handle
        self._write_failure: str | None = None
        self._sync_failure: str | None = None
        self._torn = False
        self._waiting: list[bytes] = []
        self._lock = threading.Lock()
        self._syncing = threading.Lock()

    @classmethod
    def create(cls, path: Path, first: bytes) -> "Journal":
        """Begin a journal with its first record, in the place of the one that may be there.

        Raises:
            ManuscriptError: it cannot be written; the old one stands as it was.
        """
        content = MAGIC + _framed(first)
        try:
            return cls(path, _replaced(path, content), len(content))
        except OSError as error:
            raise _unwritable(path, error) from error

    @classmethod
    def open(cls, path: Path, valid_bytes: int) -> "Journal":
        """Go on with a journal behind its last whole record.

        Raises:
            ManuscriptError: it cannot be opened, or its torn end not be cut off.
        """
        try:
            handle = _open_at_end(path)
            try:
                os.ftruncate(handle, valid_bytes)
            except OSError:
                os.close(handle)
                raise
        except OSError as error:
            raise _unwritable(path, error) from error
        return cls(path, handle, valid_bytes)

    @property
    def failure(self) -> str | None:
        """Why records wait in memory or may not be on the disk; None while all is well."""
        return self._write_failure or self._sync_failure

    @property
    def waiting(self) -> int:
        """How many records are in memory only."""
        return len(self._waiting)

    def append(self, record: bytes) -> None:
        """Write a record down. It survives the program at once, and a power cut after the next `sync`."""
        with self._lock:
            self._waiting.append(_framed(record))
            self._write()

    def sync(self) -> None:
        """Wait until what was written is on the disk itself; `failure` says if it may not be."""
        with self._syncing:
            with self._lock:
                self._write()
                handle = self._handle
                due, self.unsynced = self.unsynced, False
            if not due:
                return
            try:
                if self._sync_failure is None:
                    sync(handle)
                else:
                    self._renew()
                self._sync_failure = None
            except OSError as error:
                self.unsynced = True
                self._sync_failure = str(_unwritable(self._path, error))

    def restart(self, first: bytes) -> None:
        """Begin anew with one record that holds all there is, those that wait included.

        Raises:
            ManuscriptError: it cannot be written; the journal goes on as it was.
        """
        with self._syncing, self._lock:
            fresh = Journal.create(self._path, first)
            self._go_on_with(fresh._handle)
            self.size = fresh.size
            self._waiting.clear()
            self._torn = self.unsynced = False
            self._write_failure = self._sync_failure = None

    def close(self) -> None:
        """Sync, and let go of the file."""
        self.sync()
        with self._syncing, self._lock:
            self._go_on_with(_CLOSED)

    def _renew(self) -> None:
        """Write the whole file again, elsewhere: after a sync that failed, the next may succeed without the data."""
        with self._lock, reading(self._path) as handle:
            content = read_all(handle, self.size)
            if _parse(content).valid_bytes != self.size:
                raise OSError(errno.EIO, "what was written is not there any more")
            self._go_on_with(_replaced(self._path, content))
            self._torn = False

    def _go_on_with(self, handle: int) -> None:
        with contextlib.suppress(OSError):
            os.close(self._handle)
        self._handle = handle

    def _write(self) -> None:
        """Write what waits, in one call; a part that was written is cut off again, so that nothing follows garbage."""
        if not self._waiting:
            return
        content = b"".join(self._waiting)
        try:
            if self._torn:
                os.ftruncate(self._handle, self.size)
                self._torn = False
            self._torn = True
            write_all(self._handle, content)
        except OSError as error:
            self._write_failure = str(_unwritable(self._path, error))
            with contextlib.suppress(OSError):
                os.ftruncate(self._handle, self.size)
                self._torn = False
            return
        self._torn = False
        self._waiting.clear()
        self.size += len(content)
        self.unsynced = True
        self._write_failure = None


def _parse(data: bytes) -> Journalled:
    if not data.startswith(MAGIC):
        return Journalled(damage="it does not begin as a journal of this version does" if data else "it is empty")
    records: list[bytes] = []
    at = len(MAGIC)
    while at < len(data):
        if at + _HEAD.size > len(data):
            return Journalled(tuple(records), at, "its last record is torn")
        length, checksum = _HEAD.unpack_from(data, at)
        end = at + _HEAD.size + length
        if length > MAX_RECORD or end > len(data):
            return Journalled(tuple(records), at, "its last record is torn")
        record = data[at + _HEAD.size : end]
        if zlib.crc32(record, zlib.crc32(data[at : at + 4])) != checksum:
            return Journalled(tuple(records), at, "one of its records is damaged")
        records.append(record)
        at = end
    return Journalled(tuple(records), at)


def _framed(record: bytes) -> bytes:
    if len(record) > MAX_RECORD:
        raise ValueError(f"a record of {len(record)} bytes is too long for a journal")
    length = struct.pack("<I", len(record))
    return _HEAD.pack(len(record), zlib.crc32(record, zlib.crc32(length))) + record


def _replaced(path: Path, content: bytes) -> int:
    """Make a file anew and return it, open; on an OSError the old one is in its place.

    It is opened before it takes its name: a journal that cannot be opened must not replace one that is.
    """
    handles: list[int] = []
    try:
        replace_file(path, content, before=lambda new: handles.append(_open_at_end(new)), mode=PRIVATE)
    except OSError:
        for handle in handles:
            with contextlib.suppress(OSError):
                os.close(handle)
        raise
    return handles[0]


def _open_at_end(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)


def _unreadable(path: Path, error: OSError) -> ManuscriptError:
    return ManuscriptError(
        f"{path} cannot be read: {error.strerror or error}; it has what was not saved: put that right"
    )


def _unwritable(path: Path, error: OSError) -> ManuscriptError:
    return ManuscriptError(
        f"what you write is not safe from a crash: {path} cannot be written: {error.strerror or error}; save the text, "
        "and make room or put that right"
    )
