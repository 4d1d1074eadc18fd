"""Values of the history as rows of its tables, and back: what does not fit is refused in both directions."""

import math
from dataclasses import dataclass, replace
from typing import Annotated, Any

import msgspec

from billy_mlx.manuscript.draft import Alternative, Draft, Fate
from billy_mlx.manuscript.edit import Edit
from billy_mlx.manuscript.history.file import Row
from billy_mlx.manuscript.passage import Passage
from billy_mlx.manuscript.prose import WRITER, Author, Authors, Prose
from billy_mlx.manuscript.records import Kind, Revision

_Length = Annotated[int, msgspec.Meta(ge=1)]
_Author = Annotated[int, msgspec.Meta(ge=-1, le=2**62)]
_Runs = tuple[tuple[_Length, _Author], ...]


class _Prose(msgspec.Struct, array_like=True):
    """A text and who wrote it; no runs mean that the writer wrote all of it."""

    text: str
    runs: _Runs | None = None


class _Edit(msgspec.Struct, array_like=True):
    """An edit. By far the most are the writer's own, who takes out and puts in without runs."""

    start: Annotated[int, msgspec.Meta(ge=0)]
    removed: str
    inserted: str
    removed_runs: _Runs | None = None
    inserted_runs: _Runs | None = None


@dataclass(frozen=True)
class Standing:
    """Where the text stands in the tree, and the highest numbers given so far."""

    head: int | None = None
    branch: str = "main"
    last_revision: int = 0
    last_passage: int = 0
    last_draft: int = 0


def standing_row(standing: Standing) -> Row:
    """Return its row; there is one."""
    counts = (standing.last_revision, standing.last_passage, standing.last_draft)
    return (1, standing.head, standing.branch, *counts)


def standing_of(row: Row) -> Standing:
    """Read a row. Raises ValueError if it does not fit."""
    _, head, branch, *counts = row
    if head is not None and _number(head) > _number(counts[0]):
        raise ValueError(f"the text stands at {head!r}, after the last revision")
    return Standing(None if head is None else _number(head), _text(branch), *(_number(count, 0) for count in counts))


def revision_row(revision: Revision) -> Row:
    """Return its row. Raises ValueError if it is none that `revision_of` could read."""
    edits = msgspec.json.encode([_edit_fields(edit) for edit in revision.edits])
    row = (revision.id, revision.parent, str(revision.kind), float(revision.made), revision.draft, edits)
    revision_of(row)
    return row


def revision_of(row: Row) -> Revision:
    """Read a row. Raises ValueError if it does not fit."""
    id, parent, kind, made, draft, edits = row
    if not isinstance(made, float) or not math.isfinite(made):
        raise ValueError(f"revision {id!r} has no date")
    if parent is not None and _number(parent) >= _number(id):
        raise ValueError(f"revision {id!r} comes before its parent")
    return Revision(
        _number(id),
        None if parent is None else _number(parent),
        tuple(_edit(fields) for fields in msgspec.json.decode(_bytes(edits), type=tuple[_Edit, ...])),
        Kind(_text(kind)),
        made,
        None if draft is None else _number(draft),
    )


def pair_of(row: Row) -> tuple[int, int]:
    """Read a row of two numbers. Raises ValueError if it does not fit."""
    key, value = row
    return _number(key), _number(value)


def name_row(name: str, revision: int) -> Row:
    """Return the row of a name. Raises ValueError if it cannot be written down."""
    name.encode()
    return (name, _number(revision))


def name_of(row: Row) -> tuple[str, int]:
    """Read a row. Raises ValueError if it does not fit."""
    name, revision = row
    return _text(name), _number(revision)


def keyframe_row(id: int, prose: Prose) -> Row:
    """Return the row of the whole text at a revision. Raises ValueError if it cannot be written down."""
    return (_number(id), msgspec.json.encode([prose.text, _runs(prose.authors)]))


def keyframe_of(row: Row) -> Prose:
    """Read a row. Raises ValueError if it does not fit."""
    fields = msgspec.json.decode(_bytes(row[1]), type=_Prose)
    return _prose(fields.text, fields.runs)


