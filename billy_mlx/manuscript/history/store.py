"""The history's tables as they will be once all is written: rows that wait in memory stand before those of the file."""

import sqlite3
from collections.abc import Iterator
from threading import Lock, RLock
from typing import Any, Generic, TypeVar

from billy_mlx.manuscript.draft import Alternative, Draft, Fate
from billy_mlx.manuscript.history.file import KEYS, HistoryFile, Row, TableName, is_damage
from billy_mlx.manuscript.history.rows import (
    alternative_of,
    alternative_row,
    draft_authors,
    draft_of,
    draft_rows,
    uses_of,
)
from billy_mlx.manuscript.passage import Passage
from billy_mlx.manuscript.prose import Author
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

    def __init__(self, store: HistoryStore, name: TableName) -> None:
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


class DraftTables:
    """All drafts. Alternatives have rows of their own, so that the one who wrote a span is found at once."""

    def __init__(self, store: HistoryStore) -> None:
        self._store = store
        self._drafts: HistoryTable[int] = HistoryTable(store, "draft")
        self._alternatives: HistoryTable[int] = HistoryTable(store, "alternative")

    def put(self, draft: Draft) -> None:
        """Keep a draft as it is now. Raises ValueError if its values do not fit together."""
        row, alternatives = draft_rows(draft)
        with self._store.lock:
            self._drafts.put(draft.id, row)
            for alternative, one in zip(alternatives, draft.alternatives, strict=True):
                self._alternatives.put(one.author, alternative)

    def put_passage(self, author: Author, passage: Passage) -> None:
        """Keep how an alternative was made. Raises ValueError if it cannot be written down."""
        row = alternative_row(None, Alternative(author, passage.text, passage))
        held = self._alternatives.get(author)
        self._alternatives.put(author, row if held is None else (*held[:3], row[3]))

    def find(self, id: int) -> Draft | None:
        """Return a draft; None if there is none of this number."""
        row = self._drafts.get(id)
        if row is None:
            return None
        with self._store.file.making_out():
            return draft_of(row, {author: self._alternative(author) for author in draft_authors(row)})

    def all(self, fate: Fate | None) -> Iterator[Draft]:
        """Yield the drafts of this fate, or all, oldest first."""
        rows = self._drafts.overlay() if fate is None else self._drafts.overlay("WHERE fate = ?", str(fate))
        for id in sorted(id for id, row in rows.items() if fate in (None, row[1])):
            draft = self.find(id)
            if draft is not None:
                yield draft

    def uses(self) -> dict[int, tuple[tuple[int, Author], ...]]:
        """Return by draft the revisions that put it into the text, each with the alternative that it put there."""
        with self._store.file.making_out():
            return {id: uses_of(row) for id, row in self._drafts.overlay().items()}

    def alternative(self, author: Author) -> Alternative | None:
        """Return the alternative of this number; None if there is none."""
        row = self._alternatives.get(author)
        if row is None:
            return None
        with self._store.file.making_out():
            return alternative_of(row)

    def _alternative(self, author: Author) -> Row:
        row = self._alternatives.get(author)
        if row is None:
            raise ValueError(f"alternative {author} is missing")
        return row
