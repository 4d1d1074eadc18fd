"""The history of a manuscript: the tree of versions, names, passages and drafts, in a file beside the text.

It may be lost without losing a word: the text is in the writer's own file and in the journal. So whatever is wrong
with it is said, and never shown as a text.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, MutableMapping
from pathlib import Path
from typing import Literal

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.draft import Alternative, Draft, Fate
from billy_mlx.manuscript.edit import Edit
from billy_mlx.manuscript.history.file import HistoryDamaged, HistoryFile
from billy_mlx.manuscript.history.rows import name_of, name_row
from billy_mlx.manuscript.history.snapshots import Route, Snapshots
from billy_mlx.manuscript.history.store import DraftTables, HistoryStore, HistoryTable, could_not_save
from billy_mlx.manuscript.history.tree import Head, Tree, Version
from billy_mlx.manuscript.passage import Passage
from billy_mlx.manuscript.prose import Author, Prose
from billy_mlx.manuscript.records import Revision


class History:
    """The history in one file. What is added is kept in memory until `flush`, which may run in another thread.

    No method but `flush` and `close` waits for the disk to write. Those that read raise ManuscriptError if the file is
    damaged or out of reach.

    Attributes:
        notice: a message for the writer about the opening; None if there is none.
        checkpoints: revisions by the names that the writer gave them.
        branches: revisions by the names of branches. They move by `set_branch` only, not with the head.
    """

    def __init__(self, file: HistoryFile, notice: str | None = None, failure: str | None = None) -> None:
        self.notice = notice
        self._store = store = HistoryStore(file, failure)
        self._tree = Tree(store)
        self._texts = Snapshots(store, self._tree)
        self._drafts = DraftTables(store)
        self._place = Head(store)
        self.checkpoints = Names(store, "checkpoint", self._tree)
        self.branches = Names(store, "branch", self._tree)

    @classmethod
    def open(cls, path: Path) -> History:
        """Open the history at `path`, or begin one.

        One that is damaged, foreign or from a newer version is renamed to `history.damaged-1.db` (or a higher number),
        and `notice` says so. Where no file can be made, the history stays in memory, `failure` says why, and each
        flush tries again.

        Raises:
            ManuscriptError: there is a file, but it cannot be read now, or not be renamed.
        """
        file = HistoryFile(path)
        try:
            if not path.exists():
                return cls._begin(file)
            file.open()
            return cls(file)._look_round()
        except HistoryDamaged as error:
            file.close()
            return cls._begin(HistoryFile(path), error)
        except OSError as error:
            raise file.unreadable(error) from error
        except ManuscriptError:
            file.close()
            raise

    @classmethod
    def in_memory(cls, path: Path) -> History:
        """Return an empty history that no file has unless it is flushed; `path` is the one it would have."""
        return cls(HistoryFile(path))

    @property
    def failure(self) -> str | None:
        """Why the last flush did not reach the disk; None once one has."""
        return self._store.failure

    @property
    def head(self) -> int | None:
        """The revision the text stands at. Setting it raises KeyError if there is none of this number."""
        return self._place.now.head

    @head.setter
    def head(self, id: int | None) -> None:
        with self._store.lock:
            if id is not None:
                self._tree.travel(id)
            self._place.stand(id)

    @property
    def branch(self) -> str:
        """The name of the current branch. Setting it raises ValueError if the name cannot be encoded."""
        return self._place.now.branch

    @branch.setter
    def branch(self, name: str) -> None:
        with self._store.lock:
            self._place.use(name)

    @property
    def last_revision(self) -> int:
        """The highest number given to a revision, 0 if none was."""
        return self._place.now.last_revision

    @property
    def last_passage(self) -> int:
        """The highest number given to a passage, 0 if none was."""
        return self._place.now.last_passage

    @property
    def last_draft(self) -> int:
        """The highest number given to a draft, 0 if none was."""
        return self._place.now.last_draft

    def add(self, revision: Revision) -> None:
        """Add a revision. A root's edits are made on the empty text, unless it is given a keyframe.

        One that is known already, as when a journal is read again, is replaced, unless it has children: others were
        made on its text, so it stays as it is.

        Raises:
            KeyError: its parent is unknown.
            ValueError: it had another parent, or its values cannot be written down.
        """
        with self._store.lock:
            if self._tree.put(revision):
                self._texts.drop(revision.id)
                self._place.count(revision=revision.id, passages=_authors(revision.edits))

    def replace(self, revision: Revision) -> None:
        """Put a longer version in the place of a revision, as `add` does for one that is known.

        Raises:
            KeyError: there is none of this number.
            ValueError: it had another parent, or its values cannot be written down.
        """
        if not self.has(revision.id):
            raise KeyError(revision.id)
        self.add(revision)

    def has(self, id: int) -> bool:
        """Return whether there is a revision of this number."""
        return id in self._tree

    def revision(self, id: int) -> Revision:
        """Return a revision. Raises KeyError if there is none of this number."""
        return self._tree.revision(id)

    def children(self, id: int) -> tuple[int, ...]:
        """Return the numbers of the revisions made on this one, oldest first."""
        return self._tree.children(id)

    def preferred_child(self, id: int) -> int | None:
        """Return the child that redo goes to: the last that was added, grew, or had the head."""
        return self._tree.preferred_child(id)

    def path(self, start: int, goal: int) -> Route:
        """Return the edits from the text at `start` to that at `goal`: up to what they share, then down.

        Raises:
            KeyError: there is no revision of this number.
        """
        return self._texts.path(start, goal)

    def descends(self, id: int, ancestor: int) -> bool:
        """Return whether a revision came of another one; also if that is lost together with all before it."""
        return self._tree.descends(id, ancestor)

    def keyframe(self, id: int, prose: Prose) -> None:
        """Keep the whole text at a revision.

        Raises:
            KeyError: there is none of this number.
            ValueError: the text cannot be written down.
        """
        if not self.has(id):
            raise KeyError(id)
        with self._store.lock:
            self._place.count(passages=(author for _, author in prose.authors.runs))
            self._texts.keep(id, prose)

    def keyframe_due(self, id: int) -> bool:
        """Return whether the text at this revision should be kept: it is 1,000 revisions from the last one that was."""
        return self._texts.due(id)

    def prose_at(self, id: int) -> Prose:
        """Return the text at a revision.

        Raises:
            KeyError: there is none of this number.
            ManuscriptError: it cannot be made out.
        """
        return self._texts.at(id)

    def tree(self, *, landmarks: bool = False) -> Iterator[Version]:
        """Yield the versions, newest first, as they are asked for.

        Args:
            landmarks: leave out those that merely follow one another: roots, ends, forks, and what has a name or a
                draft are left.
        """
        names: dict[int, tuple[str, ...]] = {}
        for name, revision in (*self.checkpoints.items(), *self.branches.items()):
            names[revision] = (*names.get(revision, ()), name)
        return self._tree.landmarks(names) if landmarks else self._tree.versions(names)

    def set_branch(self, name: str, revision: int) -> None:
        """Have this branch stand at a revision and be the current one.

        Raises:
            KeyError: there is no revision of this number.
            ValueError: the name cannot be encoded.
        """
        with self._store.lock:
            self.branches[name] = revision
            self.branch = name

    def put_draft(self, draft: Draft) -> None:
        """Keep a draft as it is now. Raises ValueError if its values do not fit together."""
        with self._store.lock:
            self._drafts.put(draft)
            self._place.count(draft=draft.id, passages=[one.author for one in draft.alternatives])

    def put_passage(self, author: Author, passage: Passage) -> None:
        """Keep how an alternative was made, be its draft kept yet or not. Raises ValueError for impossible values."""
        with self._store.lock:
            self._drafts.put_passage(author, passage)
            self._place.count(passages=(author,))

    def find_draft(self, id: int) -> Draft | None:
        """Return a draft; None if there is none of this number."""
        return self._drafts.find(id)

    def drafts(self, fate: Fate | None = None) -> Iterator[Draft]:
        """Yield the drafts of this fate, or all, oldest first."""
        return self._drafts.all(fate)

    def uses(self) -> dict[int, tuple[tuple[int, Author], ...]]:
        """Return by draft the revisions that put it into the text, each with the alternative that it put there."""
        return self._drafts.uses()

    def alternative(self, author: Author) -> Alternative | None:
        """Return the alternative of this number; None if there is none."""
        return self._drafts.alternative(author)

    def passage(self, author: Author) -> Passage | None:
        """Return how the alternative of this number was made; None if that is not known."""
        alternative = self.alternative(author)
        return None if alternative is None else alternative.passage

    def flush(self) -> None:
        """Write all that waits in one transaction. If that fails, it goes on waiting and `failure` says why."""
        self._store.flush()

    def close(self) -> None:
        """Flush, and let go of the file."""
        self.flush()
        self._store.close()

    @classmethod
    def _begin(cls, file: HistoryFile, damage: HistoryDamaged | None = None) -> History:
        """Begin an empty history, in memory if need be; a damaged one is set aside first."""
        notice = None if damage is None else file.replace_damaged(damage)
        failure = None
        try:
            file.create()
        except (sqlite3.Error, OSError) as error:
            failure = could_not_save(file, error)
        return cls(file, notice, failure)

    def _look_round(self) -> History:
        """Return this history, if it has the text it stands at."""
        if self.head is not None:
            with self._store.file.making_out():
                if not self.has(self.head):
                    raise ValueError(f"the text stands at revision {self.head}, which is missing")
            self.prose_at(self.head)
        return self


def _authors(edits: Iterable[Edit]) -> Iterator[Author]:
    return (author for edit in edits for _, author in edit.inserted.authors.runs)


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
