"""Checksums for rows, since SQLite has none for its pages, and compression for long values."""

import zlib

import msgspec

from billy_mlx.manuscript.history.schema import COLUMNS, Row, Table

LIMIT = 1 << 28
"""The longest value that is read back, in bytes: a text of 256 MB. A damaged one cannot ask for more memory."""

_LONG = 1000  # bytes; below, zlib saves next to nothing
_ZLIB = b"x"  # what zlib's output begins with, and JSON never does; a text that does is always compressed


def sealed(table: Table, row: Row) -> Row:
    """Return a row as it is stored: long bytes compressed, and a checksum at its end."""
    packed = tuple(_packed(value) if isinstance(value, bytes) else value for value in row)
    return (*packed, _checksum(table, packed))


def unsealed(table: Table, stored: Row) -> Row:
    """Return the row that `sealed` was given.

    Raises:
        ValueError: it was given another one.
    """
    *packed, checksum = stored
    if len(packed) != COLUMNS[table] or _checksum(table, tuple(packed)) != checksum:
        raise ValueError(f"a row of the table {table} has changed by itself")
    return tuple(_unpacked(value) if isinstance(value, bytes) else value for value in packed)


def _checksum(table: Table, row: Row) -> int:
    return zlib.crc32(msgspec.msgpack.encode(row), zlib.crc32(table.encode()))


def _packed(data: bytes) -> bytes:
    return zlib.compress(data, 1) if len(data) >= _LONG or data.startswith(_ZLIB) else data


def _unpacked(data: bytes) -> bytes:
    if not data.startswith(_ZLIB):
        return data
    stream = zlib.decompressobj()
    try:
        unpacked = stream.decompress(data, LIMIT)
    except zlib.error as error:
        raise ValueError(f"compressed bytes cannot be read: {error}") from error
    if not stream.eof:
        raise ValueError("compressed bytes end too early, or are too long")
    return unpacked
