"""Connections to the history's file, and what their errors mean."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from billy_mlx.manuscript.history.schema import APPLICATION, STATEMENTS, VERSION
from billy_mlx.manuscript.history.seal import LIMIT

# What the disk, the system or another program is the cause of: the file itself may be as good as ever.
_PASSING = {
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}


def connect(path: Path) -> sqlite3.Connection:
    """Open a file that exists. Whatever SQL a stranger's file may hold is not trusted; what is too large is refused."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, timeout=0.25, isolation_level=None, check_same_thread=False)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LIMIT)
    for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "synchronous = FULL", "fullfsync = ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("PRAGMA checkpoint_fullfsync = ON")
    return connection


def check(connection: sqlite3.Connection) -> None:
    """Look at the header and the schema: no more, so that a long history opens as fast as a short one.

    Raises:
        ValueError: they are not a history's.
    """
    names = ("application_id", "user_version", "journal_mode")
    application, version, journal = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
    if application != APPLICATION:
        raise ValueError("it is no history of a manuscript")
    if version > VERSION:
        raise ValueError("a newer version of billy made it")
    statements = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master LIMIT 100")}
    if version != VERSION or statements != set(STATEMENTS):
        raise ValueError("its tables are not those of a history")
    if journal != "wal":
        connection.execute("PRAGMA journal_mode = WAL")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Make all that is written inside the block or, after an error, nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def is_damage(error: Exception) -> bool:
    """Return whether an error means that the file is not what was written, rather than out of reach."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF not in _PASSING
    return isinstance(error, ValueError)
