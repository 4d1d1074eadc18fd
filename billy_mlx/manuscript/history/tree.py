"""The tree of versions: its revisions, the ways between them, where the text stands in it, and what a screen draws."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.edit import Edit
from billy_mlx.manuscript.history.file import Row, TableName
from billy_mlx.manuscript.history.rows import Standing, pair_of, revision_of, revision_row, standing_of, standing_row
from billy_mlx.manuscript.history.store import HistoryStore, HistoryTable
from billy_mlx.manuscript.records import Kind, Revision
from billy_mlx.words import count_words

_PAGE = 200  # rows
_BEGINNING = 80  # characters


@dataclass(frozen=True)
class Version:
    """What is drawn of a revision.

    Attributes:
        parent: the nearest one on the way to the root that is drawn as well; None for a root.
        made: seconds since the epoch.
        removed: characters that it took out.
        inserted: characters that it put in.
        old: how what it took out begins, where that comes first in the text.
        new: how what it put in there begins.
        words: how many more it put in than it took out.
        names: of checkpoints and branches that stand at it.
    """

    id: int
    parent: int | None
    kind: Kind
    made: float
    removed: int
    inserted: int
    draft: int | None
    names: tuple[str, ...] = ()
    old: str = ""
    new: str = ""
    words: int = 0


class Tree:
    """All revisions. A parent's number is lower than its child's."""

    def __init__(self, store: HistoryStore) -> None:
        self._store = store
        self._revisions: HistoryTable[int] = HistoryTable(store, "revision")
        self._travelled: HistoryTable[int] = HistoryTable(
            store, "travelled"
        )  # where redo does not go to the newest child
        self._last_put = 0  # until the head goes elsewhere: redo goes there anyway
        self._highest = max(store.file.numbers("revision", "ORDER BY id DESC LIMIT 1"), default=0)

    def __contains__(self, id: int) -> bool:
        return self._revisions.get(id) is not None

    def put(self, revision: Revision) -> bool:
        """Add a revision, or change one that has no children, and return whether that made a difference.

        Raises:
            KeyError: its parent is unknown.
            ValueError: it had another parent, or its values cannot be written down.
        """
        id, parent = revision.id, revision.parent
        row = revision_row(revision)
        held = self._revisions.get(id)
        if held is None and parent is not None and parent not in self:
            raise KeyError(parent)
        if held is not None and held[1] != parent:
            raise ValueError(f"revision {id} has another parent")
        if held == row or (held is not None and id != self._last_put and self.children(id)):
            return False  # what others were made on stays as it was
        self._revisions.put(id, row)
        self._prefer(id, parent)
        return True

    def travel(self, id: int) -> None:
        """Have redo go to this revision from its parent. Raises KeyError if there is none of this number."""
        if id != self._last_put:
            self._last_put = 0
            parent = self.revision(id).parent
            if parent is not None and self.preferred_child(parent) != id:
                self._travelled.put(parent, (parent, id))

    def revision(self, id: int) -> Revision:
        """Return a revision. Raises KeyError if there is none of this number."""
        row = self._revisions.get(id)
        if row is None:
            raise KeyError(id)
        return self._made_out(row)

    def children(self, id: int) -> tuple[int, ...]:
        """Return the numbers of the revisions made on this one, oldest first."""
        rows = self._revisions.overlay("WHERE parent = ? AND parent IS NOT id - 1", id)
        following = self._revisions.get(id + 1)
        if following is not None:
            rows[id + 1] = following
        return tuple(sorted(child for child, row in rows.items() if row[1] == id))

    def preferred_child(self, id: int) -> int | None:
        """Return the child that was put or gone to last."""
        row = self._travelled.get(id)
        if row is None:
            return next(reversed(self.children(id)), None)
        with self._store.file.making_out():
            return pair_of(row)[1]

    def line(self, id: int) -> Iterator[Revision]:
        """Yield a revision, its parent, and so on to the root. Raises KeyError if there is none of this number."""
        wanted: int | None = id
        size = 1  # most who ask want a step or two
        while wanted is not None:
            rows = self._page(wanted + 1, size)
            size = min(2 * size, _PAGE)
            if wanted not in rows:
                raise KeyError(wanted) if wanted == id else self._missing(wanted)
            while wanted in rows:
                revision = self._made_out(rows[wanted])
                yield revision
                wanted = revision.parent

    def between(self, start: int, goal: int) -> tuple[list[Revision], list[Revision]]:
        """Return what lies between two revisions and the nearest one they share: from `start` up, then down to `goal`.

        Raises:
            KeyError: there is none of this number.
        """
        lines = self.line(start), self.line(goal)
        one, other = (next(line, None) for line in lines)
        up, down = [], []
        while one is not None or other is not None:
            if one is not None and (other is None or one.id > other.id):
                up.append(one)
                one = next(lines[0], None)
            elif other is not None and (one is None or other.id > one.id):
                down.append(other)
                other = next(lines[1], None)
            else:  # parents have lower numbers, so both lines meet here
                break
        return up, down[::-1]

    def descends(self, id: int, ancestor: int) -> bool:
        """Return whether a revision came of another one; also if that is lost together with all before it.

        Raises:
            KeyError: there is none of this number.
        """
        for revision in self.line(id):
            if revision.id <= ancestor:
                return revision.id == ancestor
        return True

    def versions(self, names: Mapping[int, tuple[str, ...]]) -> Iterator[Version]:
        """Yield all revisions, newest first."""
        before = 2**63 - 1
        while rows := self._page(before):
            for row in rows.values():
                revision = self._made_out(row)
                yield _version(revision, revision.parent, names)
            before = min(rows)

    def landmarks(self, names: Mapping[int, tuple[str, ...]]) -> Iterator[Version]:
        """Yield roots, ends, and those with several children, a name, or a draft taken: the newest first."""
        starts = self._starts()
        ids = sorted({*self._ends(starts), *(parent or id for id, parent in starts.items()), *names, *self._drafted()})
        firsts = sorted(starts)
        for place in range(len(ids) - 1, -1, -1):
            id, line = ids[place], bisect_right(firsts, ids[place])
            if not line or id not in self:
                raise self._missing(id)
            first = firsts[line - 1]
            nearest = ids[place - 1] if place and ids[place - 1] >= first else starts[first]
            yield _version(self.revision(id), nearest, names)

    def _prefer(self, id: int, parent: int | None) -> None:
        """Have redo go to a revision just put; to the newest child it goes without a row that says so."""
        if id < self._highest:
            self.travel(id)
        elif parent is not None and self._travelled.get(parent) is not None:
            self._travelled.put(parent, None)
        self._last_put = id
        self._highest = max(self._highest, id)

    def _starts(self) -> dict[int, int | None]:
        """Return the revisions that do not follow on the number before, and their parents: each begins a line."""
        rows = self._revisions.overlay("WHERE parent IS NOT id - 1").values()
        revisions = [self._made_out(row) for row in rows if row[1] is None or row[1] != _key(row) - 1]
        return {revision.id: revision.parent for revision in revisions}

    def _ends(self, starts: Iterable[int]) -> Iterator[int]:
        for before in (*starts, 2**63 - 1):
            yield from self._page(before, 1)

    def _drafted(self) -> Iterator[int]:
        for id, row in self._revisions.overlay("WHERE draft IS NOT NULL").items():
            if row[4] is not None and row[2] != str(Kind.PUT_AWAY):
                yield id

    def _page(self, before: int, limit: int = _PAGE) -> dict[int, Row]:
        """Return up to `limit` revisions below a number, newest first."""
        rows = self._revisions.overlay("WHERE id < ? ORDER BY id DESC LIMIT ?", before, limit)
        ids = sorted((id for id in rows if id < before), reverse=True)[:limit]
        return {id: rows[id] for id in ids}

    def _missing(self, id: int) -> ManuscriptError:
        return self._store.file.unreadable(ValueError(f"revision {id} is missing"))

    def _made_out(self, row: Row) -> Revision:
        with self._store.file.making_out():
            return revision_of(row)


def _version(revision: Revision, parent: int | None, names: Mapping[int, tuple[str, ...]]) -> Version:
    return Version(
        revision.id,
        parent,
        revision.kind,
        revision.made,
        sum(len(edit.removed) for edit in revision.edits),
        sum(len(edit.inserted) for edit in revision.edits),
        revision.draft,
        names.get(revision.id, ()),
        *_first_words(revision.edits),
        sum(count_words(edit.inserted.text) - count_words(edit.removed.text) for edit in revision.edits),
    )


def _first_words(edits: tuple[Edit, ...]) -> tuple[str, str]:
    """Return how what was taken out first in the text begins, and what was put in there."""
    if not edits:
        return "", ""
    first = min(edits, key=lambda edit: edit.start)
    return first.removed.text[:_BEGINNING], first.inserted.text[:_BEGINNING]


def _key(row: Row) -> int:
    return row[0] if isinstance(row[0], int) else 0


class Head:
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

    def _compare(self, table: TableName, last: int) -> None:
        """Check that a table has no more than it should, before an old history is used."""
        for number in self._store.file.numbers(table, "ORDER BY 1 DESC LIMIT 1"):
            if number > last:
                raise ValueError(f"{table} {number} comes after the last one, {last}")
