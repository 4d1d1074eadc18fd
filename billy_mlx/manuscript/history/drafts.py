"""Drafts in the history, and the passages that their alternatives are."""

from collections.abc import Iterator

from billy_mlx.manuscript.draft import Alternative, Draft, Fate
from billy_mlx.manuscript.history.rows import (
    alternative_of,
    alternative_row,
    draft_authors,
    draft_of,
    draft_rows,
    uses_of,
)
from billy_mlx.manuscript.history.schema import Row
from billy_mlx.manuscript.history.store import HistoryStore, HistoryTable
from billy_mlx.manuscript.passage import Passage
from billy_mlx.manuscript.prose import Author


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
