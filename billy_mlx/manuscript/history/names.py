"""Names of revisions: checkpoints and branches."""

from collections.abc import Iterator, MutableMapping
from typing import Literal

from billy_mlx.manuscript.history.rows import name_of, name_row
from billy_mlx.manuscript.history.store import HistoryStore, HistoryTable
from billy_mlx.manuscript.history.tree import Tree


class Names(MutableMapping[str, int]):
    """Revisions by name, in the order of code points."""

    def __init__(self, store: HistoryStore, table: Literal["checkpoint", "branch"], tree: Tree) -> None:
        self._store = store
        self._table: HistoryTable[str] = HistoryTable(store, table)
        self._tree = tree

    def __getitem__(self, name: str) -> int:
        row = self._table.get(name)
        if row is None:
            raise KeyError(name)
        with self._store.file.making_out():
            return name_of(row)[1]

    def __setitem__(self, name: str, revision: int) -> None:
        """Name a revision. Raises KeyError if there is none, ValueError if the name cannot be encoded."""
        if revision not in self._tree:
            raise KeyError(revision)
        self._table.put(name, name_row(name, revision))

    def __delitem__(self, name: str) -> None:
        with self._store.lock:
            if name not in self:
                raise KeyError(name)
            self._table.put(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._table.overlay()))

    def __len__(self) -> int:
        return len(self._table.overlay())
