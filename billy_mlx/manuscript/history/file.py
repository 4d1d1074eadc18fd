"""The history's file: rows in and out of SQLite tables, and what happens if it is damaged.

SQLite has no checksums for its pages, so each row carries one of its own. Long values are compressed.
"""

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import msgspec

from billy_mlx.errors import ManuscriptError
from billy_mlx.files import PRIVATE
from billy_mlx.text import sanitize

APPLICATION = 0x62696C79  # "bily", as a number in the header: the file of another program is recognised by it
VERSION = 1

Value = int | float | str | bytes | None
Row = tuple[Value, ...]
"""One row as it is in a table, without its checksum; the first value is its key."""

TableName = Literal["standing", "revision", "travelled", "keyframe", "draft", "alternative", "checkpoint", "branch"]

Changes = Mapping[TableName, Mapping[Any, Row | None]]
"""Rows by table and key; None for one that is to go."""

COLUMNS: dict[TableName, int] = {  # without the checksum
    "standing": 6,
    "revision": 6,
    "travelled": 2,
    "keyframe": 2,
    "draft": 3,
    "alternative": 4,
    "checkpoint": 2,
    "branch": 2,
}

KEYS: dict[TableName, str] = {
    "standing": "id",
    "revision": "id",
    "travelled": "parent",
    "keyframe": "revision",
    "draft": "id",
    "alternative": "author",
    "checkpoint": "name",
    "branch": "name",
}

# SQLite keeps these as they are written here, and a file that has others is not read.
STATEMENTS = (
    "CREATE TABLE standing(id INTEGER PRIMARY KEY, head INTEGER, branch TEXT, last_revision INTEGER, "
    "last_passage INTEGER, last_draft INTEGER, crc INTEGER)",
    "CREATE TABLE revision(id INTEGER PRIMARY KEY, parent INTEGER, kind TEXT, made REAL, draft INTEGER, edits BLOB, "
    "crc INTEGER)",
    "CREATE TABLE travelled(parent INTEGER PRIMARY KEY, child INTEGER, crc INTEGER)",
    "CREATE TABLE keyframe(revision INTEGER PRIMARY KEY, prose BLOB, crc INTEGER)",
    "CREATE TABLE draft(id INTEGER PRIMARY KEY, fate TEXT, draft BLOB, crc INTEGER)",
    "CREATE TABLE alternative(author INTEGER PRIMARY KEY, draft INTEGER, text BLOB, passage BLOB, crc INTEGER)",
    "CREATE TABLE checkpoint(name TEXT PRIMARY KEY, revision INTEGER, crc INTEGER) WITHOUT ROWID",
    "CREATE TABLE branch(name TEXT PRIMARY KEY, revision INTEGER, crc INTEGER) WITHOUT ROWID",
    "CREATE INDEX revision_line ON revision(parent) WHERE parent IS NOT id - 1",
    "CREATE INDEX revision_draft ON revision(draft) WHERE draft IS NOT NULL",
    "CREATE INDEX draft_fate ON draft(fate)",
)

LIMIT = 1 << 28
"""The longest value that is read back, in bytes: a text of 256 MB. A damaged one cannot ask for more memory."""

_LONG = 1000  # bytes; below, zlib saves next to nothing
_ZLIB = b"x"  # what zlib's output begins with, and JSON never does; a text that does is always compressed

# What the disk, the system or another program is the cause of: the file itself may be as good as ever.
_PASSING = {
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}


class HistoryDamaged(ManuscriptError):
    """The file holds something else than what was written to it; `why` says it in a few words."""

    def __init__(self, path: Path, why: str) -> None:
        self.why = why
        super().__init__(
            f"the history in {path} is damaged ({why}); the text itself is whole: "
            "open the manuscript again, and a new history is begun"
        )


