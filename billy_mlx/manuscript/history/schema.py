"""What the history's file holds: SQLite tables whose rows carry a checksum each.

Most revisions are typed one on another, and their parent is the number before. Only those where that is not so, the
first ones of a line, are in the indexes: a tree of 100,000 revisions is drawn and walked from a few of them.
"""

from typing import Literal

APPLICATION = 0x62696C79  # "bily", as a number in the header: a file of another program is told by it
VERSION = 1

Value = int | float | str | bytes | None
Row = tuple[Value, ...]
"""One row as it is in a table, without its checksum; the first value is its key."""

Table = Literal["standing", "revision", "travelled", "keyframe", "draft", "alternative", "checkpoint", "branch"]

COLUMNS: dict[Table, int] = {  # without the checksum
    "standing": 6,
    "revision": 6,
    "travelled": 2,
    "keyframe": 2,
    "draft": 3,
    "alternative": 4,
    "checkpoint": 2,
    "branch": 2,
}

KEYS: dict[Table, str] = {
    "standing": "id",
    "revision": "id",
    "travelled": "parent",
    "keyframe": "revision",
    "draft": "id",
    "alternative": "author",
    "checkpoint": "name",
    "branch": "name",
}

# SQLite keeps these as they are written here, and a file that has others is not read.
STATEMENTS = (
    "CREATE TABLE standing(id INTEGER PRIMARY KEY, head INTEGER, branch TEXT, last_revision INTEGER, "
    "last_passage INTEGER, last_draft INTEGER, crc INTEGER)",
    "CREATE TABLE revision(id INTEGER PRIMARY KEY, parent INTEGER, kind TEXT, made REAL, draft INTEGER, edits BLOB, "
    "crc INTEGER)",
    "CREATE TABLE travelled(parent INTEGER PRIMARY KEY, child INTEGER, crc INTEGER)",
    "CREATE TABLE keyframe(revision INTEGER PRIMARY KEY, prose BLOB, crc INTEGER)",
    "CREATE TABLE draft(id INTEGER PRIMARY KEY, fate TEXT, draft BLOB, crc INTEGER)",
    "CREATE TABLE alternative(author INTEGER PRIMARY KEY, draft INTEGER, text BLOB, passage BLOB, crc INTEGER)",
    "CREATE TABLE checkpoint(name TEXT PRIMARY KEY, revision INTEGER, crc INTEGER) WITHOUT ROWID",
    "CREATE TABLE branch(name TEXT PRIMARY KEY, revision INTEGER, crc INTEGER) WITHOUT ROWID",
    "CREATE INDEX revision_line ON revision(parent) WHERE parent IS NOT id - 1",
    "CREATE INDEX revision_draft ON revision(draft) WHERE draft IS NOT NULL",
    "CREATE INDEX draft_fate ON draft(fate)",
)