def draft_rows(draft: Draft) -> tuple[Row, list[Row]]:
    """Return the row of a draft and those of its alternatives. Raises ValueError if they could not be read."""
    authors = [one.author for one in draft.alternatives]
    fields = msgspec.json.encode([replace(draft, alternatives=()), authors])
    row = (draft.id, str(draft.fate), fields)
    alternatives = [alternative_row(draft.id, one) for one in draft.alternatives]
    draft_of(row, dict(zip(authors, alternatives, strict=True)))
    return row, alternatives


def draft_of(row: Row, alternatives: dict[Author, Row]) -> Draft:
    """Read a row and those of its alternatives, by number. Raises ValueError if they do not fit."""
    draft, authors = msgspec.json.decode(_bytes(row[2]), type=tuple[Draft, tuple[int, ...]])
    if (draft.id, draft.fate) != (_number(row[0]), Fate(_text(row[1]))):
        raise ValueError(f"draft {row[0]!r} is another one, {draft.id}")
    if not 0 <= draft.start <= draft.end or not 0 <= draft.shown < max(1, len(authors)):
        raise ValueError(f"draft {draft.id} has no place or shows nothing of its own")
    if any(alternatives[Author(author)][1] != draft.id for author in authors):
        raise ValueError(f"draft {draft.id} has alternatives of another one")
    return replace(draft, alternatives=tuple(alternative_of(alternatives[Author(author)]) for author in authors))


def draft_authors(row: Row) -> tuple[Author, ...]:
    """Return the numbers of a draft's alternatives. Raises ValueError if the row does not fit."""
    _, authors = msgspec.json.decode(_bytes(row[2]), type=tuple[msgspec.Raw, tuple[int, ...]])
    return tuple(Author(_number(author)) for author in authors)


def uses_of(row: Row) -> tuple[tuple[int, Author], ...]:
    """Return which revisions put which alternative into the text. Raises ValueError if the row does not fit."""
    draft, authors = msgspec.json.decode(_bytes(row[2]), type=tuple[Draft, tuple[int, ...]])
    if any(not 0 <= placed.shown < len(authors) for placed in draft.placed):
        raise ValueError(f"draft {draft.id} has put something into the text that is not its own")
    return tuple((placed.revision, Author(authors[placed.shown])) for placed in draft.placed)


def alternative_row(draft: int | None, one: Alternative) -> Row:
    """Return the row of an alternative; its draft may not be kept yet. Raises ValueError if it could not be read."""
    passage = None if one.passage is None else msgspec.json.encode(one.passage.as_json())
    return (_number(one.author), draft, one.text.encode(), passage)


def alternative_of(row: Row) -> Alternative:
    """Read a row. Raises ValueError if it does not fit."""
    author, _, text, passage = row
    return Alternative(
        Author(_number(author)),
        _bytes(text).decode(),
        None if passage is None else Passage.of_json(_json(_bytes(passage))),
    )


def _json(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except RecursionError as error:
        raise ValueError("a passage is nested too deeply") from error


def _edit_fields(edit: Edit) -> list[Any]:
    runs = [_runs(edit.removed.authors), _runs(edit.inserted.authors)]
    return [edit.start, edit.removed.text, edit.inserted.text, *(runs if any(runs) else ())]


def _edit(fields: _Edit) -> Edit:
    removed = _prose(fields.removed, fields.removed_runs)
    return Edit(fields.start, removed, _prose(fields.inserted, fields.inserted_runs))


def _runs(authors: Authors) -> tuple[tuple[int, Author], ...] | None:
    return None if all(author == WRITER for _, author in authors.runs) else authors.runs


def _prose(text: str, runs: _Runs | None) -> Prose:
    if runs is None:
        return Prose.by(WRITER, text)
    return Prose(text, Authors.of((length, Author(author)) for length, author in runs))


def _number(value: object, least: int = 1) -> int:
    if not isinstance(value, int) or not least <= value < 2**63:
        raise ValueError(f"{value!r:.30} stands where a number from {least} up belongs")
    return value


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError(f"{value!r:.30} stands where bytes belong")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.30} stands where a text belongs")
    return value