class HistoryFile:
    """The file at `path`, open for one reader and one writer at a time, which do not wait for each other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reader: sqlite3.Connection | None = None
        self._writer: sqlite3.Connection | None = None
        self._reading = Lock()

    def open(self) -> None:
        """Open the file that is there.

        Raises:
            HistoryDamaged: it is no history that this version can read.
            ManuscriptError: it cannot be opened now.
        """
        try:
            if self._mark.exists():
                raise ValueError("it was found to be damaged when it was last used")
            self._reader = connect(self.path)
            check(self._reader)
            self._writer = connect(self.path)
        except (sqlite3.Error, OSError, ValueError) as error:
            self.close()
            raise self.unreadable(error) from error

    def create(self) -> sqlite3.Connection:
        """Begin an empty file and return its writer; what is there is set aside.

        Raises:
            OSError, sqlite3.Error: the folder cannot be written or the disk is full.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.set_aside()  # a stray -wal file would be taken for the new file's own
        fresh = self.path.with_name(f"{self.path.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.touch(PRIVATE)  # SQLite gives the files beside it the same mode
        with closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
            connection.executescript(";".join(("BEGIN", *STATEMENTS, "COMMIT")))
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("PRAGMA journal_mode = WAL")
        fresh.replace(self.path)
        self._writer, self._reader = connect(self.path), connect(self.path)
        return self._writer

    def set_aside(self) -> Path | None:
        """Rename the file, and what SQLite keeps beside it, and return the new name; None if there was nothing.

        Raises:
            OSError: the folder cannot be written.
        """
        endings = [ending for ending in ("", "-wal", "-shm", "-journal") if _beside(self.path, ending).exists()]
        kept = _free_name(self.path)
        for ending in endings:
            _beside(self.path, ending).rename(_beside(kept, ending))
        self._mark.unlink(missing_ok=True)
        return kept if endings else None

    def replace_damaged(self, damage: HistoryDamaged) -> str:
        """Set a damaged file aside and return what to tell the writer.

        Raises:
            ManuscriptError: the folder cannot be written.
        """
        try:
            kept = self.set_aside()
        except OSError as error:
            raise ManuscriptError(
                f"the history in {self.path} is damaged and could not be renamed ({sanitize(str(error))}); "
                "the text itself is whole: make the folder writable, then open the manuscript again"
            ) from error
        where = "is gone" if kept is None else f"is kept as {kept.name}"
        return (
            f"the older versions of this text cannot be read ({damage.why}): their file {where}; "
            "the text itself is complete, and a new history starts with it"
        )

    def read(self, table: TableName, condition: str = "", *values: object) -> list[Row]:
        """Return the rows of `table` that fulfil an SQL condition.

        Raises:
            HistoryDamaged: they are not what was written.
            ManuscriptError: they cannot be read now.
        """
        reader = self._reader
        if reader is None:
            return []
        with self.making_out(), self._reading:
            rows = reader.execute(f"SELECT * FROM {table} {condition}", values).fetchall()
        with self.making_out():
            return [without_checksum(table, row) for row in rows]

    def numbers(self, table: TableName, condition: str = "") -> list[int]:
        """Return the keys of rows, without a look at the rows. Raises ManuscriptError if they cannot be read."""
        if self._reader is None:
            return []
        with self.making_out(), self._reading:
            return [key for (key,) in self._reader.execute(f"SELECT {KEYS[table]} FROM {table} {condition}")]

    @contextmanager
    def making_out(self) -> Iterator[None]:
        """Turn whatever damaged rows lead to into one error, and mark the file, so that it is set aside."""
        try:
            yield
        except sqlite3.ProgrammingError:  # used after it was closed, say: no fault of the file
            raise
        except (ValueError, sqlite3.DatabaseError) as error:
            raise self.unreadable(error) from error

    def write(self, changes: Changes) -> None:
        """Make all of `changes` or none.

        Raises:
            OSError, sqlite3.Error: none was made.
        """
        with transaction(self._writer or self.create()) as writer:
            for table, rows in changes.items():
                _write(writer, table, rows)

    def mark_damaged(self) -> None:
        """Mark the file, so that it is set aside when it is next opened."""
        with suppress(OSError):  # a folder that cannot be written: the damage will be met again
            self._mark.touch(PRIVATE)

    def close(self) -> None:
        """Close it; reading from it is an error from now on."""
        for connection in (self._reader, self._writer):
            if connection is not None:
                connection.close()

    def unreadable(self, error: Exception) -> ManuscriptError:
        """Return what to raise for an error met while reading; damage is marked."""
        if is_damage(error):
            self.mark_damaged()
            return HistoryDamaged(self.path, sanitize(str(error)))
        return ManuscriptError(
            f"the history in {self.path} cannot be read now ({sanitize(str(error))}); the text itself is whole: "
            "see that the file is readable and not in use by another program, then open the manuscript again"
        )

    @property
    def _mark(self) -> Path:
        return self.path.with_name(f"{self.path.name}.damaged")


def _write(connection: sqlite3.Connection, table: TableName, rows: Mapping[Any, Row | None]) -> None:
    marks = ", ".join("?" * (COLUMNS[table] + 1))
    kept = (with_checksum(table, row) for row in rows.values() if row is not None)
    connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", kept)
    _delete(connection, table, (key for key, row in rows.items() if row is None))


def _delete(connection: sqlite3.Connection, table: TableName, keys: Iterable[Any]) -> None:
    connection.executemany(f"DELETE FROM {table} WHERE {KEYS[table]} = ?", ((key,) for key in keys))


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _free_name(path: Path) -> Path:
    taken = {file.name for file in path.parent.iterdir()}
    number = 1
    while any(name.startswith(f"{path.stem}.damaged-{number}{path.suffix}") for name in taken):
        number += 1
    return path.with_name(f"{path.stem}.damaged-{number}{path.suffix}")


def with_checksum(table: TableName, row: Row) -> Row:
    """Return a row as it is stored: long bytes compressed, and a checksum at its end."""
    packed = tuple(_packed(value) if isinstance(value, bytes) else value for value in row)
    return (*packed, _checksum(table, packed))


def without_checksum(table: TableName, stored: Row) -> Row:
    """Return the row that `with_checksum` was given.

    Raises:
        ValueError: it was given another one.
    """
    *packed, checksum = stored
    if len(packed) != COLUMNS[table] or _checksum(table, tuple(packed)) != checksum:
        raise ValueError(f"a row of the table {table} has changed by itself")
    return tuple(_unpacked(value) if isinstance(value, bytes) else value for value in packed)


def _checksum(table: TableName, row: Row) -> int:
    return zlib.crc32(msgspec.msgpack.encode(row), zlib.crc32(table.encode()))


def _packed(data: bytes) -> bytes:
    return zlib.compress(data, 1) if len(data) >= _LONG or data.startswith(_ZLIB) else data


def _unpacked(data: bytes) -> bytes:
    if not data.startswith(_ZLIB):
        return data
    stream = zlib.decompressobj()
    try:
        unpacked = stream.decompress(data, LIMIT)
    except zlib.error as error:
        raise ValueError(f"compressed bytes cannot be read: {error}") from error
    if not stream.eof:
        raise ValueError("compressed bytes end too early, or are too long")
    return unpacked


def connect(path: Path) -> sqlite3.Connection:
    """Open a file that exists. Whatever SQL a stranger's file may hold is not trusted; what is too large is refused."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, timeout=0.25, isolation_level=None, check_same_thread=False)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LIMIT)
    for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "synchronous = FULL", "fullfsync = ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("PRAGMA checkpoint_fullfsync = ON")
    return connection


def check(connection: sqlite3.Connection) -> None:
    """Look at the header and the schema: no more, so that a long history opens as fast as a short one.

    Raises:
        ValueError: they are not a history's.
    """
    names = ("application_id", "user_version", "journal_mode")
    application, version, journal = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
    if application != APPLICATION:
        raise ValueError("it is no history of a manuscript")
    if version > VERSION:
        raise ValueError("a newer version of billy made it")
    statements = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master LIMIT 100")}
    if version != VERSION or statements != set(STATEMENTS):
        raise ValueError("its tables are not those of a history")
    if journal != "wal":
        connection.execute("PRAGMA journal_mode = WAL")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Make all that is written inside the block or, after an error, nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def is_damage(error: Exception) -> bool:
    """Return whether an error means that the file is not what was written, rather than out of reach."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF not in _PASSING
    return isinstance(error, ValueError)
