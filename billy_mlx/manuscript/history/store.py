"""The history's tables as they will be once all is written: rows that wait in memory stand before those of the file."""

import sqlite3
from threading import Lock, RLock
from typing import Any, Generic, TypeVar

from billy_mlx.manuscript.history import schema
from billy_mlx.manuscript.history.connection import is_damage
from billy_mlx.manuscript.history.file import HistoryFile
from billy_mlx.manuscript.history.schema import KEYS, Row
from billy_mlx.text import sanitize

Key = TypeVar("Key", int, str)


class HistoryStore:
    """All tables of a file, and what of them is not yet written.

    Attributes:
        file: where they are kept.
        lock: held for moments, so that what waits changes as one; never while the disk works.
        failure: why the last flush did not reach the disk; None once one has.
    """

    def __init__(self, file: HistoryFile, failure: str | None = None) -> None:
        self.file = file
        self.lock = RLock()
        self.failure = failure
        self._tables: list[HistoryTable[Any]] = []
        self._flushing = Lock()

    def add(self, table: "HistoryTable[Any]") -> None:
        """Take a table into what is flushed."""
        self._tables.append(table)

    def flush(self) -> None:
        """Write all that waits in one transaction. If that fails, it goes on waiting and `failure` says why."""
        with self._flushing:
            with self.lock:
                waiting = {table.name: dict(table.pending) for table in self._tables if table.pending}
            if not waiting:
                return
            try:
                self.file.write(waiting)
            except (sqlite3.Error, OSError) as error:
                self.failure = self._why(error)
                return
            with self.lock:
                for table in self._tables:
                    table.let_go(waiting.get(table.name, {}))
            self.failure = None

    def close(self) -> None:
        """Let go of the file, once a flush that is under way has ended."""
        with self._flushing:
            self.file.close()

    def _why(self, error: Exception) -> str:
        if is_damage(error):
            self.file.mark_damaged()
        return could_not_save(self.file, error)


class HistoryTable(Generic[Key]):
    """One table. A change is seen at once and waits in `pending`, by key; None is a row that is to go."""

    def __init__(self, store: HistoryStore, name: schema.Table) -> None:
        self.name = name
        self.pending: dict[Key, Row | None] = {}
        self._store = store
        store.add(self)

    def put(self, key: Key, row: Row | None) -> None:
        """Change or, with None, delete a row."""
        with self._store.lock:
            self.pending[key] = row

    def get(self, key: Key) -> Row | None:
        """Return a row; None if there is none. Raises ManuscriptError if it cannot be read."""
        with self._store.lock:
            if key in self.pending:
                return self.pending[key]
        # If it was written meanwhile, it left `pending` only after that, and is in the file.
        return next(iter(self._store.file.read(self.name, f"WHERE {KEYS[self.name]} = ?", key)), None)

    def overlay(self, condition: str = "", *values: object) -> dict[Any, Row]:
        """Return the rows of the file that fulfil an SQL condition and all that wait, whether they do or not, by key.

        Raises:
            ManuscriptError: they cannot be read.
        """
        with self._store.lock:
            waiting = dict(self.pending)
        stored: dict[Any, Row | None] = {row[0]: row for row in self._store.file.read(self.name, condition, *values)}
        return {key: row for key, row in (stored | waiting).items() if row is not None}

    def let_go(self, rows: dict[Key, Row | None]) -> None:
        """Forget rows that are in the file now, but not those that have changed since they were taken from here."""
        for key, row in rows.items():
            if self.pending.get(key, ()) is row:
                del self.pending[key]


def could_not_save(file: HistoryFile, error: Exception) -> str:
    """Return what to tell the writer when the history cannot be written."""
    return (
        f"the history was not saved to {file.path} ({sanitize(str(error))}); the text itself is kept elsewhere; "
        "free some space on the disk or make the folder writable: the next flush tries again"
    )
