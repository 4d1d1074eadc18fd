"""Where the text stands in the tree of versions, and which numbers are taken."""

from collections.abc import Iterable
from dataclasses import replace

from billy_mlx.manuscript.history.rows import Standing, standing_of, standing_row
from billy_mlx.manuscript.history.schema import Table as Name
from billy_mlx.manuscript.history.store import HistoryStore, HistoryTable


class Place:
    """The one row of the table "standing". `now` is what it says."""

    def __init__(self, store: HistoryStore) -> None:
        self._table: HistoryTable[int] = HistoryTable(store, "standing")
        self._store = store
        self.now = self._read()

    def stand(self, head: int | None) -> None:
        """Stand at a revision."""
        self._put(replace(self.now, head=head))

    def use(self, branch: str) -> None:
        """Go on on a branch. Raises ValueError if its name cannot be encoded."""
        branch.encode()
        self._put(replace(self.now, branch=branch))

    def count(self, *, revision: int = 0, passages: Iterable[int] = (), draft: int = 0) -> None:
        """Take note of numbers that are used. Raises ValueError if they are impossible."""
        last = self.now
        self._put(
            replace(
                last,
                last_revision=max(last.last_revision, revision),
                last_passage=max(last.last_passage, *passages, 0),
                last_draft=max(last.last_draft, draft),
            )
        )

    def _put(self, standing: Standing) -> None:
        if standing != self.now:
            row = standing_row(standing)
            standing_of(row)
            self._table.put(1, row)
            self.now = standing

    def _read(self) -> Standing:
        row = self._table.get(1)
        with self._store.file.making_out():
            standing = Standing() if row is None else standing_of(row)
            self._compare("revision", standing.last_revision)
            self._compare("alternative", standing.last_passage)
            self._compare("draft", standing.last_draft)
            return standing

    def _compare(self, table: Name, last: int) -> None:
        """Look whether a table has more than it should: what is asked of an old history before it is gone on with."""
        for number in self._store.file.numbers(table, "ORDER BY 1 DESC LIMIT 1"):
            if number > last:
                raise ValueError(f"{table} {number} comes after the last one, {last}")
