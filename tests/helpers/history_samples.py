"""Revisions, drafts and passages for tests of the history."""

import pytest

from billy_mlx.manuscript.draft import Alternative, Draft
from billy_mlx.manuscript.edit import Edit
from billy_mlx.manuscript.history.history import History
from billy_mlx.manuscript.passage import Passage, Voice
from billy_mlx.manuscript.prose import WRITER, Author, Prose
from billy_mlx.manuscript.records import Kind, Revision

DAY = 1_764_000_000.5


@pytest.fixture(autouse=True)
def all_closed(monkeypatch):
    """Close every history at the end of a test, since Python warns of connections that nobody closed."""
    opened, open_history = [], History.open
    monkeypatch.setattr(History, "open", lambda path: opened.append(open_history(path)) or opened[-1])
    yield
    for history in opened:
        history._store.close()


def typed(id, parent, before, text, *, author=WRITER, start=None, kind=Kind.TYPED, draft=None):
    """The revision in which `text` is put into `before` at `start`, and the text it leads to."""
    start = len(before) if start is None else start
    edit = Edit.of(before, start, start, Prose.by(Author(author), text))
    return Revision(id, parent, (edit,), kind, DAY + id, draft), edit.apply(before)


def line(history, count, *, first=1, prose=None, text="word "):
    """Type `count` revisions one on another and return the last text."""
    prose = Prose() if prose is None else prose
    for id in range(first, first + count):
        revision, prose = typed(id, id - 1 or None, prose, text)
        history.add(revision)
    history.head = first + count - 1
    return prose


def passage(text="It rained."):
    return Passage(
        text=text,
        tokens=(5, 6, 7),
        voices=(Voice(0, None), Voice(2, "0.5 villain", (3, 4))),
        work="continue",
        model="tiny",
        fingerprint={"model.safetensors": "abc"},
        vectors={"villain": "def"},
        prompt=tuple(range(500)),
        seed=7,
        sampling={"temperature": 0.8},
        max_tokens=100,
        ended="stop",
        date="2026-11-25T10:00:00+01:00",
    )


def draft(id, *authors, **fields):
    """A draft whose alternatives have the numbers `authors`, the last of them still being written."""
    made = [Alternative(Author(author), f"Text {author}.", passage(f"Text {author}.")) for author in authors[:-1]]
    return Draft(id, "continue", 3, 3, alternatives=(*made, Alternative(Author(authors[-1]), "It ra")), **fields)
