"""The history's file: rows in and out of SQLite, each with its checksum, and what happens if it is damaged."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any

from billy_mlx.errors import ManuscriptError
from billy_mlx.files import PRIVATE
from billy_mlx.manuscript.history.connection import check, connect, is_damage, transaction
from billy_mlx.manuscript.history.schema import APPLICATION, COLUMNS, KEYS, STATEMENTS, VERSION, Row, Table
from billy_mlx.manuscript.history.seal import sealed, unsealed
from billy_mlx.text import sanitize

Changes = Mapping[Table, Mapping[Any, Row | None]]
"""Rows by table and key; None for one that is to go."""


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

    def read(self, table: Table, condition: str = "", *values: object) -> list[Row]:
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
            return [unsealed(table, row) for row in rows]

    def numbers(self, table: Table, condition: str = "") -> list[int]:
        """Return the keys of rows, without a look at the rows. Raises ManuscriptError if they cannot be read."""
        if self._reader is None:
            return []
        with self.making_out(), self._reading:
            return [key for (key,) in self._reader.execute(f"SELECT {KEYS[table]} FROM {table} {condition}")]

    @contextmanager
    def making_out(self) -> Iterator[None]:
        """Turn whatever damaged rows lead to into one error, and note that the file is to be set aside."""
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
        """Have the file set aside when it is opened next."""
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


def _write(connection: sqlite3.Connection, table: Table, rows: Mapping[Any, Row | None]) -> None:
    marks = ", ".join("?" * (COLUMNS[table] + 1))
    kept = (sealed(table, row) for row in rows.values() if row is not None)
    connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", kept)
    _delete(connection, table, (key for key, row in rows.items() if row is None))


def _delete(connection: sqlite3.Connection, table: Table, keys: Iterable[Any]) -> None:
    connection.executemany(f"DELETE FROM {table} WHERE {KEYS[table]} = ?", ((key,) for key in keys))


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _free_name(path: Path) -> Path:
    taken = {file.name for file in path.parent.iterdir()}
    number = 1
    while any(name.startswith(f"{path.stem}.damaged-{number}{path.suffix}") for name in taken):
        number += 1
    return path.with_name(f"{path.stem}.damaged-{number}{path.suffix}")
